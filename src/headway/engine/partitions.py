"""Brings runs of DAGs that run on partitions: maps the keys of new events, and judges the partitions they belong to.

Both happen under the locks of the DAG's row and of its consumers, in the transaction that judges all DAGs with news
(``engine.assets``): what is routed meanwhile would count as mapped.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from headway.core.partitions import BadKey, Span
from headway.core.schedules.on_partitions import Late, OnPartitions
from headway.core.triggers import Trigger
from headway.spec.assets import flaw_of_partition
from headway.spec.model import Dag
from headway.store import partitions, runs
from headway.store.assets import DueDag
from headway.store.partitions import END, Arrival, Event, Pending
from headway.store.runs import NewRun

EVENTS_MAX: Final = 500  # that one look maps
ARRIVALS_MAX: Final = 5_000  # rows that they may become
PENDING_MAX: Final = 500  # partitions that one look judges


def judge(
    conn: Connection[Any],
    spec: Dag,
    due: DueDag,
    schedule: OnPartitions,
    new_id: Callable[[], str],
    params: dict[str, Any],
    room: Callable[[], bool],
    now: datetime,
) -> tuple[int, bool]:
    """Create the runs of partitions that are complete, as far as ``room`` allows. Returns how many, and whether more
    is to be done.
    """
    dag = partitions.Dag(due.team_id, due.dag_id, digest(spec))
    old = partitions.outdated(conn, dag, PENDING_MAX)
    kept = [event for event in old if event.asset in schedule.assets]
    arrive(conn, dag, schedule, kept, now, len(kept) * ARRIVALS_MAX)
    events = partitions.take(conn, dag, EVENTS_MAX)
    upto = arrive(conn, dag, schedule, events, now)
    partitions.advance(
        conn, dag, END if upto is None and len(events) < EVENTS_MAX else upto or events[-1].position
    )
    found = partitions.news(conn, dag, PENDING_MAX)
    here = partitions.arrived(conn, dag, [each.partition for each in found])
    made: dict[str, str] = {}
    new: list[NewRun] = []
    waiting: list[str] = []
    refused = False
    for each in found:
        if not is_due(schedule, each, here[each.partition]):
            waiting.append(each.partition)
        elif refused or not room():
            refused = True
        else:
            run = partition_run(due, schedule, each, new_id(), params)
            new.append(run)
            made[each.partition] = run.run_id
    runs.create(conn, new, now)
    partitions.consume(conn, dag, made)
    partitions.judged(conn, dag, waiting)
    more = upto is not None or len(events) == EVENTS_MAX or len(found) == PENDING_MAX
    return len(new), more or refused or len(old) >= PENDING_MAX


def arrive(
    conn: Connection[Any],
    dag: partitions.Dag,
    schedule: OnPartitions,
    events: Sequence[Event],
    now: datetime,
    limit: int = ARRIVALS_MAX,
) -> int | None:
    """Map the keys of events. Returns the last position that was mapped, None: all of them were."""
    found: list[Arrival] = []
    for place, event in enumerate(events):
        if event.key is None:
            continue  # of the asset as a whole
        try:
            targets = [
                each for each in schedule.map(event.asset, event.key) if not flaw_of_partition(each)
            ]
        except BadKey as error:
            partitions.refuse(conn, dag, event, str(error))
            continue
        if found and place and len(found) + len(targets) > limit:
            partitions.arrive(conn, dag, found, now)
            return events[place - 1].position
        found += [
            Arrival(each, event.asset, event.key, event.position, event.at) for each in targets
        ]
    partitions.arrive(conn, dag, found, now)
    return None


def is_due(schedule: OnPartitions, pending: Pending, arrived: dict[str, list[str]]) -> bool:
    if pending.late and schedule.late is Late.RUN:
        return True
    try:
        return schedule.is_complete(pending.partition, arrived)
    except BadKey:  # another asset's mapper makes partitions that this one's cannot read
        return False


def partition_run(
    dag: DueDag, schedule: OnPartitions, pending: Pending, run_id: str, params: dict[str, Any]
) -> NewRun:
    """Its data interval is the time that the partition stands for; its date that of the event that completed it."""
    begins, ends = span_of(schedule, pending.partition) or (pending.since, pending.latest_at)
    return NewRun(
        team_id=dag.team_id,
        run_id=run_id,
        dag_id=dag.dag_id,
        run_key=f"partition:{run_id}",
        trigger=Trigger.ASSET,
        logical_date=pending.latest_at,
        interval_start=begins,
        interval_end=ends,
        created_by="scheduler",
        params=params,
        partition=pending.partition,
    )


def span_of(schedule: OnPartitions, partition: str) -> Span | None:
    try:
        return schedule.span(partition)
    except BadKey:
        return None


def digest(spec: Dag) -> str:
    """Return a text that is another one for another schedule."""
    told = json.dumps(spec.schedule, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
