"""Views of pools."""

from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, scalar_row, tuple_row

from headway import wire
from headway.errors import NotFound
from headway.spec.errors import did_you_mean

FIELDS: Final = ("team", "used", "allotted", "revoked")

ALL: LiteralString = """
    SELECT name, slots, used, allotted, (
        SELECT count(*) FROM task_instance
        WHERE task_instance.team_id = pool.team_id AND task_instance.pool = pool.name
            AND rank IS NOT NULL
    ) AS waiting
    FROM pool WHERE is_open OR used > 0 ORDER BY name
"""

NAMES: LiteralString = "SELECT name FROM pool ORDER BY name"

LENT: LiteralString = "SELECT pool, team, used, allotted, NOT is_open FROM lent_pools()"

# What only a deletion waits for.
KEEP: LiteralString = "SELECT FROM pool WHERE name = %(name)s AND lender_id IS NULL FOR KEY SHARE"


def every(conn: Connection[Any]) -> list[wire.Pool]:
    with conn.cursor(row_factory=class_row(wire.Pool)) as cursor:
        found = cursor.execute(ALL).fetchall()
    if all(pool.allotted is None for pool in found):
        return found
    loans = lent(conn)
    return [msgspec.structs.replace(pool, lent_to=loans.get(pool.name, [])) for pool in found]


def lent(conn: Connection[Any]) -> dict[str, list[wire.PoolLoan]]:
    """Return what other teams have of the pools of this one."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        found: dict[str, list[wire.PoolLoan]] = {}
        for pool, *loan in cursor.execute(LENT):
            found.setdefault(pool, []).append(wire.PoolLoan(**dict(zip(FIELDS, loan, strict=True))))
    return found


def keep(conn: Connection[Any], name: str) -> None:
    """Let nobody delete a pool of the team before the transaction ends. Raises NotFound."""
    if conn.execute(KEEP, {"name": name}).fetchone() is None:
        raise unknown(conn, name)


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
