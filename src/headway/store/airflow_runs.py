"""Writes of runs that Airflow did. Every function takes a connection; none commits.

A change holds ``dags.lock`` on the team first, so that the counts of a DAG are those of its runs, and no two
imports exceed the limits of a team together.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import msgspec
from psycopg import Connection

from headway.store import dags
from headway.store.rows import Columns, names, rows, taken, typed

FACTS: Columns = {
    "run_type": "text",
    "state": "text",
    "logical_date": "timestamptz",
    "interval_start": "timestamptz",
    "interval_end": "timestamptz",
    "due_at": "timestamptz",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "tasks": "integer",
    "instances": "jsonb",
    "size": "integer",
}

IMPORT: LiteralString = """
    INSERT INTO airflow_dag (team_id, dag_id, done_until, imported_at, imported_by)
    VALUES (%(team_id)s, %(dag_id)s, %(done_until)s, %(now)s, %(actor)s)
    ON CONFLICT (team_id, dag_id) DO UPDATE SET
        done_until = greatest(airflow_dag.done_until, excluded.done_until),
        imported_at = excluded.imported_at, imported_by = excluded.imported_by
    RETURNING done_until
"""

# A timetable that was asked before knew of no date between.
ASK_AGAIN: LiteralString = """
    UPDATE dag SET next_fire_at = %(now)s
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND next_fire_at > %(now)s
"""

# Known rows are read before they are written, for what they were.
PUT: LiteralString = f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS given (run_id text, {typed(FACTS)}, digest text)
    ), known AS MATERIALIZED (
        SELECT found.* FROM given CROSS JOIN LATERAL (
            SELECT run_id, size FROM airflow_run AS known
            WHERE known.team_id = %(team_id)s AND known.dag_id = %(dag_id)s AND known.run_id = given.run_id
            OFFSET 0
        ) AS found
    ), put AS (
        INSERT INTO airflow_run (team_id, dag_id, run_id, {names(FACTS)}, digest)
        SELECT %(team_id)s, %(dag_id)s, run_id, {names(FACTS)}, decode(digest, 'hex') FROM given
        ON CONFLICT (team_id, dag_id, run_id) DO UPDATE SET {taken(FACTS, "excluded")}, digest = excluded.digest
            WHERE airflow_run.digest <> excluded.digest
        RETURNING run_id, size
    ), counted AS (
        SELECT count(*) FILTER (WHERE known.run_id IS NULL) AS stored,
            count(known.run_id) AS changed,
            coalesce(sum(put.size - coalesce(known.size, 0)), 0) AS grown
        FROM put LEFT JOIN known USING (run_id)
    )
    UPDATE airflow_dag SET runs = runs + counted.stored, size = airflow_dag.size + counted.grown FROM counted
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
    RETURNING counted.stored, counted.changed
"""

TOTALS: LiteralString = """
    SELECT count(*), coalesce(sum(runs), 0)::bigint, coalesce(sum(size), 0)::bigint
    FROM airflow_dag WHERE team_id = %(team_id)s
"""

# In batches: a DAG may have very many. Each is counted out: what is cut off leaves counts that are right.
FORGET_RUNS: LiteralString = """
    WITH gone AS (
        DELETE FROM airflow_run WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM airflow_run WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
            ORDER BY team_id, dag_id, run_id LIMIT %(limit)s))
        RETURNING size
    ), counted AS (
        SELECT count(*) AS runs, coalesce(sum(size), 0) AS size FROM gone
    )
    UPDATE airflow_dag SET runs = airflow_dag.runs - counted.runs, size = airflow_dag.size - counted.size FROM counted
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
    RETURNING counted.runs
"""

FORGET_DAG: LiteralString = """
    DELETE FROM airflow_dag WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""

# Ordered: a table whose statistics are old is not read whole for one row.
ANY_OLD: LiteralString = """
    SELECT FROM airflow_run WHERE team_id = %(team_id)s AND ended_at < %(older_than)s
    ORDER BY team_id, ended_at LIMIT 1
"""

PRUNE: LiteralString = """
    WITH gone AS (
        DELETE FROM airflow_run WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM airflow_run WHERE team_id = %(team_id)s AND ended_at < %(older_than)s
            ORDER BY team_id, ended_at LIMIT %(limit)s))
        RETURNING dag_id, size
    ), counted AS (
        SELECT dag_id, count(*) AS runs, sum(size) AS size FROM gone GROUP BY dag_id
    )
    UPDATE airflow_dag SET runs = airflow_dag.runs - counted.runs, size = airflow_dag.size - counted.size
    FROM counted WHERE airflow_dag.team_id = %(team_id)s AND airflow_dag.dag_id = counted.dag_id
"""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """``digest``: of all facts, as hexadecimal digits. ``size``: of ``instances``, in bytes."""

    run_id: str
    run_type: str
    state: str
    logical_date: datetime | None
    interval_start: datetime | None
    interval_end: datetime | None
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime
    tasks: int
    instances: msgspec.Raw
    size: int
    digest: str


class Written(NamedTuple):
    stored: int
    changed: int


class Totals(NamedTuple):
    dags: int
    runs: int
    size: int


def announce(
    conn: Connection[Any],
    team_id: int,
    dag_id: str,
    done_until: datetime | None,
    actor: str,
    now: datetime,
) -> datetime | None:
    """Note who imports runs of the DAG, and have its timetable asked again.

    Returns until when Airflow did its dates: never earlier than it was.
    """
    values = {"team_id": team_id, "dag_id": dag_id, "done_until": done_until, "actor": actor}
    row = conn.execute(IMPORT, {**values, "now": now}).fetchone()
    assert row is not None
    if done_until is not None:
        conn.execute(ASK_AGAIN, {"team_id": team_id, "dag_id": dag_id, "now": now})
    found: datetime | None = row[0]
    return found


def put(conn: Connection[Any], team_id: int, dag_id: str, wanted: Sequence[Row]) -> Written:
    """Store runs of a DAG that was announced. Each id is among ``wanted`` once."""
    row = conn.execute(PUT, {"team_id": team_id, "dag_id": dag_id, "rows": rows(wanted)}).fetchone()
    assert row is not None
    return Written(*row)


def totals(conn: Connection[Any], team_id: int) -> Totals:
    row = conn.execute(TOTALS, {"team_id": team_id}).fetchone()
    assert row is not None
    return Totals(*row)


def forget(conn: Connection[Any], team_id: int, dag_id: str, limit: int) -> bool:
    """Delete runs of a DAG; once none is left, the DAG's row. Returns whether there may be more."""
    values = {"team_id": team_id, "dag_id": dag_id, "limit": limit}
    dags.lock(conn, team_id)
    if conn.execute(FORGET_RUNS, values).fetchone() == (limit,):
        return True
    conn.execute(FORGET_DAG, values)
    return False


def prune(conn: Connection[Any], team_id: int, older_than: datetime, limit: int) -> None:
    """Remove runs that ended before ``older_than``, oldest first. Waits for nobody: ticks would wait, too."""
    values = {"team_id": team_id, "older_than": older_than, "limit": limit}
    if conn.execute(ANY_OLD, values).fetchone() is not None and dags.lock_if_free(conn, team_id):
        conn.execute(PRUNE, values)
