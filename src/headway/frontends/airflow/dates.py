"""The dates and the kind of a run, as Airflow has them."""

from datetime import UTC, datetime
from typing import Any, Final

from headway.authoring.run import Run
from headway.core.triggers import Trigger
from headway.frontends.airflow.schedules import has_data_interval, part

RUN_TYPES: Final = {
    Trigger.BACKFILL: "backfill",
    Trigger.SCHEDULE: "scheduled",
    Trigger.ASSET: "asset_triggered",
}


def moment(given: Any) -> datetime:
    """Return a plain datetime in UTC: of one in any class, or of a text of JSON."""
    found = datetime.fromisoformat(given) if isinstance(given, str) else given
    return datetime.fromtimestamp(found.timestamp(), UTC)


def run_type(trigger: str) -> str:
    return RUN_TYPES.get(Trigger(trigger), "manual")


def is_scheduled(run: Run) -> bool:
    return run.trigger in (Trigger.SCHEDULE, Trigger.BACKFILL)


def logical_date(dag: Any, run: Run) -> datetime:
    """Return the date by which Airflow knows the run."""
    by_start = has_data_interval(dag.timetable) and is_scheduled(run)
    return run.data_interval[0] if by_start else run.logical_date


def interval(
    timetable: Any, fire: datetime, stored: tuple[datetime, datetime]
) -> tuple[datetime, datetime]:
    """Return the data interval as Airflow has it: without width for timetables that only name moments."""
    if has_data_interval(timetable):
        return stored
    width = part(timetable, "interval")
    return (fire - width if width else fire), fire
