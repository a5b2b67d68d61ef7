"""Counters of a scheduler since its start: kept in memory, written with its heartbeat, read by /metrics.

Everything is cumulative, so that a heartbeat that is lost loses nothing. A scheduler that starts anew
counts from zero, as Prometheus expects of counters.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

SECONDS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 600.0, 3600.0)


class Histogram(msgspec.Struct):
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total_s += seconds

    def within(self) -> Iterator[tuple[str, int]]:
        """Yield cumulative counts by limit, as in Prometheus."""
        so_far = 0
        for limit, count in zip((*map("{:g}".format, SECONDS), "+Inf"), self.counts, strict=True):
            so_far += count
            yield limit, so_far


class OfTeam(msgspec.Struct):
    waits: Histogram = msgspec.field(default_factory=Histogram)  # from being ready to being granted
    ends: dict[str, int] = {}  # of attempts, by what their agents reported


class Measures(msgspec.Struct):
    ticks: Histogram = msgspec.field(default_factory=Histogram)
    teams: dict[int, OfTeam] = {}

    def add_tick(self, took_s: float) -> None:
        self.ticks.add(took_s)

    def add_waits(self, waits: Iterable[tuple[int, float]]) -> None:
        """Add the waits of granted attempts: team and seconds."""
        for team_id, waited_s in waits:
            self.of_team(team_id).waits.add(waited_s)

    def add_ends(self, ends: Iterable[tuple[int, str]]) -> None:
        """Count ended attempts: team and outcome."""
        for (team_id, outcome), count in Counter(ends).items():
            of_team = self.of_team(team_id)
            of_team.ends[outcome] = of_team.ends.get(outcome, 0) + count

    def of_team(self, team_id: int) -> OfTeam:
        found = self.teams.get(team_id)
        if found is None:
            found = self.teams[team_id] = OfTeam()
        return found


def encoded(measures: Measures) -> str:
    return msgspec.json.encode(measures).decode()


def decoded(text: str) -> Measures:
    return msgspec.json.decode(text, type=Measures)
