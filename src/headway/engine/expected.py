"""Tells of partitions that are overdue: their time has passed, and so has what their DAG allows on top of it, and they
have no run. Nothing else would: a partition of which nothing has arrived is known to nobody.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import Connection

from headway.core.schedules import OnPartitions
from headway.engine.catalog import Catalog
from headway.engine.partitions import digest
from headway.errors import EXHAUSTED
from headway.spec import compile
from headway.store import partitions_due
from headway.store.clock import clock
from headway.store.partitions_due import DueDag, Overdue

log = logging.getLogger(__name__)

DAGS_MAX: Final = 50  # in one transaction
PARTITIONS_MAX: Final = 100  # of one DAG: the others are found by the next look
RETRY: Final = timedelta(minutes=10)


def look(conn: Connection[Any], catalog: Catalog) -> int:
    """Tell of partitions that are overdue now. Returns of how many."""
    now, told = clock(conn), 0
    for dag in partitions_due.due(conn, DAGS_MAX, now):
        try:
            with conn.transaction():  # a savepoint: what the database refuses of one DAG
                told += judge(conn, catalog, dag, now)
        except (psycopg.OperationalError, *EXHAUSTED):
            raise
        except Exception as error:  # of another version of Headway, as a rule: the others go on
            log.error("cannot look for overdue partitions of DAG %s", dag.dag_id, exc_info=error)
            partitions_due.looked(conn, dag, now + RETRY, dag.since)
    return told


def judge(conn: Connection[Any], catalog: Catalog, dag: DueDag, now: datetime) -> int:
    spec = catalog.dag(dag.team_id, dag.dag_id, dag.version)
    schedule = compile.data_schedule(spec, now)
    if not isinstance(schedule, OnPartitions) or schedule.due is None:
        partitions_due.looked(conn, dag, None, None)
        return 0
    # One that is paused expects nothing. Nor does one whose partitions begin elsewhere now.
    known = None if dag.since is None or dag.paused else schedule.expected(dag.since)
    if known is None:
        start = schedule.current(now)
        known = None if start is None else schedule.expected(start)
    overdue: list[Overdue] = []
    while known is not None and len(overdue) < PARTITIONS_MAX:
        due_at = known.span.end + schedule.due
        if due_at > now:
            break
        overdue.append(Overdue(known.partition, due_at))
        known = schedule.expected(known.span.end)
    told = partitions_due.tell(conn, dag, digest(spec), overdue, now) if overdue else 0
    if known is None:
        partitions_due.looked(conn, dag, now + RETRY, None)
    else:
        at = max(known.span.end + schedule.due, now)
        partitions_due.looked(conn, dag, at, known.span.start)
    return told
