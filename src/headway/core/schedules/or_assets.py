"""Schedules in time whose DAG also runs on data: its fires bring runs, and so do events of assets.

In a spec it is a part of the schedule in time: ``{"cron": "0 5 * * *", "or_assets": "orders"}``. The two go on beside
each other: a fire consumes no events, and a run that events bring moves no fire.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from headway.core.reasons import Reason
from headway.core.schedules import on_assets
from headway.core.schedules.base import BadSchedule, Schedule
from headway.core.schedules.keyed import Keyed
from headway.core.schedules.on_assets import OnAssets

WORD: Final = "or_assets"
SCHEMA: Final = {
    "description": "A condition as of `assets`: events bring runs, too, beside a cron, an interval or dates.",
    "type": ["string", "object"],
}


@dataclass(frozen=True, slots=True)
class OrAssets(OnAssets):
    """A schedule in time, and a condition on assets: each of the two brings runs."""

    times: Schedule

    word: ClassVar[str] = WORD
    schema: ClassVar[Mapping[str, object]] = SCHEMA
    form: ClassVar[str] = "AssetsOrTimes"
    recurs: ClassVar[bool] = True
    idle: ClassVar[Reason | None] = None

    @classmethod
    def keep(cls, given: object) -> None:
        raise AssertionError("it is a part of other schedules")

    @classmethod
    def around(cls, times: Schedule, condition: object) -> "OrAssets":
        """Return a schedule with the condition that a spec says. Raises BadSchedule."""
        if not times.recurs or isinstance(times, Keyed):
            raise BadSchedule(f"{WORD} belongs to a cron, an interval or dates")
        return cls(OnAssets.read(condition, times.zone, None).condition, times)

    @property
    def zone(self) -> str:
        return self.times.zone

    @property
    def renew_at(self) -> datetime | None:
        return self.times.renew_at

    @property
    def skips_past(self) -> bool:
        return self.times.skips_past

    @property
    def bounded(self) -> bool:
        return self.times.bounded

    def following(self, after: datetime) -> datetime | None:
        return self.times.following(after)

    def preceding(self, before: datetime) -> datetime | None:
        return self.times.preceding(before)

    def data_interval(self, fire: datetime) -> tuple[datetime, datetime]:
        return self.times.data_interval(fire)

    def begun_at(self, start: datetime) -> datetime | None:
        return self.times.begun_at(start)

    def words(self) -> str:
        return f"{self.times.words()}, or on {on_assets.said(self.condition)}"
