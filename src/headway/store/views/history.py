"""The stream of events, as a run's history."""

from typing import Any, LiteralString

from psycopg import Connection

from headway import wire
from headway.store.views import pages
from headway.store.views.worded import worded_row

COLUMNS: LiteralString = """
    seq, at, subject, name, state, dag_id, run_id, task_id, map_index, attempt, version, actor, reason::text
"""

OF_RUN: LiteralString = f"""
    SELECT {COLUMNS} FROM event
    WHERE run_id = %(run_id)s AND seq > %(after)s
    ORDER BY seq LIMIT %(limit)s
"""


def of_run(conn: Connection[Any], run_id: str, after: int, limit: int) -> list[wire.Event]:
    """List events after number ``after``, oldest first."""
    values = {"run_id": run_id, "after": after, "limit": pages.capped(limit)}
    with conn.cursor(row_factory=worded_row(wire.Event)) as cursor:
        return cursor.execute(OF_RUN, values).fetchall()
