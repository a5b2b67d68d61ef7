"""Time zones by their IANA names."""

from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from headway.core.schedules.base import BadSchedule

NAME_MAX: Final = 256  # of a wrong name, in an error


def check_zone(zone: object) -> None:
    """Raise BadSchedule, with what was probably meant, if there is no such zone."""
    if not isinstance(zone, str):
        raise BadSchedule(f"a time zone is an IANA name, not {zone!a:.40}")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        meant = did_you_mean(zone[:NAME_MAX], sorted(available_timezones()))
        hint = meant or ": an IANA name such as Europe/Berlin is needed"
        raise BadSchedule(f'unknown time zone "{zone[:NAME_MAX]}"{hint}') from None


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
