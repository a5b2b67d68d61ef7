"""Partition mappers and partitioned timetables of Airflow, as what our specs keep.

Airflow's days have 24 hours whatever the clock does; ours have as many as pass.
"""

from collections.abc import Mapping
from typing import Any, Final

from headway.core import schedules
from headway.core.partitions import BadMapping
from headway.core.partitions import read as read_mapper
from headway.core.partitions.keys import FORMATS
from headway.core.partitions.periods import Period
from headway.core.schedules import BadSchedule, OnPartitions
from headway.core.schedules.keyed import WORD
from headway.frontends.airflow import assets

PERIODS: Final = {f"StartOf{period.value.capitalize()}Mapper": period for period in Period}
WINDOWS: Final = {f"{period.value.capitalize()}Window": period for period in Period}
INPUT_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"  # unless it is given: ours reads that, too
KEYS_MAX: Final = 1_000

Data = dict[str, Any]


class Unknown(Exception):
    """A part of a timetable that no spec can keep. The message names it."""


def schedule(timetable: Any, uris: Mapping[str, str]) -> Data:
    """Return the schedule of a PartitionedAssetTimetable. ``uris``: names of assets by URI. Raises Unknown."""
    condition = assets.condition(timetable.asset_condition, uris)
    if condition is None:
        raise Unknown("its schedule is a condition of its own on assets")
    kept: Data = {"on": condition, "mapper": mapper(timetable.default_partition_mapper)}
    given = {}
    for asset, found in (timetable.partition_mapper_config or {}).items():
        given[assets.name_of(asset, uris)] = mapper(found)
    if given:
        kept["mappers"] = given
    made: Data = {OnPartitions.word: kept}
    try:
        schedules.read(made, None)
    except BadSchedule as error:
        raise Unknown(str(error)) from None
    return made


def keyed(timed: Data, timetable: Any) -> Data:
    """Add the partitions of a CronPartitionTimetable to its cron."""
    offset = getattr(timetable, "run_offset", None) or getattr(timetable, "_run_offset", None) or 0
    form = getattr(timetable, "key_format", None) or timetable._key_format
    return {**timed, WORD: {"format": str(form), "offset": int(offset)}}


def mapper(found: Any) -> Data:
    """Return a mapper as a spec keeps it. Raises Unknown: it is one of the file's own."""
    kind = type(found).__name__
    if not is_airflows(found):
        raise Unknown(f"its partition mapper {kind} is one of its own")
    made = {"kind": "start_of"} if kind in PERIODS else {}
    made |= start_of(found, PERIODS[kind]) if made else combined(found, kind)
    try:
        read_mapper(made, "UTC")
    except BadMapping as error:
        raise Unknown(f"its partition mapper {kind}: {error}") from None
    return made


def combined(found: Any, kind: str) -> Data:
    match kind:
        case "IdentityMapper":
            return {"kind": "identity"}
        case "AllowedKeyMapper":
            return {"kind": "allowed", "keys": list(found.allowed_keys)}
        case "FixedKeyMapper":
            return {"kind": "fixed", "to": found.downstream_key}
        case "RollupMapper":
            upstream, least = mapper(found.upstream_mapper), getattr(found.wait_policy, "n", None)
            made = {"kind": "rollup", "upstream": upstream, "window": window(found.window)}
            return made if least is None else {**made, "at_least": least}
        case "FanOutMapper":
            upstream, downstream = mapper(found.upstream_mapper), mapper(found.downstream_mapper)
            most = min(found.max_downstream_keys or KEYS_MAX, KEYS_MAX)
            made = {"kind": "fan_out", "upstream": upstream, "window": window(found.window)}
            return {**made, "downstream": downstream, "at_most": most}
        case "ProductMapper":
            mappers = [mapper(each) for each in found.mappers]
            return {"kind": "product", "mappers": mappers, "delimiter": found.delimiter}
        case "ChainMapper":
            return {"kind": "chain", "mappers": [mapper(each) for each in found.mappers]}
    raise Unknown(f"its partition mapper {kind} is not known")


def start_of(found: Any, period: Period) -> Data:
    zone = getattr(found, "_timezone", "UTC")  # 3.2 knows no other
    name = (
        zone if isinstance(zone, str) else getattr(zone, "key", None) or getattr(zone, "name", None)
    )
    made: Data = {"period": period.value, "timezone": str(name or "UTC")}
    if found.input_format != INPUT_FORMAT:
        made["input_format"] = found.input_format
    if found.output_format not in (None, FORMATS[period]):
        made["output_format"] = found.output_format
    return made


def window(found: Any) -> Data:
    kind = type(found).__name__
    if not is_airflows(found):
        raise Unknown(f"its window {kind} is one of its own")
    if kind == "SegmentWindow":
        return {"segments": sorted(found._segments)}
    if kind not in WINDOWS:
        raise Unknown(f"its window {kind} is not known")
    direction = getattr(found, "direction", "forward")
    made = {"period": WINDOWS[kind].value}
    return (
        made
        if getattr(direction, "value", direction) == "forward"
        else {**made, "direction": "backward"}
    )


def is_airflows(found: Any) -> bool:
    return type(found).__module__.startswith("airflow.")
