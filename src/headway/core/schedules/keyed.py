"""Schedules whose runs have a partition: the fire, or the one before, as a key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from headway.core.partitions import BadMapping, Period, keys
from headway.core.schedules.base import TICK, BadSchedule, Schedule

WORD: Final = "partition_key"
OFFSET_MAX: Final = 100  # fires
SCHEMA: Final = {
    "description": "The runs of a cron or interval have a partition: the fire `offset` fires away, in a `format`.",
    "type": "object",
    "properties": {
        "format": {"type": ["string", "null"]},
        "offset": {"type": "integer", "minimum": -OFFSET_MAX, "maximum": OFFSET_MAX},
    },
    "additionalProperties": False,
}
SIZES: Final = (
    (timedelta(days=365), Period.YEAR),
    (timedelta(days=28), Period.MONTH),
    (timedelta(hours=23), Period.DAY),
    (timedelta(minutes=59), Period.HOUR),
)


@dataclass(frozen=True, slots=True)
class Keyed(Schedule):
    """Another schedule, with a partition for each of its fires."""

    schedule: Schedule
    offset: int
    format: str | None

    word: ClassVar[str] = WORD
    schema: ClassVar[Mapping[str, object]] = SCHEMA
    form: ClassVar[str] = "PartitionedCron"

    @classmethod
    def keep(cls, given: object) -> object | None:
        raise AssertionError("it is a part of other schedules")

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "Keyed":
        raise AssertionError("it is a part of other schedules")

    @classmethod
    def around(cls, schedule: Schedule, value: object) -> "Keyed":
        """Return a schedule with the partitions that a spec says. Raises BadSchedule."""
        if not schedule.recurs:
            raise BadSchedule(f"{WORD} belongs to a cron or an interval")
        if not isinstance(value, Mapping) or set(value) - {"format", "offset"}:
            raise BadSchedule(f"{WORD} has a format and an offset, not {value!a:.60}")
        offset, form = value.get("offset", 0), value.get("format")
        if not isinstance(offset, int) or isinstance(offset, bool) or abs(offset) > OFFSET_MAX:
            raise BadSchedule(f"an offset is a number of fires from -{OFFSET_MAX} to {OFFSET_MAX}")
        try:
            if form is not None:
                keys.pattern(form)
        except BadMapping as error:
            raise BadSchedule(str(error)) from None
        return cls(schedule, offset, form)

    def following(self, after: datetime) -> datetime | None:
        return self.schedule.following(after)

    def preceding(self, before: datetime) -> datetime | None:
        return self.schedule.preceding(before)

    def words(self) -> str:
        return f"{self.schedule.words()}, by partition"

    @property
    def zone(self) -> str:
        return self.schedule.zone

    def partition_of(self, fire: datetime) -> str | None:
        """Return the partition of the run of a fire; None: that is not a fire, or the calendar ends before."""
        found = self.next_after(fire - TICK)
        if found != fire:
            return None
        for _ in range(abs(self.offset)):
            if found is not None:
                found = self.next_after(found) if self.offset > 0 else self.previous_before(found)
        if found is None:
            return None
        return keys.key_of(found, self.period(found), self.format, self.zone)

    def period(self, fire: datetime) -> Period:
        """Return the size of keys: from this fire to the next one."""
        after = self.next_after(fire)
        size = timedelta(0) if after is None else after - fire
        return next((period for least, period in SIZES if size >= least), Period.MINUTE)
