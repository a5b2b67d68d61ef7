"""Explains why a run has not started, or why a DAG starts none, in one place. Pure."""

from dataclasses import dataclass
from datetime import datetime

from headway.core.reasons import (
    AwaitsDate,
    BackfillFull,
    BackfillPaused,
    DagPaused,
    FileGone,
    MaxActiveRuns,
    NoScheduler,
    NotCreated,
    NotSeen,
    Reason,
    SetAside,
)
from headway.core.schedules.base import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The position of a queued run. ``running``: runs of its DAG that count against ``limit``
    (``max_active_runs``); ``before``: queued ones that come first; ``set_aside``: the error. ``backfill``: it
    is a run of a backfill, which ``backfill_paused_by`` has paused.
    """

    paused_by: str | None
    running: int
    limit: int
    before: int = 0
    set_aside: str | None = None
    backfill: bool = False
    backfill_paused_by: str | None = None
    until: datetime | None = None  # its logical date, if that lies in the future
    held: Reason | None = None  # the run that goes before it, where its DAG has a run strategy
    scheduling: bool = True  # a scheduler is alive


def why_queued(line: Line) -> Reason:
    return held_back(line) or NotSeen()


def held_back(line: Line) -> Reason | None:
    """Return why the run waits. None: it starts as soon as a scheduler looks at it."""
    if line.set_aside is not None:
        return SetAside(line.set_aside)
    if line.paused_by is not None:
        return DagPaused(line.paused_by)
    if line.backfill_paused_by is not None:
        return BackfillPaused(line.backfill_paused_by)
    if line.until is not None:
        return AwaitsDate(line.until.isoformat())
    if not line.scheduling:
        return NoScheduler()
    if line.held is not None:
        return line.held
    if line.backfill:
        return BackfillFull()
    if line.running >= line.limit:
        return MaxActiveRuns(line.running, line.limit, line.before)
    return None


def why_not_created(*, scheduling: bool) -> Reason:
    """Return why a past fire time has no run."""
    return NotCreated() if scheduling else NoScheduler()


def why_nothing_fires(
    schedule: Schedule, *, file_gone: bool, paused_by: str | None, ends: bool
) -> Reason | None:
    """Return why the schedule starts no run. None: it does."""
    if file_gone:
        return FileGone()
    if schedule.idle is not None:
        return schedule.idle
    if paused_by is not None:
        return DagPaused(paused_by)
    return schedule.over if ends else None
