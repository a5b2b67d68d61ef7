"""Reads and writes of bundles. Every function takes a connection; none commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row

ADD: LiteralString = """
    WITH added AS (
        INSERT INTO bundle (team_id, version, files, bytes, largest_file, created_at)
        VALUES (%(team_id)s, %(version)s, %(files)s, %(size)s, %(largest)s, %(now)s)
        ON CONFLICT (team_id, version) DO NOTHING
        RETURNING version
    )
    INSERT INTO event (team_id, at, subject, name, actor, reason)
    SELECT %(team_id)s, %(now)s, 'bundle', 'load', 'loader', jsonb_build_object('kind', 'about', 'what', version)
    FROM added
"""

# A run keeps its bundle for as long as it can be asked for again: until the janitor removes the run. That of a canary
# has no files.
IN_USE: LiteralString = """
    SELECT version FROM bundle
    WHERE version <> '~canary' AND (
        EXISTS (
            SELECT FROM dag
            WHERE dag.team_id = bundle.team_id AND dag.bundle_version = bundle.version
            OFFSET 0)
        OR EXISTS (
            SELECT FROM run
            WHERE run.team_id = bundle.team_id AND run.bundle_version = bundle.version
            OFFSET 0))
"""

# Nothing runs them, but what changed from one to the next can be shown, and the code around an error.
COMPARED: LiteralString = """
    SELECT bundle_version FROM code_change WHERE bundle_version IS NOT NULL
    UNION SELECT bundle_version FROM import_error
"""

# What may be run at any moment.
ACTIVE: LiteralString = """
    SELECT bundle_version FROM dag
    UNION SELECT bundle_version FROM run WHERE state = 'queued'
    UNION SELECT bundle_version FROM run WHERE state = 'running'
"""


OF_TEAM: LiteralString = "SELECT version FROM bundle WHERE team_id = %(team_id)s"

IS_OF_TEAM: LiteralString = (
    "SELECT FROM bundle WHERE team_id = %(team_id)s AND version = %(version)s"
)


def add(
    conn: Connection[Any], team_id: int, version: str, sizes: Sequence[int], now: datetime
) -> None:
    """Insert the bundle, unless it exists. ``sizes``: the bytes of each of its files."""
    values = {
        "team_id": team_id,
        "version": version,
        "files": len(sizes),
        "size": sum(sizes),
        "largest": max(sizes, default=0),
        "now": now,
    }
    conn.execute(ADD, values)


def of_team(conn: Connection[Any], team_id: int) -> set[str]:
    """The versions of a team."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute(OF_TEAM, {"team_id": team_id}).fetchall())


def is_of_team(conn: Connection[Any], team_id: int, version: str) -> bool:
    values = {"team_id": team_id, "version": version}
    return conn.execute(IS_OF_TEAM, values).fetchone() is not None


def in_use(conn: Connection[Any]) -> set[str]:
    """The versions, of any team, that a DAG or a run is pinned to: what ``prune`` must keep."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute(IN_USE).fetchall())


def compared(conn: Connection[Any]) -> set[str]:
    """The versions, of any team, in which code changed or a file broke: their files are kept, not their copies."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute(COMPARED).fetchall())


def active(conn: Connection[Any]) -> set[str]:
    """The versions, of any team, that a DAG or a run that has not ended is pinned to."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute(ACTIVE).fetchall())
