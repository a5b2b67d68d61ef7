"""Timetables of Airflow as schedules of ours."""

from datetime import timedelta
from typing import Any, NamedTuple

from headway.core import schedules
from headway.core.schedules import BadSchedule


class Read(NamedTuple):
    """``schedule`` as a spec keeps it; ``unknown``: why there is none although the DAG has one."""

    schedule: dict[str, Any] | None
    unknown: str = ""


def read(timetable: Any) -> Read:
    kind = type(timetable).__name__
    if not type(timetable).__module__.startswith("airflow."):
        return Read(None, f"its timetable {kind} is one of its own")
    match kind:
        case "NullTimetable":
            return Read(None)
        case "OnceTimetable":
            return Read({"once": True})
        case "CronDataIntervalTimetable" | "CronTriggerTimetable":
            return cron(timetable.expression, zone_of(timetable.timezone))
        case "DeltaDataIntervalTimetable" | "DeltaTriggerTimetable":
            if isinstance(timetable.delta, timedelta):
                return Read({"interval_s": timetable.delta.total_seconds()})
            return Read(None, "its schedule is a relativedelta")
        case "ContinuousTimetable":
            return Read(None, "its schedule is @continuous")
    if "Asset" in kind:
        return Read(None, "its schedule is assets")
    return Read(None, f"its timetable is {kind}")


def cron(expression: str, zone: str) -> Read:
    kept = schedules.keep(expression, zone)
    try:
        schedules.read(kept, None)
    except BadSchedule as error:
        return Read(None, str(error))
    return Read(kept)


def zone_of(zone: Any) -> str:
    """Return the IANA name of a zone; a fixed offset has none."""
    name = (
        zone if isinstance(zone, str) else getattr(zone, "key", None) or getattr(zone, "name", None)
    )
    return str(name) if name and not str(name).startswith(("+", "-")) else "UTC"


def has_data_interval(timetable: Any) -> bool:
    """Return whether a scheduled run's logical date is the start of the interval that its fire ends."""
    return type(timetable).__name__ in ("CronDataIntervalTimetable", "DeltaDataIntervalTimetable")
