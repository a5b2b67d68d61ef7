"""From what a person writes as a schedule to a ``Schedule``, or an error that helps to repair it.

Nothing here is slow, whatever the text: long ones are refused before they are read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSimError

from headway.core import cron
from headway.core.timetable import EPOCH, FIRST, Cron, Every, Once, OnDemand, Schedule, next_after

TEXT_MAX: Final = 256
INTERVAL_MIN: Final = timedelta(seconds=1)
INTERVAL_MAX: Final = timedelta(days=36_500)

PRESETS: Final[Mapping[str, str]] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

# The name and the range of each field, in the order in which they are written.
FIELDS: Final = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of month", "1 to 31, L or LW"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day of week", "0 to 7 or SUN to SAT, where 0 and 7 are Sunday"),
)


class BadSchedule(ValueError):
    """A schedule that cannot be read, or that would never fire."""


def parse_schedule(
    schedule: str | timedelta | None, zone: str, *, anchor: datetime = EPOCH
) -> Schedule:
    """Read a schedule; ``anchor`` (the DAG's start date) is what an interval is counted from."""
    check_zone(zone)
    match schedule:
        case None:
            return OnDemand()
        case timedelta():
            return parse_interval(schedule, anchor)
        case str():
            return parse_text(schedule, zone)
    raise BadSchedule(
        f"a schedule is a cron text, a preset, a timedelta or None, not {type(schedule).__name__}"
    )


def parse_interval(interval: timedelta, anchor: datetime) -> Every:
    assert anchor.utcoffset() is not None, "a time without a zone"
    if interval < INTERVAL_MIN:
        raise BadSchedule(f"the interval {interval} is too short: at least 1 second")
    if interval > INTERVAL_MAX:
        raise BadSchedule(f"the interval {interval} is too long: at most {INTERVAL_MAX.days} days")
    return Every(interval, max(anchor, FIRST).astimezone(UTC))


def parse_text(text: str, zone: str) -> Schedule:
    if len(text) > TEXT_MAX:
        raise BadSchedule(f'schedule "{text[:40]}…" is too long: at most {TEXT_MAX} characters')
    if text.strip().startswith("@"):
        return parse_preset(text.strip().lower(), zone)
    expression = " ".join(text.split())
    check_cron(expression)
    schedule = Cron(expression, zone)
    if next_after(schedule, EPOCH) is None:
        raise BadSchedule(f'cron "{expression}" never fires: no such day comes')
    return schedule


def parse_preset(name: str, zone: str) -> Schedule:
    if name == "@once":
        return Once()
    if name == "@continuous":
        raise BadSchedule(
            "@continuous is not supported: choose an interval, such as timedelta(minutes=1)"
        )
    if name not in PRESETS:
        known = [*PRESETS, "@once"]
        meant = did_you_mean(name, known) or f": known are {', '.join(known)}"
        raise BadSchedule(f'unknown preset "{name}"{meant}')
    return Cron(PRESETS[name], zone)


def check_cron(expression: str) -> None:
    """Try each field alone among stars, so that the error can name the one that is wrong."""
    parts = expression.split()
    if len(parts) != len(FIELDS):
        names = ", ".join(name for name, _ in FIELDS)
        raise BadSchedule(f'cron "{expression}" needs 5 fields and has {len(parts)}: {names}')
    for place, (part, (name, allowed)) in enumerate(zip(parts, FIELDS, strict=True)):
        alone = ["*"] * len(FIELDS)
        alone[place] = part
        try:
            cron.fields(" ".join(alone))
        except CronSimError:
            raise BadSchedule(
                f'cron "{expression}": {name} "{part}" is not valid: {allowed}; '
                "also *, lists (1,2), ranges (1-5) and steps (*/2)"
            ) from None
    try:
        cron.fields(expression)
    except CronSimError:
        raise BadSchedule(f'cron "{expression}" never fires: no such day comes') from None


def check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        meant = did_you_mean(zone[:TEXT_MAX], sorted(available_timezones()))
        hint = meant or ": an IANA name such as Europe/Berlin is needed"
        raise BadSchedule(f'unknown time zone "{zone[:TEXT_MAX]}"{hint}') from None


def did_you_mean(word: str, known: list[str]) -> str:
    """The nearest known word as a question, or nothing. Letters' case does not matter."""
    spelled = {name.casefold(): name for name in known}
    last_parts = {name.rsplit("/", 1)[-1]: spelled[name] for name in spelled}
    asked = word.casefold().replace(" ", "_")
    if near := get_close_matches(asked, spelled, n=1):
        return f": did you mean {spelled[near[0]]}?"
    if near := get_close_matches(asked, last_parts, n=1, cutoff=0.8):
        return f": did you mean {last_parts[near[0]]}?"
    return ""
