"""Time zones by their IANA names."""

from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from headway.core.words import nearest

NAME_MAX: Final = 256  # of a wrong name, in an error


class UnknownZone(ValueError):
    """There is no time zone of that name."""


def check_zone(zone: object) -> None:
    """Raise UnknownZone, with what was probably meant, if there is no such zone."""
    if not isinstance(zone, str):
        raise UnknownZone(f"a time zone is an IANA name, not {zone!a:.40}")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        meant = probably(zone[:NAME_MAX])
        hint = f"did you mean {meant}?" if meant else "an IANA name such as Europe/Berlin is needed"
        raise UnknownZone(f'unknown time zone "{zone[:NAME_MAX]}": {hint}') from None


def probably(wrong: str) -> str | None:
    """The zone that was probably meant, which may also be told by its city alone."""
    zones = sorted(available_timezones())
    cities = {zone.rpartition("/")[2]: zone for zone in zones}
    asked = wrong.replace(" ", "_")
    if near := nearest(asked, zones):
        return near
    city = nearest(asked, cities, cutoff=0.8)
    return None if city is None else cities[city]
