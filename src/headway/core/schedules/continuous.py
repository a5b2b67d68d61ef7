"""One run after another: the next begins when the last has ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, NamedTuple

from headway.core.reasons import Reason, RunsContinuously
from headway.core.schedules.base import BadSchedule, Schedule

PAUSE: Final = timedelta(
    seconds=1
)  # between two fires at least, so that runs that fail at once are not a flood


class Next(NamedTuple):
    """``fire``: of a run to create now. Without one ``again`` is when to ask again; None: never."""

    fire: datetime | None
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Continuous(Schedule):
    """A schedule without fires of its own: what knows of the runs asks ``after``, when none is open."""

    word: ClassVar[str] = "continuous"
    schema: ClassVar[Mapping[str, object]] = {"const": True}
    form: ClassVar[str] = "@continuous"
    recurs: ClassVar[bool] = False
    idle: ClassVar[Reason | None] = RunsContinuously()

    @classmethod
    def keep(cls, given: object) -> bool | None:
        return True if isinstance(given, str) and given.strip().lower() == cls.form else None

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "Continuous":
        if value is not True:
            raise BadSchedule(f"continuous must be true or omitted, not {value!a:.40}")
        return cls()

    def after(
        self, last: datetime | None, start_date: datetime, end_date: datetime | None, now: datetime
    ) -> Next:
        """Return the fire that follows the last one, when no run is open: now, within the dates of the DAG."""
        begin = start_date if last is None else max(start_date, last + PAUSE)
        if begin > now:
            return Next(None, begin)
        return Next(None) if end_date is not None and now > end_date else Next(now)

    def following(self, after: datetime) -> datetime | None:
        return None

    def preceding(self, before: datetime) -> datetime | None:
        return None

    def words(self) -> str:
        return "continuously"
