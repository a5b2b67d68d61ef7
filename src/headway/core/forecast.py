"""Forecasts when schedules fire. Pure, and bounded: a schedule may fire every second forever."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from headway.core.schedules import Schedule


@dataclass(frozen=True, slots=True)
class Planned:
    """A DAG that is scheduled. ``start``: nothing fires before it."""

    dag_id: str
    schedule: Schedule
    start: datetime | None = None
    end: datetime | None = None


def fires(planned: Planned, first: datetime, last: datetime, most: int) -> Iterator[datetime]:
    """Both ends included."""
    if planned.schedule.bounded:
        return islice(planned.schedule.between(first, last), most)
    begin = max(first, planned.start) if planned.start is not None else first
    end = min(last, planned.end) if planned.end is not None else last
    return islice(planned.schedule.between(begin, end), most)


def together(
    every: Iterable[Planned], first: datetime, last: datetime, most: int
) -> list[tuple[datetime, str]]:
    """Return upcoming fire times of many DAGs in order of time."""

    def of(planned: Planned) -> Iterator[tuple[datetime, str]]:
        return ((at, planned.dag_id) for at in fires(planned, first, last, most))

    return list(islice(merge(*(of(planned) for planned in every)), most))
