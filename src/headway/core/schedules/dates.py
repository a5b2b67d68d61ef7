"""Dates that are written down: by hand, or by a timetable whose code the scheduler never runs (ADR 75).

In a spec each is a text: the fire alone, ``start/fire`` or ``start/end/fire`` with the start and the end of its data
interval. One without an offset is on the wall clock of the schedule's zone.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar, Final, NamedTuple

from headway.core.cron import instant
from headway.core.reasons import NoDatesLeft, Reason
from headway.core.schedules.base import FIRST, LAST, BadSchedule, Schedule
from headway.core.words import counted

DATES_MAX: Final = 4_000
SAID_MAX: Final = 1_000  # of which the first and the last are said: more are not read for that
WORDS_MAX: Final = 200
CHARS_MAX: Final = 64  # of a date: the digits of a second have no end
FLAGS: Final = ("skips_past", "bounded")
SECOND: Final = timedelta(seconds=1)  # a run is known by the second of its fire
FIELDS: Final = frozenset({"fires", "words", "renew_at", "skips_past", "bounded"})


class Date(NamedTuple):
    """A fire, and the data interval of its run."""

    fire: datetime
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Dates(Schedule):
    """A fire at each of some dates."""

    dates: tuple[Date, ...]
    zone: str = "UTC"
    said: str = ""
    renew_at: datetime | None = None
    skips_past: bool = False
    bounded: bool = False

    word: ClassVar[str] = "dates"
    schema: ClassVar[Mapping[str, object]] = {
        "description": (
            "The dates (`fires`): each the time of a run, or `start/fire`, or `start/end/fire` with its data interval. "
            "`words`: what they are, for people. `renew_at`: from when on the file is read again for later ones. "
            "`bounded`: they lie within the DAG's start and end already."
        ),
        "type": "object",
        "required": ["fires"],
        "properties": {
            "fires": {"type": "array", "items": {"type": "string"}, "maxItems": DATES_MAX},
            "words": {"type": "string", "maxLength": WORDS_MAX},
            "renew_at": {"type": "string", "format": "date-time"},
            "skips_past": {"type": "boolean"},
            "bounded": {"type": "boolean"},
        },
        "additionalProperties": False,
    }
    form: ClassVar[str] = "Dates"
    over: ClassVar[Reason] = NoDatesLeft()

    @classmethod
    def keep(cls, given: object) -> Any:
        kept = getattr(given, "dates_schedule", None)
        return None if isinstance(given, type) or not callable(kept) else kept()

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "Dates":
        if not isinstance(value, Mapping) or "fires" not in value or set(value) - FIELDS:
            raise BadSchedule(f"dates have {', '.join(sorted(FIELDS))}, not {value!a:.60}")
        fires, renew_at = value["fires"], value.get("renew_at")
        if not isinstance(fires, list | tuple) or not all(isinstance(each, str) for each in fires):
            raise BadSchedule(f"fires are a list of dates, not {fires!a:.60}")
        if len(fires) > DATES_MAX:
            raise BadSchedule(f"there are {len(fires):,} dates; the limit is {DATES_MAX:,}")
        said, flags = value.get("words", ""), [value.get(flag, False) for flag in FLAGS]
        if not isinstance(said, str) or len(said) > WORDS_MAX or not said.isprintable():
            raise BadSchedule(f"words are a line of at most {WORDS_MAX} printable characters")
        if not all(isinstance(flag, bool) for flag in flags):
            raise BadSchedule(f"{' and '.join(FLAGS)} are true or false, not {flags!a:.40}")
        until = None if renew_at is None else moment(renew_at, "UTC")
        return cls(dated(tuple(fires), zone), zone, said, until, *flags)

    def following(self, after: datetime) -> datetime | None:
        place = bisect_right(self.dates, after, key=fire_of)
        return self.dates[place].fire if place < len(self.dates) else None

    def preceding(self, before: datetime) -> datetime | None:
        place = bisect_left(self.dates, before, key=fire_of)
        return self.dates[place - 1].fire if place else None

    def data_interval(self, fire: datetime) -> tuple[datetime, datetime]:
        """Return the interval of the date; at any other time that of the last date before. Before all of them it has no
        width.
        """
        place = bisect_right(self.dates, fire, key=fire_of)
        return (self.dates[place - 1].start, self.dates[place - 1].end) if place else (fire, fire)

    def begun_at(self, start: datetime) -> datetime | None:
        return next((date.fire for date in self.dates if date.start == start), None)

    def words(self) -> str:
        if self.said:
            return self.said
        if not self.dates:
            return "on no dates"
        if len(self.dates) == 1:
            return f"on {self.dates[0].fire:%Y-%m-%d %H:%M} UTC"
        first, last = self.dates[0].fire, self.dates[-1].fire
        return f"on {counted(len(self.dates), 'date')}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def fire_of(date: Date) -> datetime:
    return date.fire


def text_of(fire: datetime, start: datetime, end: datetime) -> str:
    """Return a date as a spec keeps it."""
    given = (start, fire) if end == fire else (start, end, fire)
    return "/".join(each.astimezone(UTC).isoformat().replace("+00:00", "Z") for each in given)


@lru_cache(maxsize=20)
def dated(fires: tuple[str, ...], zone: str) -> tuple[Date, ...]:
    """Read the dates of a spec, in any order. Raises BadSchedule."""
    found: dict[datetime, tuple[datetime, ...]] = {}
    for text in fires:
        *interval, fire = (moment(each, zone) for each in text.split("/"))
        if len(interval) > 2 or list(interval) != sorted(interval):
            raise BadSchedule(
                f"a date is a time, start/time or start/end/time, with the start first, not {text!a:.80}"
            )
        found[fire] = tuple(interval)
    ordered = sorted(found)
    for before, after in pairwise(ordered):
        if after - before < SECOND:
            raise BadSchedule(f"two dates are less than a second apart: {before} and {after}")
    dates = []
    for place, fire in enumerate(ordered):
        start, *end = found[fire] or (ordered[max(0, place - 1)],)
        dates.append(Date(fire, start, end[0] if end else fire))
    return tuple(dates)


def moment(text: object, zone: str) -> datetime:
    """Raises BadSchedule if it is not a date that the calendar has."""
    try:
        short = text if isinstance(text, str) and len(text) <= CHARS_MAX else ""
        found = datetime.fromisoformat(short)
        aware = found and (found.astimezone(UTC) if found.tzinfo else instant(found, zone))
    except (ValueError, OverflowError):
        aware = None
    if aware is None or not FIRST <= aware <= LAST:
        raise BadSchedule(
            f"{text!a:.40} is not a date between {FIRST.year} and {LAST.year}, such as 2026-12-24T05:00"
        )
    return aware
