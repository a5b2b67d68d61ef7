"""``headway slots --replay``: play the attempts of the last days again, with other slots and weights."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from headway import wire
from headway.cli.options import Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.client import Client
from headway.core import teams as core
from headway.core.shares import Claim
from headway.core.slot_replay import Held, Waits, replay, summary
from headway.core.words import counted, duration
from headway.errors import UsageError
from headway.spec.errors import did_you_mean

HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24}
COLUMNS: Final = (
    *("TEAM", "ATTEMPTS", "SLOTS", "WEIGHT", "WAITED P50", "P95"),
    *("SETTINGS NOW P50", "P95", "REPLAY P50", "P95"),
)
ASSUMES: Final = (
    "each task is ready when it was and takes as long as it did: a task that would begin earlier makes "
    "nothing after it ready earlier. Pools, agents and priorities are not played, so compare the two "
    "replays, not a replay with what happened"
)


class TeamReplay(msgspec.Struct, frozen=True, kw_only=True):
    """The time that attempts of a team waited for a slot, in seconds: ``waited`` as it happened, ``before`` played with
    the settings of now, ``after`` with those asked for. ``slots`` and ``weight`` are those asked for.
    """

    team: str
    slots: int | None
    weight: float
    waited: Waits
    before: Waits
    after: Waits

    @property
    def row(self) -> tuple[object, ...]:
        times = (self.waited, self.before, self.after)
        slots, weight = self.slots, f"{self.weight:g}"
        said = (text for each in times for text in (duration(each.p50_s), duration(each.p95_s)))
        return (self.team, self.waited.count, slots, weight, *said)


class SlotReplay(msgspec.Struct, frozen=True, kw_only=True):
    hours: int
    capacity_before: int
    capacity: int
    teams: list[TeamReplay]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that are asked for. None, and teams that are not named, stay as they are."""

    capacity: int | None
    slots: Mapping[str, int]
    weights: Mapping[str, float]

    def of(self, claim: Claim, team: str) -> Claim:
        nominal = self.slots.get(team, claim.nominal)
        return replace(claim, nominal=nominal, weight=self.weights.get(team, claim.weight))


def show_replay(client: Client, text: str, asked: Settings, output: Output) -> None:
    """Replay and print. Raises UsageError for what cannot be replayed."""
    history = client.slot_history(hours_of(text))
    check_teams(history, asked)
    found = played(history, asked, hours_of(text))
    if output is Output.TABLE:
        for sentence in said(found, history):
            say(sentence)
    show(found, output, COLUMNS, [team.row for team in found.teams])


def said(found: SlotReplay, history: wire.SlotHistory) -> Iterator[str]:
    count = counted(sum(team.waited.count for team in found.teams), "attempt")
    was = "" if found.capacity == found.capacity_before else f", instead of {found.capacity_before}"
    slots = counted(found.capacity, "slot")
    yield f"{count} of the last {duration(found.hours * 3600)}, in {slots}{was}"
    if not history.all_teams:
        yield "you see your own team only, so it is replayed without the others"
    yield ASSUMES
    for team in found.teams:
        if team.after.never:
            never = counted(team.after.never, "attempt")
            yield f"{never} of {team.team} would never get a slot; they are not in its times"


def played(history: wire.SlotHistory, asked: Settings, hours: int) -> SlotReplay:
    now = slots_of(history)
    capacity = now if asked.capacity is None else asked.capacity
    claims = [claim_of(number, team) for number, team in enumerate(history.teams)]
    wanted = [asked.of(claim, team.team) for claim, team in zip(claims, history.teams, strict=True)]
    recorded = [
        Held(ready_s, number, held_s)
        for number, team in enumerate(history.teams)
        for ready_s, held_s in zip(team.ready_s, team.held_s, strict=True)
    ]
    before, after = replay(now, claims, recorded), replay(capacity, wanted, recorded)
    teams = [
        TeamReplay(
            team=team.team,
            slots=asked.slots.get(team.team, team.slots),
            weight=wanted[number].weight,
            waited=summary(team.waited_s),
            before=summary(before[number], len(team.ready_s)),
            after=summary(after[number], len(team.ready_s)),
        )
        for number, team in enumerate(history.teams)
    ]
    return SlotReplay(hours=hours, capacity_before=now, capacity=capacity, teams=teams)


def slots_of(history: wire.SlotHistory) -> int:
    """Return how many slots there are: for one's own team, which is played alone, its own come first."""
    own = None if history.all_teams else history.teams[0].slots
    slots = own if own is not None else history.capacity
    if slots is None:
        raise UsageError(
            "no server has said how many slots there are",
            hint="start one: headway up --slots N",
        )
    return slots


def claim_of(number: int, team: wire.TeamAttempts) -> Claim:
    return Claim(
        team_id=number,
        nominal=team.slots or 0,
        weight=team.weight,
        limit=team.running_tasks,
        kept=team.kept_slots,
    )


def check_teams(history: wire.SlotHistory, asked: Settings) -> None:
    """Check that the teams exist, and that weights have something to weigh. Raises UsageError."""
    known = [team.team for team in history.teams]
    for name in [*asked.weights, *asked.slots]:
        if not history.all_teams:
            raise UsageError(
                "slots and weights divide the slots between teams, and you see your own team only",
                hint="give --capacity N: your team alone in N slots; or ask a platform admin",
            )
        if name not in known:
            hint = did_you_mean(name, known) or "to list teams: headway team ls"
            raise UsageError(f"there is no team {name!r}", hint=hint)


def hours_of(text: str) -> int:
    """Return the hours of ``12h``, ``7d`` or ``2w``. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,4})([hdw])", text)
    hours = int(found[1]) * HOURS[found[2]] if found else 0
    if not 0 < hours <= HOURS["d"] * 31:
        raise UsageError(
            f"{text!r} is not a time to replay", where="--replay", hint="give 1h to 31d, such as 7d"
        )
    return hours


def slots_by_team(given: Sequence[str] | None) -> dict[str, int]:
    """Return the numbers of TEAM=N. Raises UsageError."""
    found = {}
    for text in given or ():
        name, _, value = text.partition("=")
        slots = int(value) if value.isascii() and value.isdigit() else -1
        if not name or core.slots_trouble(slots) is not None:
            raise wrong("--slots", text, "--slots marketing=40")
        found[name] = slots
    return found


def weights_by_team(given: Sequence[str] | None) -> dict[str, float]:
    """Return the numbers of TEAM=W. Raises UsageError."""
    found = {}
    for text in given or ():
        name, _, value = text.partition("=")
        try:
            weight = float(value)
        except ValueError:
            weight = 0.0
        if not name or core.weight_trouble(weight) is not None:
            raise wrong("--weight", text, "--weight marketing=2")
        found[name] = weight
    return found


def wrong(option: str, text: str, example: str) -> UsageError:
    return UsageError(
        f"{text!r} does not give a team and its number",
        where=option,
        hint=f"for instance: {example}",
    )
