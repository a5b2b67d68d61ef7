"""What a person writes as a date, as instants.

``2013-01-31`` is a whole day on the clock of the DAG's zone, from its first instant to its last. With
a time it is one instant: in the zone that it names, or else in the DAG's. A time that the clock skips
is the end of the gap, one that comes twice is the first of the two.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from headway.core.cron import gap_end, midnight, offsets
from headway.core.schedules import Schedule
from headway.errors import UsageError
from headway.spec.carried import DATES, flaw_of_date

DAY: Final = timedelta(days=1)
TICK: Final = timedelta(microseconds=1)


def span(text: str, zone: str) -> tuple[datetime, datetime]:
    """The first and the last instant of what ``text`` names, both included, in UTC. Raises UsageError."""
    text = text.strip()
    try:
        if (day := day_of(text)) is not None:
            begin, end = instant(midnight(day), zone), instant(midnight(day + DAY), zone) - TICK
        else:
            moment = datetime.fromisoformat(text)
            begin = end = moment.astimezone(UTC) if moment.tzinfo else instant(moment, zone)
        within = flaw_of_date(begin) is None and flaw_of_date(end) is None
    except OverflowError:
        within = False
    except ValueError:
        raise UsageError(
            f"{text[:80]!r} is not a date", hint="write it as 2013-01-31 or 2013-01-31T05:00Z"
        ) from None
    if not within:
        raise UsageError(f"the date {text} is not {DATES}")
    return begin, end


def between(first: str, last: str, zone: str) -> tuple[datetime, datetime]:
    """From the first instant of one to the last of the other, both included. Raises UsageError."""
    begin, end = span(first, zone)[0], span(last, zone)[1]
    if begin > end:
        raise UsageError(
            f"the range ends ({last}) before it begins ({first})", hint="exchange the two"
        )
    return begin, end


def before(text: str, zone: str) -> datetime:
    """Where a range ends that has all of a day, or nothing from a moment on. Raises UsageError."""
    first, last = span(text, zone)
    return last if first == last else last + TICK


def logical_date(text: str, zone: str, schedule: Schedule) -> datetime:
    """Of a run on demand: a day is the first time the schedule fires on it, or else its first instant."""
    begin, end = span(text, zone)
    return next(schedule.between(begin, end), begin) if begin < end else begin


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def instant(wall: datetime, zone: str) -> datetime:
    """When the clock of ``zone`` shows ``wall``, in UTC."""
    clock = ZoneInfo(zone)
    early, late = offsets(clock, wall)
    first = (wall - early).replace(tzinfo=UTC)
    if early >= late:
        return first
    return gap_end(clock, (wall - late).replace(tzinfo=UTC), first)
