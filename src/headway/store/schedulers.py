"""Scheduler processes, for health and for people.

Every function takes a connection; none commits.
"""

from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection

from headway.store.clock import clock
from headway.store.measures import Measures, encoded

OPEN: LiteralString = """
    INSERT INTO scheduler (scheduler_id, host, pid, started_at, heartbeat_at)
    VALUES (%(id)s, %(host)s, %(pid)s, %(now)s, %(now)s)
"""

RENEW: LiteralString = """
    UPDATE scheduler SET heartbeat_at = %(now)s, measures = %(measures)s WHERE scheduler_id = %(id)s
"""

CLOSE: LiteralString = "UPDATE scheduler SET ended_at = %(now)s WHERE scheduler_id = %(id)s"


def open_scheduler(conn: Connection[Any], scheduler_id: str, host: str, pid: int) -> None:
    conn.execute(OPEN, {"id": scheduler_id, "host": host, "pid": pid, "now": clock(conn)})


def renew(conn: Connection[Any], scheduler_id: str, now: datetime, measures: Measures) -> None:
    conn.execute(RENEW, {"id": scheduler_id, "now": now, "measures": encoded(measures)})


def close(conn: Connection[Any], scheduler_id: str) -> None:
    conn.execute(CLOSE, {"id": scheduler_id, "now": clock(conn)})
