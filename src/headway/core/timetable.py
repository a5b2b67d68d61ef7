"""Schedules as data, and the times at which they fire (slots), in UTC.

A slot is the logical date of its run; the run's data interval reaches back to the slot before.
A cron schedule that leaves out some hours (daily at 02:30, say) fires once for each wall time it
names: at the end of the gap (03:00) when the spring gap swallows it, the first time when autumn
brings it twice. One of every hour follows the hours that pass: none in the gap, twice in the fold.
A day which a zone leaves out altogether (Apia, 2011-12-30) has no slots.
An interval is real time, counted from its anchor.
Slots are strictly increasing. There are none before 1900 or after 2200.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from headway.core import cron

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields, read on the wall clock of an IANA zone."""

    expression: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Every:
    """At the anchor and at every whole number of intervals from it."""

    interval: timedelta
    anchor: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class Once:
    """One run, at the start date of the DAG. ``due`` alone knows that date: no slots elsewhere."""


@dataclass(frozen=True, slots=True)
class OnDemand:
    """No slots: a run begins when somebody asks for it."""


Schedule = Cron | Every | Once | OnDemand


def next_after(schedule: Schedule, after: datetime) -> datetime | None:
    """The first slot strictly later than ``after``."""
    assert after.utcoffset() is not None, "a time without a zone"
    after = max(after, FIRST - TICK)
    if after >= LAST:
        return None
    match schedule:
        case Cron(expression, zone):
            slot = cron.next_after(expression, ZoneInfo(zone), after)
        case Every(interval, anchor):
            slot = anchor + ((after - anchor) // interval + 1) * interval
        case Once() | OnDemand():
            return None
    return slot if slot is not None and slot <= LAST else None


def previous_before(schedule: Schedule, before: datetime) -> datetime | None:
    """The last slot strictly earlier than ``before``."""
    assert before.utcoffset() is not None, "a time without a zone"
    before = min(before, LAST + TICK)
    if before <= FIRST:
        return None
    match schedule:
        case Cron(expression, zone):
            slot = cron.previous_before(expression, ZoneInfo(zone), before)
        case Every(interval, anchor):
            slot = anchor - ((anchor - before) // interval + 1) * interval
        case Once() | OnDemand():
            return None
    return slot if slot is not None and slot >= FIRST else None


def slots(schedule: Schedule, start: datetime, end: datetime) -> Iterator[datetime]:
    """The slots from ``start`` to ``end``, both included. How many to take is up to the caller."""
    slot = next_after(schedule, max(start, FIRST) - TICK)
    while slot is not None and slot <= end:
        yield slot
        slot = next_after(schedule, slot)


def interval(schedule: Schedule, logical_date: datetime) -> tuple[datetime, datetime]:
    """The data a run stands for: from the slot before up to, not including, its logical date.

    It is the same for a run on demand at any other time; without slots it has no width.
    """
    return previous_before(schedule, logical_date) or logical_date, logical_date


def due(
    schedule: Schedule,
    *,
    start_date: datetime,
    end_date: datetime | None,
    last: datetime | None,
    now: datetime,
    catchup: bool,
    limit: int,
) -> tuple[list[datetime], datetime | None]:
    """The logical dates to create runs for, oldest first, and when to look again (None: never).

    ``last`` is the latest slot that has a run. ``start_date`` is the DAG's own, or else when the
    DAG was first seen. With ``catchup`` every missed slot is due, at most ``limit`` in one answer:
    then the time to look again has passed already. Without it only the latest missed one is.
    """
    assert limit > 0, "nothing would ever be created"
    slot = upcoming(schedule, start_date, last)
    if not catchup and slot is not None and slot <= now:
        slot = previous_before(schedule, now + TICK) or slot
    found: list[datetime] = []
    while slot is not None and (end_date is None or slot <= end_date):
        if slot > now or len(found) == limit:
            return found, slot
        found.append(slot)
        slot = next_after(schedule, slot)
    return found, None


def upcoming(schedule: Schedule, start_date: datetime, last: datetime | None) -> datetime | None:
    """The first slot that has no run yet, in the past or in the future."""
    if isinstance(schedule, Once):
        return start_date if last is None else None
    begin = max(start_date, FIRST) - TICK
    return next_after(schedule, begin if last is None else max(last, begin))
