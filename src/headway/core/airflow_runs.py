"""Runs that Airflow did: what is taken over of them, and how much a team may keep. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from headway.core.schedules.base import FIRST, LAST

RUN_STATES: Final = ("success", "failed")  # of runs that have ended
TASK_STATES: Final = (
    *("success", "failed", "skipped", "upstream_failed", "removed"),
    # A run that somebody marked has ended while its tasks had not.
    *("scheduled", "queued", "running", "restarting", "deferred", "up_for_retry", "up_for_reschedule"),
)  # fmt: skip
SCHEDULED: Final = "scheduled"  # the type of a run that the schedule made

RUNS_AT_ONCE_MAX: Final = 500
INSTANCES_MAX: Final = 10_000  # of a run; how many more it had is kept
DAGS_MAX: Final = 10_000  # of a team, as what follows
RUNS_MAX: Final = 200_000
BYTES_MAX: Final = 512 * 1024 * 1024  # of task instances
SKEW: Final = timedelta(days=1)  # by which clocks may differ: what ends later would be kept forever


def flaw_of_dates(
    dates: Iterable[datetime | None], ended_at: datetime, now: datetime
) -> str | None:
    """Return what is wrong with the dates of a run or its task instances."""
    if any(at is not None and not FIRST <= at <= LAST for at in (*dates, ended_at)):
        return f"has a date before {FIRST:%Y} or after {LAST:%Y}"
    return "ends in the future" if ended_at > now + SKEW else None


def flaw_of_totals(dags: int, runs: int, size: int) -> str | None:
    """Return the limit that a team would be over with these."""
    if dags > DAGS_MAX:
        return f"{DAGS_MAX:,} DAGs"
    if runs > RUNS_MAX:
        return f"{RUNS_MAX:,} runs"
    return f"{BYTES_MAX // 1024**2:,} MB of task instances" if size > BYTES_MAX else None
