"""``headway slots --replay``: what is replayed, what is refused, and what is said of it."""

from datetime import UTC, datetime, timedelta

import pytest

from headway import wire
from headway.cli.slot_replay import (
    Settings,
    check_teams,
    hours_of,
    played,
    said,
    slots_by_team,
    weights_by_team,
)
from headway.errors import UsageError
from tests.cli.conftest import Command

pytestmark = pytest.mark.long

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOTHING = Settings(None, {}, {})


def attempts(team: str, count: int, slots: int | None = None) -> wire.TeamAttempts:
    return wire.TeamAttempts(
        team=team,
        slots=slots,
        weight=1,
        running_tasks=None,
        kept_slots=0,
        ready_s=[0.0] * count,
        waited_s=[3.0] * count,
        held_s=[10.0] * count,
    )


def history(*teams: wire.TeamAttempts, all_teams: bool = True) -> wire.SlotHistory:
    since = NOON - timedelta(hours=1)
    return wire.SlotHistory(
        since=since, until=NOON, capacity=4, all_teams=all_teams, teams=[*teams]
    )


def test_more_weight_waits_less_than_before_and_the_other_more() -> None:
    both = history(attempts("a", 40), attempts("b", 40))
    a, b = played(both, Settings(None, {}, {"a": 3}), 1).teams
    assert (a.waited.p50_s, a.before, a.weight) == (3, b.before, 3)
    assert a.after.p50_s < a.before.p50_s < b.after.p50_s


def test_more_slots_end_all_waits() -> None:
    found = played(history(attempts("a", 40)), Settings(40, {}, {}), 1)
    assert (found.capacity_before, found.capacity) == (4, 40)
    assert (found.teams[0].before.p95_s, found.teams[0].after.p95_s) == (90, 0)


def test_one_team_alone_has_its_nominal_slots_and_it_is_said() -> None:
    own = history(attempts("a", 4, slots=1), all_teams=False)
    found = played(own, NOTHING, 1)
    assert (found.capacity, found.teams[0].before.p95_s) == (1, 30)
    words = [*said(found, own)]
    assert words[:2] == [
        "4 attempts of the last 1 h, in 1 slot",
        "you see your own team only, so it is replayed without the others",
    ]
    with pytest.raises(UsageError, match="you see your own team only"):
        check_teams(own, Settings(None, {}, {"a": 2}))


def test_what_would_never_begin_is_said() -> None:
    whole = history(attempts("a", 2), attempts("b", 2))
    capped = wire.SlotHistory(
        since=NOON,
        until=NOON,
        capacity=4,
        all_teams=True,
        teams=[whole.teams[0], replaced(whole.teams[1], 0)],
    )
    found = played(capped, NOTHING, 1)
    assert [team.after.never for team in found.teams] == [0, 2]
    assert [*said(found, capped)][-1] == (
        "2 attempts of b would never get a slot; they are not in its times"
    )


def replaced(team: wire.TeamAttempts, limit: int) -> wire.TeamAttempts:
    return wire.TeamAttempts(
        team=team.team,
        slots=team.slots,
        weight=team.weight,
        running_tasks=limit,
        kept_slots=0,
        ready_s=team.ready_s,
        waited_s=team.waited_s,
        held_s=team.held_s,
    )


def test_mistakes_are_told_by_what_was_meant() -> None:
    assert [hours_of(text) for text in ("12h", "7d", "2w")] == [12, 168, 336]
    for text in ("7", "0d", "5w", "-1d", "x"):
        with pytest.raises(UsageError, match="not a time to replay"):
            hours_of(text)
    for text in ("a", "=2", "a=0", "a=nan", "a=x"):
        with pytest.raises(UsageError, match="does not give a team and its number"):
            weights_by_team([text])
    with pytest.raises(UsageError, match="does not give a team and its number"):
        slots_by_team(["a=-1"])
    with pytest.raises(UsageError, match="there is no team 'marketin'") as told:
        check_teams(history(attempts("marketing", 1)), Settings(None, {"marketin": 2}, {}))
    assert "marketing" in str(told.value.hint)


def test_a_replay_changes_nothing_and_its_settings_need_it(cli: Command) -> None:
    done = cli("slots", "--replay", "7d", "--weight", "default=2", "--capacity", "9")
    assert done.returncode == 0, done.stderr
    assert "not a replay with what happened" in done.stderr
    assert "REPLAY P50" in done.stdout
    assert "default" in done.stdout
    refused = cli("slots", "--weight", "default=2")
    assert (refused.returncode, "add --replay 7d" in refused.stderr) == (2, True)
