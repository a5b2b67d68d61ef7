"""Reads what the clock will end: of each kind the first. Takes a connection; does not commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection

from headway.core.waits import Kind, Wait
from headway.store.clock import clock
from headway.store.queue import CAN_GO_ON

FIRST: LiteralString = f"""
    SELECT kind, until, who FROM (
        (SELECT 'run', due_at, run_id FROM run
            WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
        UNION ALL
        (SELECT 'set_aside', set_aside_until, run_id FROM run
            WHERE set_aside_until IS NOT NULL ORDER BY set_aside_until LIMIT 1)
        UNION ALL
        (SELECT 'fire', next_fire_at, dag_id FROM dag
            WHERE next_fire_at IS NOT NULL AND paused_at IS NULL AND missing_since IS NULL
            ORDER BY next_fire_at LIMIT 1)
        UNION ALL
        (SELECT 'fire', updated_at, dag_id FROM dag WHERE {CAN_GO_ON} ORDER BY team_id, dag_id LIMIT 1)
        UNION ALL
        (SELECT 'start', next_start_at, dag_id FROM dag
            WHERE next_start_at IS NOT NULL ORDER BY next_start_at LIMIT 1)
    ) AS first (kind, until, who)
"""


def by_clock(conn: Connection[Any]) -> tuple[datetime, Sequence[Wait]]:
    """Return the time by the database's clock, and the first wait of each kind that there is."""
    found = conn.execute(FIRST).fetchall()
    return clock(conn), [Wait(Kind(kind), until, who) for kind, until, who in found]
