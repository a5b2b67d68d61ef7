"""Brings runs of the DAGs whose assets have new events, in two short transactions (ADR 43).

The first hands events to their consumers, which puts them in an order; only one scheduler at a time does that. The
second judges the conditions of the DAGs that have news, and makes their runs. What died between the two is found by the
next turn.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection

from headway.core.schedules import OnPartitions
from headway.core.triggers import Trigger
from headway.engine import partitions
from headway.engine.catalog import Catalog
from headway.errors import EXHAUSTED
from headway.spec import compile
from headway.spec.params import check_params
from headway.store import assets, limits, runs
from headway.store.assets import DueDag, Queue
from headway.store.clock import clock
from headway.store.runs import NewRun
from headway.store.transact import C, transact

log = logging.getLogger(__name__)

EVENTS_MAX: Final = 500  # in one transaction
DAGS_MAX: Final = 50


class Followed(NamedTuple):
    created: int = 0  # runs
    more: bool = False  # there is more to do now
    busy: bool = False  # another scheduler has the turn


def follow(conn: C, catalog: Catalog, new_id: Callable[[], str]) -> Followed:
    """Look at new events, and create the runs that they bring. Costs two looks at indexes if there is nothing."""
    events, news = transact(conn, assets.are_there)
    if not events and not news:
        return Followed()
    routed = transact(conn, route) if events else (0, 0)
    if routed is None:
        return Followed(busy=True)
    judged, created = transact(conn, create_due, catalog, new_id)
    count, handed = routed
    return Followed(created, more=handed > 0 or count >= EVENTS_MAX or judged >= DAGS_MAX)


def route(conn: Connection[Any]) -> tuple[int, int] | None:
    """Hand new events to their consumers. None: another scheduler is doing so."""
    return assets.route(conn, EVENTS_MAX, clock(conn)) if assets.lock(conn) else None


def create_due(
    conn: Connection[Any], catalog: Catalog, new_id: Callable[[], str]
) -> tuple[int, int]:
    """Judge the DAGs that have news. Returns how many there were, and how many runs they got."""
    now = clock(conn)
    found, created = assets.due(conn, DAGS_MAX, now), 0
    room = Room(conn, now)
    for dag in found:
        try:
            with conn.transaction():  # a savepoint: what the database refuses of one DAG
                created += judge(conn, catalog, dag, new_id, room)
        except (psycopg.OperationalError, *EXHAUSTED):
            raise
        except Exception as error:  # of another version of Headway, as a rule: the others go on
            log.error("cannot judge the assets of DAG %s", dag.dag_id, exc_info=error)
            assets.judged(conn, dag)
    return len(found) - room.refused, created


class Room:
    """The runs that the limits of teams allow now. What is refused keeps its news: its events go with a later run."""

    def __init__(self, conn: Connection[Any], now: datetime) -> None:
        self.conn = conn
        self.now = now
        self.left: dict[int, float] = {}
        self.refused = 0

    def take(self, team_id: int) -> bool:
        """Take the room of one run, if there is any. Not locked: another transaction may create some meanwhile."""
        if team_id not in self.left:
            self.left[team_id] = limits.runs_left(self.conn, team_id, self.now)
        self.left[team_id] -= 1
        self.refused += self.left[team_id] < 0
        return self.left[team_id] >= 0


def judge(
    conn: Connection[Any], catalog: Catalog, dag: DueDag, new_id: Callable[[], str], room: Room
) -> int:
    """Create the run of a DAG if its condition is met and the limits of its team allow it."""
    spec = catalog.dag(dag.team_id, dag.dag_id, dag.version)
    now = clock(conn)
    schedule = compile.data_schedule(spec, now)
    queues = assets.queues(conn, dag.team_id, dag.dag_id)
    if isinstance(schedule, OnPartitions):
        params = check_params(spec, {})
        made, more = partitions.judge(
            conn, spec, dag, schedule, new_id, params, lambda: room.take(dag.team_id), now
        )
        if not more:
            assets.judged(conn, dag)
        return made
    arrived = [queue for queue in queues if queue.since is not None]
    if not schedule.is_met({queue.asset for queue in arrived}):
        assets.judged(conn, dag)
        return 0
    if not room.take(dag.team_id):
        return 0
    run = asset_run(dag, arrived, new_id(), check_params(spec, {}))
    runs.create(conn, [run], now)
    assets.consume(conn, dag, run.run_id)
    return 1


def asset_run(dag: DueDag, arrived: Sequence[Queue], run_id: str, params: dict[str, Any]) -> NewRun:
    """Its dates are those of the events: from the first of them to the last."""
    begins = min(queue.since for queue in arrived if queue.since is not None)
    ends = max(queue.latest_at for queue in arrived if queue.latest_at is not None)
    return NewRun(
        team_id=dag.team_id,
        run_id=run_id,
        dag_id=dag.dag_id,
        run_key=f"asset:{max(queue.latest for queue in arrived)}",
        trigger=Trigger.ASSET,
        logical_date=ends,
        interval_start=begins,
        interval_end=ends,
        created_by="scheduler",
        params=params,
    )
