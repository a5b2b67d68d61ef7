"""Schedules: what a DAG file gives, what a spec keeps of it as JSON, and when runs are due.

In a spec a schedule is an object with the word of its kind and what that kind keeps, and with the
zone on whose clock it is read, unless that is UTC: ``{"cron": "0 5 * * *", "timezone":
"Europe/Berlin"}``. Two words go with a schedule in time: the partitions of its runs, and assets whose events bring runs
beside it. A DAG without a schedule runs on demand.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from headway.core.schedules.base import FIRST, LAST, TICK, BadSchedule, Schedule
from headway.core.schedules.continuous import Continuous
from headway.core.schedules.cron import Cron
from headway.core.schedules.dates import DATES_MAX, SAID_MAX, Dates
from headway.core.schedules.interval import Every
from headway.core.schedules.keyed import SCHEMA as KEY_SCHEMA
from headway.core.schedules.keyed import WORD as PARTITION_KEY
from headway.core.schedules.keyed import Keyed
from headway.core.schedules.on_assets import OnAssets
from headway.core.schedules.on_demand import OnDemand
from headway.core.schedules.on_partitions import OnPartitions
from headway.core.schedules.once import Once
from headway.core.schedules.or_assets import SCHEMA as CONDITION_SCHEMA
from headway.core.schedules.or_assets import WORD as OR_ASSETS
from headway.core.schedules.or_assets import OrAssets
from headway.core.words import counted
from headway.core.zones import UnknownZone, check_zone

__all__ = (
    "DATES_MAX",
    "FIRST",
    "KINDS",
    "LAST",
    "OR_ASSETS",
    "TICK",
    "BadSchedule",
    "Continuous",
    "Cron",
    "Dates",
    "Every",
    "OnAssets",
    "OnDemand",
    "OnPartitions",
    "Once",
    "OrAssets",
    "Schedule",
    "brief",
    "dates_of",
    "forms",
    "in_words",
    "keep",
    "of_data",
    "read",
    "schema",
)

# In the order in which they are asked for what a DAG file gives: a text that no other takes is a cron.
KINDS: Final[tuple[type[Schedule], ...]] = (
    Every,
    Once,
    Continuous,
    Cron,
    Dates,
    OnAssets,
    OnPartitions,
)

ZONE: Final = "timezone"

# What a DAG file gives has a method that returns the schedule in time and the part, which has a word of its own.
PARTS: Final = (("partitioned_by_time", PARTITION_KEY), ("times_or_assets", OR_ASSETS))


def keep(given: object, zone: str) -> dict[str, Any] | None:
    """Return what a spec keeps of what a DAG file gives; ``read`` says whether it is any good.

    Raises:
        BadSchedule: no kind takes it.
    """
    if given is None:
        return None
    for hook, word in PARTS:
        if callable(timed := getattr(given, hook, None)) and not isinstance(given, type):
            inner, part = timed()
            return {**(keep(inner, zone) or {}), word: part}
    for kind in KINDS:
        value = kind.keep(given)
        if value is not None:
            return {kind.word: value} if zone == "UTC" else {kind.word: value, ZONE: zone}
    raise BadSchedule(f"a schedule is {forms()}, not {type(given).__name__}")


def read(kept: Mapping[str, Any] | None, anchor: datetime | None) -> Schedule:
    """Return the schedule of a spec; ``anchor`` (the DAG's start date) is what intervals count from.

    Raises:
        BadSchedule: it is not of one kind, or its kind cannot read it.
    """
    if kept is None:
        return OnDemand()
    words = {kind.word: kind for kind in KINDS}
    if unknown := [key for key in kept if key not in (*words, ZONE, PARTITION_KEY, OR_ASSETS)]:
        raise BadSchedule(f"a schedule has one of {', '.join(words)}, not {unknown[0]!a:.40}")
    named = [word for word in words if is_said(kept.get(word))]
    if len(named) != 1:
        raise BadSchedule(f"a schedule has one of {', '.join(words)}, and only one")
    zone = kept.get(ZONE, "UTC")
    try:
        check_zone(zone)
    except UnknownZone as error:
        raise BadSchedule(str(error)) from None
    schedule = words[named[0]].read(kept[named[0]], zone, anchor)
    if (key := kept.get(PARTITION_KEY)) is not None:
        schedule = Keyed.around(schedule, key)
    condition = kept.get(OR_ASSETS)
    return schedule if condition is None else OrAssets.around(schedule, condition)


def is_said(value: object) -> bool:
    return value is not None and value is not False


def of_data(kept: Mapping[str, Any] | None, anchor: datetime | None) -> Schedule:
    """Return the schedule of a spec without its dates, for those who ask about its assets and partitions.

    Thousands of dates take 10 ms to read. Raises BadSchedule as ``read`` does, but for its dates.
    """
    return read(undated(kept), anchor)


def undated(kept: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    dates = (kept or {}).get(Dates.word)
    fires = dates.get("fires") if isinstance(dates, Mapping) else None
    if kept is None or not isinstance(dates, Mapping) or not isinstance(fires, list | tuple):
        return kept
    if len(fires) > DATES_MAX:
        return kept  # which is refused
    words = dates.get("words") or f"on {counted(len(fires), 'date')}"
    return {**kept, Dates.word: {**dates, "fires": (), "words": words}}


def dates_of(kept: Mapping[str, Any] | None) -> int:
    """Return how many dates are read with the schedule of a spec."""
    return len(((kept or {}).get(Dates.word) or {}).get("fires", ()))


def in_words(kept: Mapping[str, Any] | None) -> str:
    """Say when the schedule of a spec fires. The spec may be of another version of Headway."""
    dates = (kept or {}).get(Dates.word)
    few = isinstance(dates, Mapping) and len(dates.get("fires") or ()) <= SAID_MAX
    try:
        return (read if few else of_data)(kept, FIRST).words()
    except BadSchedule:
        return "a schedule that this version of Headway does not know"


def brief(kept: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the schedule of a spec without its dates, of which there may be very many."""
    value = (kept or {}).get(Dates.word)
    if kept is None or not isinstance(value, Mapping):
        return kept
    return {**kept, Dates.word: {name: each for name, each in value.items() if name != "fires"}}


def forms() -> str:
    """Name what a DAG file may give."""
    return f"{', '.join(kind.form for kind in KINDS)} or None"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a schedule in a spec."""
    return {
        "title": "Schedule",
        "description": "When runs are due: of one kind. No schedule at all: only on demand.",
        "type": "object",
        "properties": {
            **{kind.word: dict(kind.schema) for kind in KINDS},
            ZONE: {"type": "string", "default": "UTC"},
            PARTITION_KEY: dict(KEY_SCHEMA),
            OR_ASSETS: dict(CONDITION_SCHEMA),
        },
        "additionalProperties": False,
        "oneOf": [{"required": [kind.word]} for kind in KINDS],
    }
