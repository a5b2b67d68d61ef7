"""Timetables of Airflow as schedules of ours: by what they say, or else by the dates that they answer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from headway.core import schedules
from headway.core.schedules import DATES_MAX, OR_ASSETS, BadSchedule, Continuous, Dates, OnAssets
from headway.core.words import counted, listed
from headway.core.zones import UnknownZone, check_zone
from headway.frontends.airflow import assets, partitions, timetables
from headway.frontends.airflow.timetables import Bounds

NO_URIS: Final[Mapping[str, str]] = MappingProxyType({})
OWN: Final = ("airflow.timetables.", "airflow.sdk.definitions.timetables.")
LISTS: Final = ("EventsTimetable", "MultipleCronTriggerTimetable")
CRONS: Final = ("CronDataIntervalTimetable", "CronTriggerTimetable")
DELTAS: Final = ("DeltaDataIntervalTimetable", "DeltaTriggerTimetable")
WITH_INTERVALS: Final = (
    "CronDataIntervalTimetable",
    "DeltaDataIntervalTimetable",
    "ContinuousTimetable",
)
TRIGGERS: Final = ("CronTriggerTimetable", "DeltaTriggerTimetable")
DATES_OF_FILE: Final = 100_000  # in all DAGs of a file
FIELDS: Final = 5  # of a cron expression here; one of Airflow may have seconds
UNITS: Final = ("years", "months", "days", "hours", "minutes", "seconds", "microseconds")
OWN_CONDITION: Final = "its schedule is a condition of its own on assets"


class Read(NamedTuple):
    """``schedule`` as a spec keeps it; ``unknown``: why runs are only triggered; ``differs``: what else is left out."""

    schedule: dict[str, Any] | None
    unknown: str = ""
    differs: str = ""


class Place(NamedTuple):
    """A DAG as its timetable is told of it, and where it is."""

    bounds: Bounds
    zone: str
    file: str
    line: int
    most: int = DATES_MAX


def read(
    dag: Any, file: str, line: int, uris: Mapping[str, str] = NO_URIS, most: int = DATES_MAX
) -> Read:
    """Return the schedule of a DAG. ``uris``: the names of its assets by URI, for references; ``most``: so many dates
    as a rule.

    Raises BadSpec, and whatever a timetable of the file's own raises.
    """
    bounds = Bounds(in_utc(start_of(dag)), in_utc(dag.end_date), bool(dag.catchup))
    return of(dag.timetable, Place(bounds, zone_of(dag.timezone), file, line, most), uris)


def share(dags: Sequence[Any]) -> int:
    """Return how many dates each of the DAGs of a file may have, so that a file of very many can be handed over."""
    count = sum(is_asked(getattr(dag.timetable, "timetable", dag.timetable)) for dag in dags)
    return DATES_OF_FILE // max(1, count)


def of(timetable: Any, place: Place, uris: Mapping[str, str]) -> Read:
    if is_asked(timetable):
        return asked(timetable, place)
    match kind_of(timetable):
        case "NullTimetable" | "PartitionedAtRuntime":  # its tasks name the partitions
            return Read(None)
        case "OnceTimetable":
            return Read({"once": True})
        case "CronDataIntervalTimetable" | "CronTriggerTimetable":
            return cron(timetable)
        case "DeltaDataIntervalTimetable" | "DeltaTriggerTimetable":
            return Read({"interval_s": part(timetable, "delta").total_seconds()})
        case "ContinuousTimetable":
            return Read({Continuous.word: True})
        case "AssetTriggeredTimetable":
            condition = assets.condition(timetable.asset_condition, uris)
            return Read({OnAssets.word: condition}) if condition else Read(None, OWN_CONDITION)
        case "PartitionedAssetTimetable":
            return on_partitions(timetable, uris)
        case "CronPartitionTimetable":
            timed = cron(timetable)
            kept = timed.schedule
            return timed if kept is None else Read(partitions.keyed(kept, timetable))
        case "AssetOrTimeSchedule":
            return times_or_assets(timetable, place, uris)
        case "" if not timetable.can_be_scheduled:
            return Read(None)
        case "":
            return Read(None, f"its timetable {type(timetable).__name__} makes partitions")
    return Read(None, f"its timetable {type(timetable).__name__} is not known")


def kind_of(timetable: Any) -> str:
    """Return the name of its class; nothing for a class of another author, such as those of Airflow's examples."""
    kind = type(timetable)
    return kind.__name__ if kind.__module__.startswith(OWN) else ""


# -- those that are asked for their dates


def is_asked(timetable: Any) -> bool:
    """Return whether its dates and data intervals are those that it answers."""
    kind = kind_of(timetable)
    if not kind:
        return bool(timetable.can_be_scheduled and not getattr(timetable, "partitioned", False))
    if kind in CRONS and not is_plain(timetable):
        return True
    if kind in DELTAS and not isinstance(part(timetable, "delta"), timedelta):
        return True
    return kind in LISTS or (kind in TRIGGERS and bool(part(timetable, "interval")))


def asked(timetable: Any, place: Place) -> Read:
    found = timetables.ask(
        timetable, place.bounds, words(timetable), place.most, file=place.file, line=place.line
    )
    zone = shown_zone(timetable) or place.zone
    kept: dict[str, Any] = {Dates.word: found.kept}
    name, differs = type(timetable).__name__, ""
    if not found.kept["fires"]:
        why = "" if place.bounds.start else ", because the DAG has no start_date"
        differs = f"its timetable {name} gives no dates{why}"
    elif found.since is not None:
        differs = (
            f"the dates of its timetable {name} before {found.since:%Y-%m-%d %H:%M} UTC are left out, "
            "because there are too many"
        )
    return Read(kept if zone == "UTC" else {**kept, "timezone": zone}, differs=differs)


def shown_zone(timetable: Any) -> str:
    """Return the zone on whose clock it fires; nothing if it does not say, or says it in a way of its own."""
    zone = part(timetable, "timezone")
    try:
        check_zone(name := zone_of(zone))
    except UnknownZone:
        return ""
    return "" if zone is None else name


def words(timetable: Any) -> str:
    """Say when it fires, in the words of the timetable if it has any."""
    kind = kind_of(timetable)
    if kind in DELTAS:
        delta = part(timetable, "delta")
        if isinstance(delta, timedelta):
            return schedules.in_words({"interval_s": delta.total_seconds()})
        return every(delta)
    if kind in CRONS:
        expression, zone = part(timetable, "expression"), part(timetable, "timezone")
        if is_plain(timetable):
            return schedules.in_words(schedules.keep(expression, zone_of(zone)))
        return f"{expression} {name_of(zone)}"
    name = type(timetable).__name__
    said = getattr(timetable, "description", "") or getattr(timetable, "summary", "")
    return str(said) if said and str(said) != name else f"by {name}"


def every(delta: Any) -> str:
    """Say a relativedelta."""
    parts = [(getattr(delta, unit), unit.removesuffix("s")) for unit in UNITS]
    told = [(count, unit) for count, unit in parts if count]
    plain = type(delta)(**{f"{unit}s": count for count, unit in told}) == delta
    if not plain or not told:
        return f"every {delta!r}"
    if len(told) == 1 and told[0][0] == 1:
        return f"every {told[0][1]}"
    return f"every {listed([counted(count, unit) for count, unit in told], len(told))}"


# -- those that say it


def cron(timetable: Any) -> Read:
    """Return a cron of ours, or why it is none."""
    kept = schedules.keep(part(timetable, "expression"), zone_of(part(timetable, "timezone")))
    try:
        schedules.read(kept, None)
    except BadSchedule as error:
        return Read(None, str(error))
    return Read(kept)


def is_plain(timetable: Any) -> bool:
    """Return whether a cron is one of ours: no seconds, and on the clock of a zone with a name."""
    expression = str(part(timetable, "expression"))
    return len(expression.split()) <= FIELDS and is_named(part(timetable, "timezone"))


def times_or_assets(timetable: Any, place: Place, uris: Mapping[str, str]) -> Read:
    """Return a schedule in time with the assets; where one of the two is not known, the other alone."""
    inner = timetable.timetable
    is_once = kind_of(inner) == "OnceTimetable" and place.bounds.start is not None
    timed = asked(inner, place) if is_once else of(inner, place, uris)
    condition = assets.condition(timetable.asset_condition, uris)
    if condition is None:
        return timed._replace(differs=f"{OWN_CONDITION}, so only times start runs")
    kept = timed.schedule
    try:
        schedules.read(
            {**(kept or {}), OR_ASSETS: condition}, place.bounds.start or schedules.FIRST
        )
    except BadSchedule:
        why = f"{timed.unknown}, so only assets start runs" if timed.unknown else ""
        if kept is not None:
            why = "its schedule in time cannot stand beside assets, so only assets start runs"
        return Read({OnAssets.word: condition}, differs=why)
    return timed._replace(schedule={**(kept or {}), OR_ASSETS: condition})


def on_partitions(timetable: Any, uris: Mapping[str, str]) -> Read:
    try:
        return Read(partitions.schedule(timetable, uris))
    except partitions.Unknown as error:
        return Read(None, str(error))


# -- parts of timetables


def part(timetable: Any, name: str) -> Any:
    """Return a field of a timetable: of the Task SDK, or of Airflow's core, which has it under another name."""
    return getattr(timetable, name, None) or getattr(timetable, f"_{name}", None)


def name_of(zone: Any) -> str:
    if isinstance(zone, str):
        return zone
    return str(getattr(zone, "key", None) or getattr(zone, "name", None) or "")


def is_named(zone: Any) -> bool:
    """Return whether a zone has an IANA name, or is UTC. A fixed offset has none."""
    name = name_of(zone)
    if name and not name.startswith(("+", "-")):
        return True
    return not (isinstance(zone, tzinfo) and zone.utcoffset(None))


def zone_of(zone: Any) -> str:
    """Return the IANA name of a zone; UTC if it has none."""
    name = name_of(zone)
    return name if name and not name.startswith(("+", "-")) else "UTC"


def has_data_interval(timetable: Any) -> bool:
    """Return whether a scheduled run's logical date is the start of its data interval, as its schedule keeps it."""
    if kind_of(timetable) == "AssetOrTimeSchedule":
        return has_data_interval(timetable.timetable)
    return kind_of(timetable) in WITH_INTERVALS or is_asked(timetable)


# -- dates of a DAG


def start_of(dag: Any) -> datetime | None:
    """Return the start date of the DAG; without one, the earliest of its tasks, as in Airflow."""
    dates = [task.start_date for task in dag.tasks if task.start_date is not None]
    return dag.start_date or min(dates, default=None)


def in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(aware.timestamp(), UTC)
