"""Scheduler processes, for health and for people.

Every function takes a connection; none commits.
"""

from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection

from headway.store.clock import clock
from headway.store.measures import Measures, encoded

WHY_MAX: Final = 500  # characters

OPEN: LiteralString = """
    INSERT INTO scheduler (scheduler_id, host, pid, started_at, heartbeat_at, canary_s)
    VALUES (%(id)s, %(host)s, %(pid)s, %(now)s, %(now)s, %(canary_s)s)
"""

RENEW: LiteralString = """
    UPDATE scheduler SET heartbeat_at = %(now)s, measures = %(measures)s WHERE scheduler_id = %(id)s
"""

TELL_PROOF: LiteralString = """
    UPDATE scheduler SET proved_at = CASE WHEN %(why)s::text IS NULL THEN %(now)s ELSE proved_at END,
        unproved = %(why)s
    WHERE scheduler_id = %(id)s
"""

CLOSE: LiteralString = "UPDATE scheduler SET ended_at = %(now)s WHERE scheduler_id = %(id)s"


def open_scheduler(
    conn: Connection[Any], scheduler_id: str, host: str, pid: int, canary_s: float = 0.0
) -> None:
    """``canary_s``: the seconds between two proofs that it schedules; 0: it proves nothing."""
    values = {"id": scheduler_id, "host": host, "pid": pid, "now": clock(conn)}
    conn.execute(OPEN, {**values, "canary_s": canary_s or None})


def tell_proof(conn: Connection[Any], scheduler_id: str, why: str) -> None:
    """Write that a run got to success just now, or ``why`` none did."""
    conn.execute(TELL_PROOF, {"id": scheduler_id, "why": why[:WHY_MAX] or None, "now": clock(conn)})


def renew(conn: Connection[Any], scheduler_id: str, now: datetime, measures: Measures) -> None:
    conn.execute(RENEW, {"id": scheduler_id, "now": now, "measures": encoded(measures)})


def close(conn: Connection[Any], scheduler_id: str) -> None:
    conn.execute(CLOSE, {"id": scheduler_id, "now": clock(conn)})
