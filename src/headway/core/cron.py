"""Cron expressions on the wall clock of a zone, and the instants they mean.

cronsim reads the fields and matches days; the walk over days and what daylight saving does to a
wall time are decided here, the same way forwards and backwards.
Daily reading (the schedule leaves out some hours): each wall time is one instant. One inside a gap
is the end of the gap, one that comes twice is the first of the two.
Hourly reading (it fires in every hour): each wall time is as many instants as it has: 0, 1 or 2.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim
from cronsim import CronSimError as CronSimError

YEARS: Final = range(1899, 2202)  # a day more than any fire needs, at both ends
MIDNIGHT: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (a wall time)

ZERO: Final = timedelta()
SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fields:
    """A cron expression, read: its days, and its times of day in minutes since midnight."""

    expression: str
    days: CronSim
    minutes: tuple[int, ...]
    hourly: bool


@lru_cache(maxsize=10_000)
def fields(expression: str) -> Fields:
    """Parse an expression. Raises CronSimError if it is invalid.

    ``hours``, ``minutes``, ``months`` and ``match_day`` are not in the documentation of cronsim: a test
    pins them.
    """
    sim = CronSim(expression, MIDNIGHT)
    minutes = tuple(
        60 * hour + minute for hour in sorted(sim.hours) for minute in sorted(sim.minutes)
    )
    return Fields(expression, days=sim, minutes=minutes, hourly=len(sim.hours) == 24)


def next_after(expression: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first instant strictly later than ``after``.

    In a fold the walk begins early enough to see the wall times that will come a second time. The
    first wall time whose every instant is later ends it: all that follow are later still.
    """
    cron = fields(expression)
    wall, fold = local(zone, after)
    found: list[datetime] = []
    for later_wall in walls_after(cron, wall - fold):
        instants = meaning(cron, zone, later_wall)
        found += [instant for instant in instants if instant > after]
        if instants and instants[0] > after:
            break
    return min(found, default=None)


def previous_before(expression: str, zone: ZoneInfo, before: datetime) -> datetime | None:
    """The last instant strictly earlier than ``before``: ``next_after`` in the mirror."""
    cron = fields(expression)
    wall, fold = local(zone, before)
    found: list[datetime] = []
    for earlier_wall in walls_before(cron, wall + fold):
        instants = meaning(cron, zone, earlier_wall)
        found += [instant for instant in instants if instant < before]
        if instants and instants[-1] < before:
            break
    return max(found, default=None)


def walls_after(cron: Fields, start: datetime) -> Iterator[datetime]:
    """The wall times later than ``start``, forwards."""
    begin = bisect_right(cron.minutes, (start - midnight(start.date())) // MINUTE)
    for day in days(cron, start.date(), 1):
        first = begin if day == start.date() else 0
        for minute in cron.minutes[first:]:
            yield midnight(day) + minute * MINUTE


def walls_before(cron: Fields, start: datetime) -> Iterator[datetime]:
    """The wall times earlier than ``start``, backwards."""
    end = bisect_left(cron.minutes, -((midnight(start.date()) - start) // MINUTE))
    for day in days(cron, start.date(), -1):
        last = end if day == start.date() else len(cron.minutes)
        for minute in reversed(cron.minutes[:last]):
            yield midnight(day) + minute * MINUTE


def days(cron: Fields, start: date, step: int) -> Iterator[date]:
    """The matching days from ``start`` on, month by month."""
    month = start.replace(day=1)
    while month.year in YEARS:
        if month.month in cron.days.months:
            for day in days_of_month(cron.expression, month.year, month.month)[::step]:
                if (day >= start) if step > 0 else (day <= start):
                    yield day
        month = (month + 31 * DAY if step > 0 else month - DAY).replace(day=1)


@lru_cache(maxsize=50_000)
def days_of_month(expression: str, year: int, month: int) -> tuple[date, ...]:
    _, length = monthrange(year, month)
    every = (date(year, month, day) for day in range(1, length + 1))
    return tuple(day for day in every if fields(expression).days.match_day(day))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def local(zone: ZoneInfo, instant: datetime) -> tuple[datetime, timedelta]:
    """The wall time, and by how much the clock goes back if that wall time comes twice."""
    here = instant.astimezone(zone)
    early, late = offsets(zone, here)
    return here.replace(tzinfo=None), max(early - late, ZERO)


def offsets(zone: ZoneInfo, wall: datetime) -> tuple[timedelta, timedelta]:
    """The zone's offset before and after the change that makes ``wall`` special; mostly equal."""
    early = wall.replace(tzinfo=zone, fold=0).utcoffset()
    late = wall.replace(tzinfo=zone, fold=1).utcoffset()
    assert early is not None
    assert late is not None
    return early, late


def meaning(cron: Fields, zone: ZoneInfo, wall: datetime) -> tuple[datetime, ...]:
    """The instants of one wall time, in order."""
    early, late = offsets(zone, wall)
    first = (wall - early).replace(tzinfo=UTC)
    if early == late:
        return (first,)
    second = (wall - late).replace(tzinfo=UTC)
    if first < second:
        return (first, second) if cron.hourly else (first,)
    # A gap. One of a day or more is a day that the zone left out: nobody's day lacks a run.
    if cron.hourly or late - early >= DAY:
        return ()
    return (gap_end(zone, second, first),)


def gap_end(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant at which the offset changes: after ``low``, at or before ``high``."""
    before = low.astimezone(zone).utcoffset()
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def instant(wall: datetime, zone: str) -> datetime:
    """Return the UTC time at which the clock of ``zone`` shows ``wall``: of a gap its end, of a fold the first."""
    clock = ZoneInfo(zone)
    early, late = offsets(clock, wall)
    first = (wall - early).replace(tzinfo=UTC)
    if early >= late:
        return first
    return gap_end(clock, (wall - late).replace(tzinfo=UTC), first)
