"""The dates and the kind of a run, as Airflow has them."""

from datetime import UTC, datetime
from typing import Any, Final

from headway.authoring.run import Run
from headway.core.triggers import Trigger
from headway.frontends.airflow.schedules import has_data_interval, is_asked
from headway.frontends.airflow.timetables import instance

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
    timetable: Any, fire: datetime, stored: tuple[datetime, datetime], trigger: str
) -> tuple[datetime, datetime]:
    """Return the data interval as Airflow has it: without width for timetables that only name moments."""
    if is_asked(timetable) and run_type(trigger) == "manual":
        return inferred(timetable, fire) or stored
    return stored if has_data_interval(timetable) else (fire, fire)


def inferred(timetable: Any, run_after: datetime) -> tuple[datetime, datetime] | None:
    """Return the data interval that a timetable gives a manual run; None: it gives none."""
    from airflow.serialization.encoders import coerce_to_core_timetable

    core = coerce_to_core_timetable(timetable)
    try:
        start, end = core.infer_manual_data_interval(run_after=instance(run_after))
    except NotImplementedError:
        return None
    return moment(start), moment(end)
