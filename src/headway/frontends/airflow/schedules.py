"""Timetables of Airflow as schedules of ours."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from headway.core import schedules
from headway.core.schedules import BadSchedule, OnAssets
from headway.frontends.airflow import assets, partitions

NO_URIS: Final[Mapping[str, str]] = MappingProxyType({})
BY_TIME: Final = "its schedule is times or assets"


class Read(NamedTuple):
    """``schedule`` as a spec keeps it; ``unknown``: the part of it that is left out."""

    schedule: dict[str, Any] | None
    unknown: str = ""


def read(timetable: Any, uris: Mapping[str, str] = NO_URIS) -> Read:
    """Return the schedule. ``uris``: the names of the DAG's assets by URI, for references."""
    kind = type(timetable).__name__
    if not type(timetable).__module__.startswith("airflow."):
        return Read(None, f"its timetable {kind} is one of its own")
    match kind:
        case "NullTimetable":
            return Read(None)
        case "OnceTimetable":
            return Read({"once": True})
        case "CronDataIntervalTimetable" | "CronTriggerTimetable":
            return cron(part(timetable, "expression"), zone_of(part(timetable, "timezone")))
        case "DeltaDataIntervalTimetable" | "DeltaTriggerTimetable":
            if isinstance(delta := part(timetable, "delta"), timedelta):
                return Read({"interval_s": delta.total_seconds()})
            return Read(None, "its schedule is a relativedelta")
        case "ContinuousTimetable":
            return Read(None, "its schedule is @continuous")
        case "AssetTriggeredTimetable":
            condition = assets.condition(timetable.asset_condition, uris)
            if condition is None:
                return Read(None, "its schedule is a condition of its own on assets")
            return Read({OnAssets.word: condition})
        case "PartitionedAssetTimetable":
            return on_partitions(timetable, uris)
        case "CronPartitionTimetable":
            timed = cron(part(timetable, "expression"), zone_of(part(timetable, "timezone")))
            return (
                timed
                if timed.schedule is None
                else Read(partitions.keyed(timed.schedule, timetable))
            )
        case "PartitionedAtRuntime":
            return Read(None)  # it is triggered; its tasks name the partitions
        case "AssetOrTimeSchedule":
            timed = read(timetable.timetable)
            return timed if timed.unknown else Read(timed.schedule, BY_TIME)
    return Read(None, f"its timetable is {kind}")


def on_partitions(timetable: Any, uris: Mapping[str, str]) -> Read:
    try:
        return Read(partitions.schedule(timetable, uris))
    except partitions.Unknown as error:
        return Read(None, str(error))


def part(timetable: Any, name: str) -> Any:
    """Return a field of a timetable: of the Task SDK, or of Airflow's core, which has it under another name."""
    return getattr(timetable, name, None) or getattr(timetable, f"_{name}", None)


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
