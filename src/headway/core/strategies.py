"""The run strategies of a DAG: which of its runs may be active together, and what becomes of those that wait.

Every strategy but ``parallel`` puts all runs of the DAG in one line, those of backfills and those that people trigger
included: one is active at a time. Only runs that nobody asked for are ever skipped: a schedule or assets made them, and
they have not started before. A backfill makes them wait, and never has them skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from headway.core.reasons import HeldByRun, Reason, SkippedByStrategy
from headway.core.states import RunState


class Strategy(StrEnum):
    """The word of ``run_strategy``."""

    PARALLEL = "parallel"  # as many as ``max_active_runs``
    SEQUENTIAL = "sequential"  # one at a time, in the order of the logical dates
    STRICT_SEQUENTIAL = "strict_sequential"  # and only when the run before has succeeded
    FIRST_ONLY = "first_only"  # what comes while one is active or waits is skipped
    LAST_ONLY = "last_only"  # of those that wait the newest stays, the others are skipped

    @property
    def skips(self) -> bool:
        return self in (Strategy.FIRST_ONLY, Strategy.LAST_ONLY)


class Other(NamedTuple):
    """A run of the DAG."""

    run_id: str
    logical_date: datetime
    state: str
    backfill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The line of a DAG. Each part is None where there is no such run.

    ``active``: an active run, one of no backfill if there is one. ``asked``: the queued run that comes first, of those
    that stay; where the strategy skips runs, without those of backfills, of which ``filled`` comes first.
    ``unasked``: queued runs that may be skipped, the earliest first; ``more``: there are others, later ones.
    ``before``: the latest run for an earlier date that was neither skipped nor cancelled.
    """

    active: Other | None = None
    asked: Other | None = None
    filled: Other | None = None
    unasked: Sequence[Other] = ()
    before: Other | None = None
    more: bool = False

    def first(self, unasked: Other | None = None) -> Other | None:
        """Return the run whose turn is next; ``unasked``: the one of these that stays."""
        waiting = [one for one in (unasked, self.asked) if one is not None]
        return min(waiting, key=lambda one: (one.logical_date, one.run_id), default=self.filled)


@dataclass(frozen=True, slots=True)
class Decision:
    """``more``: there is something left to decide."""

    start: Other | None = None
    skip: Sequence[tuple[Other, Reason]] = field(default_factory=list)
    more: bool = False


def decide(strategy: Strategy, line: Line) -> Decision:
    """Decide which queued run starts, and which end as skipped. The caller holds the lock of the DAG."""
    match strategy:
        case Strategy.PARALLEL:
            raise AssertionError("runs in parallel stand in no line")
        case Strategy.SEQUENTIAL:
            return Decision(None if line.active else line.asked)
        case Strategy.STRICT_SEQUENTIAL:
            return Decision(None if line.active or is_held(line) else line.asked)
        case Strategy.FIRST_ONLY:
            first = line.first(line.unasked[0] if line.unasked else None)
            kept = first if line.active is None or line.active.backfill else line.active
            skipped = others(strategy, line.unasked, kept)
            return Decision(None if line.active else first, skipped, line.more)
        case Strategy.LAST_ONLY:
            newest = line.unasked[-1] if line.unasked else None
            skipped = others(strategy, line.unasked, newest)
            # A later one makes this one superfluous, too: it does not start before all have been seen.
            start = None if line.active or line.more else line.first(newest)
            return Decision(start, skipped, line.more)


def others(
    strategy: Strategy, unasked: Sequence[Other], kept: Other | None
) -> list[tuple[Other, Reason]]:
    """Return the runs that are skipped for the one that is kept."""
    if kept is None:
        return []
    date = kept.logical_date.isoformat()
    why = SkippedByStrategy(strategy.value, kept.run_id, date, kept.state)
    return [(one, why) for one in unasked if one.run_id != kept.run_id]


def is_held(line: Line) -> bool:
    """Return whether the run before keeps the next one from starting."""
    return line.before is not None and line.before.state != RunState.SUCCESS


def turn(strategy: Strategy, line: Line) -> Other | None:
    """Return the queued run whose turn is next."""
    if not line.unasked:
        return line.first()
    return line.first(line.unasked[-1 if strategy is Strategy.LAST_ONLY else 0])


def why_held(strategy: Strategy, line: Line, run_id: str | None = None) -> Reason | None:
    """Return why a queued run, or a new one, does not start; None: it does. ``line.before`` is the run before it."""
    if strategy is Strategy.STRICT_SEQUENTIAL and is_held(line):
        return held_by(strategy, line.before)
    if line.active is not None:
        return held_by(strategy, line.active)
    first = turn(strategy, line)
    return None if first is None or first.run_id == run_id else held_by(strategy, first)


def why_first_held(strategy: Strategy, line: Line) -> Reason | None:
    """Return why the run whose turn is next does not start; None: it does."""
    first = turn(strategy, line)
    return None if first is None else why_held(strategy, line, first.run_id)


def held_by(strategy: Strategy, other: Other | None) -> Reason:
    assert other is not None
    date = other.logical_date.isoformat()
    return HeldByRun(strategy.value, other.run_id, date, other.state)
