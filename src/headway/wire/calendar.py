"""Past days and upcoming fire times."""

from datetime import date, datetime

import msgspec

from headway.core.reasons import Reason


class Fire(msgspec.Struct, frozen=True, kw_only=True):
    """A fire time. ``local``: the same moment in the time zone of the answer."""

    logical_date: datetime
    local: str


class Fires(msgspec.Struct, frozen=True, kw_only=True):
    """``reason``: why there are no or fewer fire times than requested; None if there are more."""

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
    skipped: int = 0  # the run gave way to another (run_strategy)


class CalendarFire(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    dag_id: str


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """``fires``: upcoming fire times in order. ``truncated``: there are more than shown."""

    timezone: str
    days: list[Day]
    fires: list[CalendarFire]
    truncated: bool
