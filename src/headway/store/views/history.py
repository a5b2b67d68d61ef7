"""The stream of events, as a run's history."""

from typing import Any, LiteralString

from psycopg import Connection

from headway import wire
from headway.store.views import pages
from headway.store.views.worded import worded_row

COLUMNS: LiteralString = """
    seq, at, subject, name, state, dag_id, run_id, task_id, map_index, attempt, version, actor, reason::text,
    CASE WHEN map_index >= 0 THEN (
        SELECT rendered_map_index FROM task_instance AS instance
        WHERE instance.team_id = event.team_id AND instance.run_id = event.run_id
            AND instance.task_id = event.task_id AND instance.map_index = event.map_index
    ) END AS rendered_map_index
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
