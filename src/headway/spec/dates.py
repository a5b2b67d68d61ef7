"""Parses dates that people write.

``2013-01-31`` is a whole day in the DAG's time zone. With a time it is one instant, in the zone that
it names or else the DAG's. A local time that daylight saving skips becomes the end of the gap; one
that occurs twice becomes the first.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from headway.core.cron import instant, midnight
from headway.core.schedules import Schedule
from headway.errors import UsageError
from headway.spec.carried import DATES, flaw_of_date

DAY: Final = timedelta(days=1)
TICK: Final = timedelta(microseconds=1)


def span(text: str, zone: str) -> tuple[datetime, datetime]:
    """Return the first and last instant of a date or time, inclusive, in UTC. Raises UsageError."""
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
            f"{text[:80]!r} is not a valid date", hint="write it as 2013-01-31 or 2013-01-31T05:00Z"
        ) from None
    if not within:
        raise UsageError(f"the date {text} is not {DATES}")
    return begin, end


def between(first: str, last: str, zone: str) -> tuple[datetime, datetime]:
    """Return the range from the start of one date to the end of another, inclusive. Raises UsageError."""
    begin, end = span(first, zone)[0], span(last, zone)[1]
    if begin > end:
        raise UsageError(f"the range ends ({last}) before it starts ({first})", hint="swap the two")
    return begin, end


def before(text: str, zone: str) -> datetime:
    """Return the exclusive end of a range: after the day of a date, or at a time. Raises UsageError."""
    first, last = span(text, zone)
    return last if first == last else last + TICK


def logical_date(text: str, zone: str, schedule: Schedule) -> datetime:
    """Return the logical date of a manual run: for a date, the first fire time of that day or its start."""
    begin, end = span(text, zone)
    return next(schedule.between(begin, end), begin) if begin < end else begin


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
