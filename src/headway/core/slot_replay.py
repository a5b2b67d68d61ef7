"""Plays recorded attempts through other slots and settings of teams: how long would they have waited? Pure.

Only the slots of teams (``core.shares``) are played: each attempt is ready when it was, and holds a slot for as long
as it did. Pools, agents and the order of a team's own tasks by priority are left out, and nothing becomes ready
earlier because something before it began earlier. So compare replays with each other, not with what happened.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from headway.core.shares import Claim, bound, divide

P50: Final = 0.5
P95: Final = 0.95


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """A recorded attempt: when it was ready, and how long it held its slot, in seconds."""

    ready_s: float
    team_id: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Waits:
    """The time that attempts of a team waited for a slot, in seconds. ``never``: how many never got one."""

    count: int
    p50_s: float
    p95_s: float
    never: int = 0


@dataclass(slots=True)
class Line:
    """A team in a replay: what it uses, and when what waits became ready, the first first."""

    claim: Claim
    used: int = 0
    waiting: deque[Held] = field(default_factory=deque)
    waits: list[float] = field(default_factory=list)

    def wants(self) -> Claim:
        return replace(self.claim, used=self.used, wants=self.used + len(self.waiting))


def replay(slots: int, teams: Sequence[Claim], recorded: Iterable[Held]) -> dict[int, list[float]]:
    """Return how long each attempt would have waited, by team, in the order in which they begin.

    ``teams``: the settings of each team in ``recorded``. What would never begin (no slots, a limit of 0) is left out.
    """
    lines = {claim.team_id: Line(claim) for claim in teams}
    coming = deque(sorted(recorded))
    ends: list[tuple[float, int]] = []  # when, and whose slot
    while coming or ends:
        now = ends[0][0] if ends else coming[0].ready_s
        if coming:
            now = min(now, coming[0].ready_s)
        while ends and ends[0][0] <= now:
            lines[heapq.heappop(ends)[1]].used -= 1
        while coming and coming[0].ready_s <= now:
            held = coming.popleft()
            lines[held.team_id].waiting.append(held)
        begin(slots, lines, now, ends)
    return {team_id: line.waits for team_id, line in lines.items()}


def begin(slots: int, lines: Mapping[int, Line], now: float, ends: list[tuple[float, int]]) -> None:
    """Give free slots to what waits, as ticks and divisions do between them."""
    free = slots - sum(line.used for line in lines.values())
    waiting = [line for line in lines.values() if line.waiting]
    if free <= 0 or not waiting:
        return
    for line, most in zip(waiting, most_of(slots, free, lines, waiting), strict=True):
        while line.waiting and line.used < most:
            held = line.waiting.popleft()
            line.used += 1
            line.waits.append(now - held.ready_s)
            heapq.heappush(ends, (now + held.seconds, held.team_id))


def most_of(slots: int, free: int, lines: Mapping[int, Line], waiting: Sequence[Line]) -> list[int]:
    """Return how many slots each of the teams that wait may use."""
    if len(waiting) == 1 and not any(line.claim.kept for line in lines.values()):
        # Nobody else wants one, so there is nothing to divide.
        return [bound(waiting[0].claim, waiting[0].used + free)]
    divided = divide(slots, [line.wants() for line in lines.values()])
    found = [divided[line.claim.team_id] for line in waiting]
    return [min(each.allotted, each.fair) for each in found]


def summary(waits: Sequence[float], recorded: int | None = None) -> Waits:
    """``recorded``: how many there are with those that never began."""
    ordered = sorted(waits)
    never = 0 if recorded is None else recorded - len(ordered)
    return Waits(len(ordered), quantile(ordered, P50), quantile(ordered, P95), never)


def quantile(ordered: Sequence[float], part: float) -> float:
    """Return the value below which that part is; 0 of nothing."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
