"""The last runs of DAGs, as marks in a row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, dict_row

from headway import wire

RECENT_MAX: Final = 12

RECENT: LiteralString = """
    SELECT asked.dag_id, found.* FROM unnest(%(dag_ids)s::text[]) AS asked (dag_id)
    CROSS JOIN LATERAL (
        SELECT run_id, state, logical_date, started_at, ended_at, trigger,
            failed_instances, partition
        FROM run
        WHERE run.dag_id = asked.dag_id
        ORDER BY logical_date DESC, run_id LIMIT %(most)s
    ) AS found
"""


OF_DATE: LiteralString = """
    SELECT run_id, state, logical_date, started_at, ended_at, trigger, failed_instances, partition
    FROM run
    WHERE dag_id = %(dag_id)s AND logical_date = %(logical_date)s
    ORDER BY created_at DESC LIMIT %(most)s
"""


def of_date(conn: Connection[Any], dag_id: str, logical_date: datetime) -> list[wire.RunBrief]:
    """Return the runs of one date, the newest first."""
    values = {"dag_id": dag_id, "logical_date": logical_date, "most": RECENT_MAX}
    with conn.cursor(row_factory=class_row(wire.RunBrief)) as cursor:
        return cursor.execute(OF_DATE, values).fetchall()


def recent(conn: Connection[Any], dag_ids: Sequence[str]) -> dict[str, list[wire.RunBrief]]:
    """Return the recent runs by DAG, the newest last."""
    found: dict[str, list[wire.RunBrief]] = {dag_id: [] for dag_id in dag_ids}
    values = {"dag_ids": list(dag_ids), "most": RECENT_MAX}
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(RECENT, values):
            found[row.pop("dag_id")].append(wire.RunBrief(**row))
    for runs in found.values():
        runs.reverse()
    return found
