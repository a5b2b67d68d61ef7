"""Creates the runs that timetables ask for.

Each fire time becomes exactly one run, because the run key is the logical date in UTC.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import psycopg
from psycopg import Connection

from headway.core import schedules, timetable
from headway.core.schedules import Continuous, Schedule
from headway.core.triggers import Trigger
from headway.engine.catalog import Catalog
from headway.errors import EXHAUSTED
from headway.spec import compile
from headway.spec.model import Dag
from headway.spec.params import check_params
from headway.store import dags, queue, runs
from headway.store.clock import clock
from headway.store.queue import DueDag
from headway.store.runs import NewRun

log = logging.getLogger(__name__)

DAGS_MAX: Final = 100  # that one transaction asks
FIRES_MAX: Final = 50  # of one DAG in one transaction: a long catch-up comes in bursts
DATES_READ_MAX: Final = 20_000  # that one transaction reads: 4,000 of a DAG take about 10 ms
AGAIN: Final = timedelta(seconds=60)  # until a timetable that could not be asked is asked again


def fire_key(logical_date: datetime) -> str:
    """The run key of a scheduled or backfilled fire."""
    return f"slot:{logical_date:%Y-%m-%dT%H:%M:%SZ}"


def create_due(
    conn: Connection[Any],
    catalog: Catalog,
    new_id: Callable[[], str],
    now: datetime | None = None,
) -> int:
    """Create the runs of timetables that are due. Returns the number of created runs."""
    if now is None:
        now = clock(conn)
    created, room = 0, DATES_READ_MAX
    queue.go_on(conn, now, DAGS_MAX)
    for dag in queue.due_dags(conn, now, DAGS_MAX):
        try:
            with conn.transaction():  # a savepoint: what the database refuses of one DAG
                spec = catalog.dag(dag.team_id, dag.dag_id, dag.version)
                if (dates := schedules.dates_of(spec.schedule)) > room:
                    continue  # it stays due, and the others have their turn
                room -= dates
                created += create_for(conn, spec, dag, new_id, now)
        except (psycopg.OperationalError, *EXHAUSTED):
            raise
        except Exception as error:  # of another version of Headway, as a rule: the others go on
            log.error("cannot evaluate the timetable of DAG %s", dag.dag_id, exc_info=error)
            queue.fires_decided(conn, dag, None, now + AGAIN)
    return created


def create_for(
    conn: Connection[Any], spec: Dag, dag: DueDag, new_id: Callable[[], str], now: datetime
) -> int:
    first_seen = dags.first_seen(conn, dag.team_id, dag.dag_id) or now
    start_date = spec.start_date or first_seen
    schedule = compile.schedule(spec, start_date)
    if isinstance(schedule, Continuous):
        return follow(conn, spec, schedule, dag, start_date, new_id, now)
    is_new = dag.last_fire is None and not spec.catchup and schedule.skips_past
    # One that Airflow did goes on after that, also if its file came here later.
    begins_here = spec.start_date is not None or dag.last_fire is None
    dates, next_at = timetable.due(
        schedule,
        start_date=start_date if begins_here else schedules.FIRST,
        end_date=spec.end_date,
        last=first_seen if is_new else dag.last_fire,
        now=now,
        catchup=spec.catchup,
        limit=FIRES_MAX,
        by_start=spec.dated_by_start,
    )
    params = check_params(spec, {}) if dates else {}
    wanted = [fire_run(dag, schedule, date, new_id(), params) for date in dates]
    queue.fires_decided(conn, dag, dates[-1] if dates else None, next_at)
    return len(runs.create(conn, wanted, now))


def follow(
    conn: Connection[Any],
    spec: Dag,
    schedule: Continuous,
    dag: DueDag,
    start_date: datetime,
    new_id: Callable[[], str],
    now: datetime,
) -> int:
    """Create the run that follows the last one, unless a run is open. Its data begins where that of the last ended."""
    if queue.has_open_run(conn, dag):
        queue.fires_decided(conn, dag, None, None)
        return 0
    fire, again = schedule.after(dag.last_fire, start_date, spec.end_date, now)
    queue.fires_decided(conn, dag, fire, again)
    if fire is None:
        if again is None:
            queue.comes_to_an_end(conn, dag)
        return 0
    run = fire_run(dag, schedule, fire, new_id(), check_params(spec, {}))
    begins = start_date if dag.last_fire is None else dag.last_fire
    return len(runs.create(conn, [msgspec.structs.replace(run, interval_start=begins)], now))


def fire_run(
    dag: DueDag,
    schedule: Schedule,
    logical_date: datetime,
    run_id: str,
    params: dict[str, Any],
) -> NewRun:
    start, end = timetable.interval(schedule, logical_date)
    return NewRun(
        team_id=dag.team_id,
        run_id=run_id,
        dag_id=dag.dag_id,
        run_key=fire_key(logical_date),
        trigger=Trigger.SCHEDULE,
        logical_date=logical_date,
        interval_start=start,
        interval_end=end,
        created_by="scheduler",
        params=params,
        partition=schedule.partition_of(logical_date),
    )
