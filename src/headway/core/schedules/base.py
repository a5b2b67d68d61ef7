"""The interface of schedules, and the ends of the calendar.

A fire is a moment at which a schedule starts a run, in UTC: the logical date of its run. Fires are strictly
increasing. There are none before ``FIRST`` or after ``LAST``.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from headway.core.reasons import EndDateReached, Reason

FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)


class BadSchedule(ValueError):
    """A schedule that cannot be read, or that would never fire."""


class Schedule(ABC):
    """The times at which runs of a DAG are due. A kind is one file of this folder and a line in its registry."""

    __slots__ = ()

    word: ClassVar[str]  # its key in a spec
    schema: ClassVar[Mapping[str, object]]  # the JSON Schema of what stands under that key
    form: ClassVar[str]  # what a person writes for it, in an error
    recurs: ClassVar[bool] = True  # False: it has no fires that could be counted or filled
    idle: ClassVar[Reason | None] = None  # why no fire is to come, where it has none
    over: ClassVar[Reason] = EndDateReached()  # why no more fires are to come, where it has some
    partitioned: ClassVar[bool] = False  # partitions of its assets bring the runs

    @classmethod
    @abstractmethod
    def keep(cls, given: object) -> object | None:
        """Return what a spec keeps of what a DAG file gives; None: it is of another kind."""

    @classmethod
    @abstractmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "Schedule":
        """Return the schedule that a spec keeps; ``anchor`` is the start date of the DAG.

        Raises:
            BadSchedule: ``value`` is of the wrong type, out of range or never fires.
        """

    @abstractmethod
    def following(self, after: datetime) -> datetime | None:
        """Return the first fire strictly later than ``after``, which lies within the calendar."""

    @abstractmethod
    def preceding(self, before: datetime) -> datetime | None:
        """Return the last fire strictly earlier than ``before``, which lies within the calendar."""

    @abstractmethod
    def words(self) -> str:
        """Say in a few words, on one line, when it fires."""

    @property
    def zone(self) -> str:
        """The IANA zone on whose clock it fires."""
        return "UTC"

    @property
    def assets(self) -> frozenset[str]:
        """The assets whose events bring runs."""
        return frozenset()

    def is_met(self, arrived: Collection[str]) -> bool:
        """Return whether a run is due, because these of its assets have new events."""
        return False

    def missing(self, arrived: Collection[str]) -> tuple[str, ...]:
        """Return the assets that a run still waits for, when these have new events."""
        return ()

    def partition_of(self, fire: datetime) -> str | None:
        """Return the partition of the run of a fire, if its runs have any."""
        return None

    def data_interval(self, fire: datetime) -> tuple[datetime, datetime]:
        """Return the data that the run of a fire stands for: from the fire before up to it. The same for any other
        time; without fires it has no width.
        """
        return self.previous_before(fire) or fire, fire

    def begun_at(self, start: datetime) -> datetime | None:
        """Return the fire whose data interval begins at a time, if one does."""
        fire = self.next_after(start)
        return fire if fire is not None and self.data_interval(fire)[0] == start else None

    @property
    def renew_at(self) -> datetime | None:
        """The time from which on its file is to be read again, because its fires are known up to some date only."""
        return None

    @property
    def skips_past(self) -> bool:
        """Return whether a new DAG without ``catchup`` begins with the fires to come, not with the last one before."""
        return False

    @property
    def bounded(self) -> bool:
        """Return whether its fires are within the start and end of the DAG already."""
        return False

    def periods(self, first: datetime, last: datetime) -> Iterator[datetime] | None:
        """Yield the dates that a backfill runs between two times, both included; None: it has none that could be
        filled.
        """
        return self.between(first, last) if self.recurs else None

    def upcoming(self, start_date: datetime, last: datetime | None) -> datetime | None:
        """Return the first fire that has no run yet, in the past or in the future."""
        begin = max(start_date, FIRST) - TICK
        return self.next_after(begin if last is None else max(last, begin))

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first fire strictly later than ``after``."""
        assert after.utcoffset() is not None, "a time without a zone"
        after = max(after, FIRST - TICK)
        if after >= LAST:
            return None
        fire = self.following(after)
        return fire if fire is not None and fire <= LAST else None

    def previous_before(self, before: datetime) -> datetime | None:
        """Return the last fire strictly earlier than ``before``."""
        assert before.utcoffset() is not None, "a time without a zone"
        before = min(before, LAST + TICK)
        if before <= FIRST:
            return None
        fire = self.preceding(before)
        return fire if fire is not None and fire >= FIRST else None

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the fires from ``start`` to ``end``, both included. How many to take is up to the caller."""
        fire = self.next_after(max(start, FIRST) - TICK)
        while fire is not None and fire <= end:
            yield fire
            fire = self.next_after(fire)
