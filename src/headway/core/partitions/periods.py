"""Periods of time on the clock of a zone: where they begin, what they consist of.

Instants are in UTC. A day has 23 or 25 hours where the zone changes its clock, and a period that the zone leaves out
does not exist. An hour begins where the wall clock shows a full hour; one that comes twice in autumn is two hours.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo


class Period(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Span(NamedTuple):
    """A stretch of time from ``start`` up to, not including, ``end``."""

    start: datetime
    end: datetime


SIZES: Final = tuple(Period)  # the smaller first
STEPS: Final = {
    Period.MINUTE: timedelta(minutes=1),
    Period.HOUR: timedelta(minutes=15),
}  # zones change by quarters
MONTHS: Final = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}
YEARS: Final = range(1900, 2200)  # of keys, as of schedules


def start_of(moment: datetime, period: Period, zone: str) -> datetime:
    """Return the instant at which the period that contains ``moment`` begins."""
    local = moment.astimezone(ZoneInfo(zone))
    if period is Period.MINUTE:
        return local.replace(second=0, microsecond=0).astimezone(UTC)
    if period is Period.HOUR:
        return hour_of(local)
    return midnight(first_day(local.date(), period), zone)


def hour_of(local: datetime) -> datetime:
    """Return the start of an hour: the change, where the clock was changed within it."""
    moment = local.astimezone(UTC).replace(second=0, microsecond=0)
    full = moment - timedelta(minutes=local.minute)
    if full.astimezone(local.tzinfo).utcoffset() == local.utcoffset():
        return full
    while True:
        before = moment - timedelta(minutes=1)
        if before.astimezone(local.tzinfo).utcoffset() != local.utcoffset():
            return moment
        moment = before


def following(start: datetime, period: Period, zone: str) -> datetime:
    """Return the start of the next period. ``start``: of one."""
    if (step := STEPS.get(period)) is not None:
        moment = start + step
        while (found := start_of(moment, period, zone)) <= start:
            moment += step
        return found
    day = start.astimezone(ZoneInfo(zone)).date()
    found = midnight(moved(day, period, 1), zone)
    return found if found > start else midnight(moved(day, period, 2), zone)


def preceding(start: datetime, period: Period, zone: str) -> datetime:
    """Return the start of the period before. ``start``: of one."""
    return start_of(start - timedelta(microseconds=1), period, zone)


@lru_cache(maxsize=1024)
def parts(span: Span, period: Period, zone: str) -> tuple[datetime, ...]:
    """Return the starts of all periods that begin within a span."""
    return tuple(begins_within(span, period, zone))


def begins_within(span: Span, period: Period, zone: str) -> Iterator[datetime]:
    start = start_of(span.start, period, zone)
    if start < span.start:
        start = following(start, period, zone)
    while start < span.end:
        yield start
        start = following(start, period, zone)


def first_day(day: date, period: Period) -> date:
    if period is Period.DAY:
        return day
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    months = MONTHS[period]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def moved(day: date, period: Period, count: int) -> date:
    """Return the first day of a period so many periods later. ``day``: the first day of one."""
    if period not in MONTHS:
        return day + timedelta(days=count * (7 if period is Period.WEEK else 1))
    months = day.year * 12 + day.month - 1 + count * MONTHS[period]
    return date(months // 12, months % 12 + 1, 1)


def midnight(day: date, zone: str) -> datetime:
    """Return the first instant of a day. Of one that the zone leaves out: of the next."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
