"""Reads and writes of import errors. Every function takes a connection; none commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Broken:
    file: str
    line: int | None
    message: str


KNOWN: LiteralString = """
    SELECT file, line, message FROM import_error WHERE team_id = %(team_id)s ORDER BY file
"""

PUT: LiteralString = """
    INSERT INTO import_error (team_id, file, line, message, bundle_version, at, since)
    SELECT %(team_id)s, file, line, message, %(bundle_version)s, %(now)s, %(now)s
    FROM unnest(%(files)s::text[], %(lines)s::integer[], %(messages)s::text[])
        AS found (file, line, message)
    ON CONFLICT (team_id, file) DO UPDATE SET
        line = excluded.line,
        message = excluded.message,
        bundle_version = excluded.bundle_version,
        at = excluded.at,
        since = coalesce(import_error.since, import_error.at)
"""

CLEAR: LiteralString = """
    DELETE FROM import_error WHERE team_id = %(team_id)s AND file = ANY(%(files)s)
"""


def known(conn: Connection[Any], team_id: int) -> list[Broken]:
    with conn.cursor(row_factory=class_row(Broken)) as cursor:
        return cursor.execute(KNOWN, {"team_id": team_id}).fetchall()


def put(
    conn: Connection[Any],
    team_id: int,
    found: Sequence[Broken],
    bundle_version: str,
    now: datetime,
) -> None:
    values = {
        "team_id": team_id,
        "bundle_version": bundle_version,
        "now": now,
        "files": [broken.file for broken in found],
        "lines": [broken.line for broken in found],
        "messages": [broken.message for broken in found],
    }
    conn.execute(PUT, values)


def clear(conn: Connection[Any], team_id: int, files: Sequence[str]) -> None:
    conn.execute(CLEAR, {"team_id": team_id, "files": list(files)})
