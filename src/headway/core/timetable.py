"""The fires of a schedule that are due, and the data that a fire stands for.

A fire is the logical date of its run; the run's data interval reaches back to the fire before.
"""

from collections.abc import Iterable
from datetime import datetime

from headway.core.schedules import FIRST, TICK, OnPartitions, Schedule


def interval(
    schedule: Schedule, logical_date: datetime, partition: str | None = None
) -> tuple[datetime, datetime]:
    """Return the data a run stands for: the time of its partition, if that stands for a time; else as its schedule
    says, as a rule from the fire before up to, not including, its logical date.

    Raises BadKey: there can be no such partition.
    """
    if partition is not None and isinstance(schedule, OnPartitions):
        span = schedule.span(partition)
        if span is not None:
            return span
    return schedule.data_interval(logical_date)


def outside(
    schedule: Schedule,
    fires: Iterable[datetime],
    start_date: datetime | None,
    end_date: datetime | None,
    *,
    by_start: bool = False,
) -> tuple[int, int]:
    """Count the fires for which ``due`` gives no run: those before the start date, and those after the end date."""
    if schedule.bounded:
        return 0, 0
    bounds = [schedule.data_interval(fire)[0] if by_start else fire for fire in fires]
    before = sum(start_date is not None and bound < start_date for bound in bounds)
    after = sum(end_date is not None and bound > end_date for bound in bounds)
    return before, after


def due(
    schedule: Schedule,
    *,
    start_date: datetime,
    end_date: datetime | None,
    last: datetime | None,
    now: datetime,
    catchup: bool,
    limit: int,
    by_start: bool = False,
) -> tuple[list[datetime], datetime | None]:
    """Return the logical dates to create runs for, oldest first, and when to look again (None: never).

    ``last`` is the latest fire that has a run. ``start_date`` is the DAG's own, or else when the
    DAG was first seen. With ``catchup`` every missed fire is due, at most ``limit`` in one answer:
    then the time to look again has passed already. Without it only the latest missed one is.
    ``by_start``: not fires but the starts of their data intervals lie between ``start_date`` and ``end_date``, unless
    the schedule has seen to that itself.
    """
    assert limit > 0, "nothing would ever be created"

    def bound(fire: datetime) -> datetime:
        return schedule.data_interval(fire)[0] if by_start else fire

    begin = FIRST if schedule.bounded else start_date
    fire = schedule.upcoming(begin, last)
    while fire is not None and by_start and bound(fire) < begin:
        fire = schedule.next_after(fire)
    if not catchup and fire is not None and fire <= now:
        fire = schedule.previous_before(now + TICK) or fire
    found: list[datetime] = []
    end = None if schedule.bounded else end_date
    while fire is not None and (end is None or bound(fire) <= end):
        if fire > now or len(found) == limit:
            return found, fire
        found.append(fire)
        fire = schedule.next_after(fire)
    return found, None
