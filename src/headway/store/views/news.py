"""Changes of DAGs and their files since the last look, for the terminal of a server."""

from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from headway import wire

LAST: LiteralString = "SELECT coalesce(max(seq), 0) FROM event"

DAG_EVENTS: LiteralString = """
    SELECT seq, dag_id, name, version FROM event
    WHERE seq > %(after)s AND subject = 'dag' ORDER BY seq LIMIT 100
"""

IMPORT_ERRORS: LiteralString = """
    SELECT file, line, message, at FROM import_error
    WHERE %(since)s::timestamptz IS NULL OR at > %(since)s ORDER BY at, file LIMIT 20
"""


class DagEvent(msgspec.Struct, frozen=True):
    seq: int
    dag_id: str
    name: str
    version: int | None


def last_event(conn: Connection[Any]) -> int:
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: int = cursor.execute(LAST).fetchone() or 0
        return found


def dag_events(conn: Connection[Any], after: int) -> list[DagEvent]:
    with conn.cursor(row_factory=class_row(DagEvent)) as cursor:
        return cursor.execute(DAG_EVENTS, {"after": after}).fetchall()


def import_errors(conn: Connection[Any], since: datetime | None) -> list[wire.ImportError]:
    with conn.cursor(row_factory=class_row(wire.ImportError)) as cursor:
        return cursor.execute(IMPORT_ERRORS, {"since": since}).fetchall()
