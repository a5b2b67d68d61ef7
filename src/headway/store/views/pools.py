"""Views of pools."""

from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from headway import wire
from headway.errors import NotFound
from headway.spec.errors import did_you_mean

ALL: LiteralString = """
    SELECT name, slots, used, (
        SELECT count(*) FROM task_instance
        WHERE task_instance.team_id = pool.team_id AND task_instance.pool = pool.name
            AND rank IS NOT NULL
    ) AS waiting
    FROM pool ORDER BY name
"""

NAMES: LiteralString = "SELECT name FROM pool ORDER BY name"


def every(conn: Connection[Any]) -> list[wire.Pool]:
    with conn.cursor(row_factory=class_row(wire.Pool)) as cursor:
        return cursor.execute(ALL).fetchall()


def find(conn: Connection[Any], name: str) -> wire.Pool | None:
    return next((pool for pool in every(conn) if pool.name == name), None)


def one(conn: Connection[Any], name: str) -> wire.Pool:
    found = find(conn, name)
    if found is None:
        raise unknown(conn, name)
    return found


def unknown(conn: Connection[Any], name: str) -> NotFound:
    with conn.cursor(row_factory=scalar_row) as cursor:
        known: list[str] = cursor.execute(NAMES).fetchall()
    advice = did_you_mean(name, known) or "to list pools: headway pool ls"
    return NotFound(f"there is no pool {name!r}", hint=advice)
