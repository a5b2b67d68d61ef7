"""Partitions that are expected by a time, and are overdue when it passes without their run. None commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import args_row, scalar_row

from headway.store.rows import rows

# Those of a DAG that goes on with the same schedule are looked at once.
EXPECT: LiteralString = """
    UPDATE dag SET
        partitions_due_at = CASE WHEN dag_id = ANY(%(keys)s::text[]) THEN %(now)s END,
        partitions_due_from = CASE WHEN dag_id = ANY(%(keys)s::text[]) THEN partitions_due_from END
    WHERE team_id = %(team_id)s AND dag_id = ANY(%(dags)s)
        AND (partitions_due_at IS NOT NULL OR dag_id = ANY(%(keys)s::text[]))
"""

DUE: LiteralString = """
    SELECT team_id, dag_id, version, paused_at IS NOT NULL AS paused, partitions_due_from FROM dag
    WHERE partitions_due_at IS NOT NULL AND partitions_due_at <= %(now)s AND missing_since IS NULL
    ORDER BY partitions_due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
"""

LOOKED: LiteralString = """
    UPDATE dag SET partitions_due_at = %(at)s, partitions_due_from = %(since)s
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""

# Once for each: not of one that has a run, nor of one that is known to be overdue.
TELL: LiteralString = """
    WITH overdue AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS new (partition text, due_at timestamptz)
        WHERE NOT EXISTS (
            SELECT FROM run
            WHERE run.team_id = %(team_id)s AND run.dag_id = %(dag_id)s AND run.partition = new.partition OFFSET 0)
    ), told AS (
        INSERT INTO pending_partition (team_id, dag_id, partition, since, latest_at, mapping, news, due_at)
        SELECT %(team_id)s, %(dag_id)s, partition, due_at, %(now)s, %(mapping)s, false, due_at
        FROM overdue ORDER BY partition
        ON CONFLICT (team_id, dag_id, partition) DO UPDATE SET due_at = excluded.due_at
        WHERE pending_partition.due_at IS NULL AND NOT pending_partition.late
        RETURNING partition, due_at, xmax <> 0 AS arrived
    ), written AS (
        INSERT INTO event (team_id, at, subject, dag_id, version, name, actor, reason)
        SELECT %(team_id)s, %(now)s, 'dag', %(dag_id)s, %(version)s, 'overdue_partition', 'scheduler',
            json_build_object('kind', 'overdue_partition', 'partition', partition, 'due', due_at, 'arrived', arrived)
        FROM told ORDER BY partition
        RETURNING 1
    )
    SELECT count(*)::integer FROM written
"""


class DueDag(NamedTuple):
    """``since``: the start of the first partition that was not looked at; None: it was never looked at."""

    team_id: int
    dag_id: str
    version: int
    paused: bool
    since: datetime | None


class Overdue(NamedTuple):
    partition: str
    due_at: datetime


def expect(
    conn: Connection[Any], team_id: int, dags: Sequence[str], due: Sequence[str], now: datetime
) -> None:
    """Have schedulers look for partitions of ``due``, and of none of the other DAGs. The DAGs are locked."""
    values = {"team_id": team_id, "dags": list(dags), "keys": list(due), "now": now}
    conn.execute(EXPECT, values)


def due(conn: Connection[Any], limit: int, now: datetime) -> list[DueDag]:
    """Lock DAGs of which a partition may be overdue."""
    with conn.cursor(row_factory=args_row(DueDag)) as cursor:
        return cursor.execute(DUE, {"limit": limit, "now": now}).fetchall()


def looked(conn: Connection[Any], dag: DueDag, at: datetime | None, since: datetime | None) -> None:
    """Note when to look at a DAG again, and from which partition on."""
    conn.execute(LOOKED, {"team_id": dag.team_id, "dag_id": dag.dag_id, "at": at, "since": since})


def tell(
    conn: Connection[Any], dag: DueDag, mapping: str, overdue: Sequence[Overdue], now: datetime
) -> int:
    """Note partitions as overdue that have no run, and store an event of each that was not known to be."""
    values = {"team_id": dag.team_id, "dag_id": dag.dag_id, "version": dag.version, "now": now}
    given = rows([each._asdict() for each in overdue])
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(TELL, {**values, "mapping": mapping, "rows": given}).fetchone() or 0
