"""Views of runs that Airflow did."""

from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, dict_row

from headway import wire
from headway.errors import NotFound
from headway.store.views import dags, pages

FACTS: LiteralString = """run_id, run_type, state, logical_date, interval_start, interval_end, due_at, started_at,
    ended_at, tasks"""

PAGE: LiteralString = f"""
    SELECT {FACTS} FROM airflow_run
    WHERE dag_id = %(dag_id)s
        AND (%(after)s::timestamptz IS NULL OR (due_at, run_id) < (%(after)s, %(after_id)s))
    ORDER BY due_at DESC, run_id DESC LIMIT %(limit)s
"""

ONE: LiteralString = f"""
    SELECT {FACTS}, instances::text FROM airflow_run
    WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
"""

DAGS: LiteralString = """
    SELECT dag_id, runs, done_until, imported_at, imported_by FROM airflow_dag
    WHERE (%(after)s::text IS NULL OR dag_id > %(after)s)
        AND (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s)
    ORDER BY dag_id LIMIT %(limit)s
"""

Stored = list[
    tuple[str, int, str | None, int, datetime | None, datetime | None, str]
]  # instances of a run, as ``actions.airflow_runs`` writes them
FIELDS: Final = ("task_id", "map_index", "state", "tries", "started_at", "ended_at", "operator")


def page(
    conn: Connection[Any], dag_id: str, limit: int, cursor: str | None
) -> wire.Page[wire.AirflowRun]:
    """Return runs of a DAG, newest first. Raises NotFound: neither Airflow's import nor a file here knows the DAG."""
    limit = pages.capped(limit)
    after, after_id = pages.decode(cursor, tuple[datetime, str]) if cursor else (None, None)
    values = {"dag_id": dag_id, "after": after, "after_id": after_id, "limit": limit + 1}
    with conn.cursor(row_factory=class_row(wire.AirflowRun)) as rows:
        found = rows.execute(PAGE, values).fetchall()
    if not found and cursor is None and of_dag(conn, dag_id) is None:
        dags.require(conn, dag_id)
    if len(found) <= limit:
        return wire.Page(found)
    last = found[limit - 1]
    return wire.Page(found[:limit], pages.encode((last.due_at, last.run_id)))


def one(conn: Connection[Any], dag_id: str, run_id: str) -> wire.AirflowRunDetail:
    with conn.cursor(row_factory=dict_row) as rows:
        row = rows.execute(ONE, {"dag_id": dag_id, "run_id": run_id}).fetchone()
    if row is None:
        raise NotFound(
            f"no run {run_id!r} of DAG {dag_id!r} was imported from Airflow",
            hint=f"to list the runs: headway ls airflow-runs --dag {dag_id}",
        )
    stored = msgspec.json.decode(row.pop("instances"), type=Stored)
    instances = [
        wire.AirflowTask(**dict(zip(FIELDS, each, strict=True)))  # type: ignore[arg-type]
        for each in stored
    ]
    return wire.AirflowRunDetail(**row, instances=instances)


def of_dag(conn: Connection[Any], dag_id: str) -> wire.AirflowDag | None:
    """Return what was imported of a DAG."""
    with conn.cursor(row_factory=class_row(wire.AirflowDag)) as rows:
        return rows.execute(DAGS, {"dag_id": dag_id, "after": None, "limit": 1}).fetchone()


def every(conn: Connection[Any], limit: int, cursor: str | None) -> wire.Page[wire.AirflowDag]:
    """Return the DAGs of which runs were imported, by name."""
    limit = pages.capped(limit)
    after = pages.decode(cursor, tuple[str])[0] if cursor else None
    values = {"dag_id": None, "after": after, "limit": limit + 1}
    with conn.cursor(row_factory=class_row(wire.AirflowDag)) as rows:
        found = rows.execute(DAGS, values).fetchall()
    more = pages.encode((found[limit - 1].dag_id,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)
