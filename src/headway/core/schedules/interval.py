"""Real time, counted from an anchor in both directions: no zone, no daylight saving."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from headway.core.schedules.base import FIRST, BadSchedule, Schedule

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_MIN: Final = 1.0
DAYS_MAX: Final = 36_500
UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Every(Schedule):
    """A fire at the anchor and at every whole number of intervals from it."""

    interval: timedelta
    anchor: datetime = EPOCH

    word: ClassVar[str] = "interval_s"
    schema: ClassVar[Mapping[str, object]] = {"type": "number", "minimum": SECONDS_MIN}
    form: ClassVar[str] = "a timedelta"

    @classmethod
    def keep(cls, given: object) -> float | None:
        return given.total_seconds() if isinstance(given, timedelta) else None

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "Every":
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise BadSchedule(f"an interval is a number of seconds, not {value!a:.40}")
        if not value >= SECONDS_MIN:  # nor is NaN
            raise BadSchedule("the interval is too short: at least 1 second")
        if value > DAYS_MAX * 86_400:
            raise BadSchedule(f"the interval is too long: at most {DAYS_MAX} days")
        if anchor is None:
            raise BadSchedule("an interval schedule needs a start_date to count from")
        assert anchor.utcoffset() is not None, "a time without a zone"
        return cls(timedelta(seconds=value), max(anchor, FIRST).astimezone(UTC))

    def following(self, after: datetime) -> datetime:
        return self.anchor + ((after - self.anchor) // self.interval + 1) * self.interval

    def preceding(self, before: datetime) -> datetime:
        return self.anchor - ((self.anchor - before) // self.interval + 1) * self.interval

    def words(self) -> str:
        seconds = self.interval.total_seconds()
        for size, name in UNITS:
            if seconds % size == 0:
                count = int(seconds // size)
                return f"every {name}" if count == 1 else f"every {count} {name}s"
        return f"every {seconds} seconds"
