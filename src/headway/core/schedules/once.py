"""One run, at the start date of the DAG."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from headway.core.reasons import Reason, RunsOnce
from headway.core.schedules.base import BadSchedule, Schedule


@dataclass(frozen=True, slots=True)
class Once(Schedule):
    """One run, at the start date of the DAG. ``upcoming`` alone is told that date: no fires elsewhere."""

    word: ClassVar[str] = "once"
    schema: ClassVar[Mapping[str, object]] = {"const": True}
    form: ClassVar[str] = "@once"
    recurs: ClassVar[bool] = False
    idle: ClassVar[Reason | None] = RunsOnce()

    @classmethod
    def keep(cls, given: object) -> bool | None:
        return True if isinstance(given, str) and given.strip().lower() == cls.form else None

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "Once":
        if value is not True:
            raise BadSchedule(f"once must be true or omitted, not {value!a:.40}")
        return cls()

    def upcoming(self, start_date: datetime, last: datetime | None) -> datetime | None:
        return start_date if last is None else None

    def following(self, after: datetime) -> datetime | None:
        return None

    def preceding(self, before: datetime) -> datetime | None:
        return None

    def words(self) -> str:
        return "once"
