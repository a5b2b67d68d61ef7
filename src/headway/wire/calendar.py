"""Days of the past, and fires to come."""

from datetime import date, datetime

import msgspec

from headway.core.reasons import Reason


class Fire(msgspec.Struct, frozen=True, kw_only=True):
    """``local``: the same moment on the wall clock of the answer's time zone."""

    logical_date: datetime
    local: str


class Fires(msgspec.Struct, frozen=True, kw_only=True):
    """``reason``: why nothing fires, or less than was asked for; None: it goes on."""

    timezone: str
    fires: list[Fire]
    reason: str | None
    why: Reason | None = None


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of a day. ``duration_s``: the mean of those that have ended."""

    day: date
    success: int
    failed: int
    running: int
    cancelled: int
    duration_s: float | None


class CalendarFire(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    dag_id: str


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """``fires``: from now on, in order. ``truncated``: there are more than are shown."""

    timezone: str
    days: list[Day]
    fires: list[CalendarFire]
    truncated: bool
