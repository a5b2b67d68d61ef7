"""The waits that the clock ends."""

from collections.abc import Iterable
from datetime import datetime

from headway.core.waits.wait import Wait


def first(waits: Iterable[Wait]) -> datetime | None:
    """Return when the clock ends the first of them; None: it ends none."""
    return min((wait.until for wait in waits if wait.until is not None), default=None)


def seconds_left(waits: Iterable[Wait], now: datetime, most: float) -> float:
    """Return for how long nothing comes to be due by itself, from 0 to ``most`` seconds."""
    until = first(waits)
    return most if until is None else min(most, max(0.0, (until - now).total_seconds()))
