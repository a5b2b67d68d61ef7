"""Reads of stored results. Every function takes a connection; none commits."""

from collections.abc import Sequence
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import args_row

FETCH: LiteralString = """
    SELECT found.* FROM unnest(%(tasks)s::text[], %(keys)s::text[], %(indexes)s::integer[])
        AS wanted (task_id, key, map_index)
    CROSS JOIN LATERAL (
        SELECT xcom.task_id, xcom.map_index, xcom.key, xcom.value::text, file, size, length FROM xcom
        WHERE xcom.team_id = %(team)s AND xcom.run_id = %(run)s AND xcom.task_id = wanted.task_id
            AND xcom.key = wanted.key
            AND (wanted.map_index IS NULL OR xcom.map_index = wanted.map_index)
        ORDER BY xcom.map_index
        OFFSET 0
    ) AS found
"""


class Wanted(NamedTuple):
    """The result ``key`` of a task; of all its instances when ``map_index`` is None."""

    task_id: str
    key: str
    map_index: int | None


class Found(NamedTuple):
    """``value`` is JSON text, or ``file`` a path below the data directory; ``size`` in bytes."""

    task_id: str
    map_index: int
    key: str
    value: str | None
    file: str | None
    size: int
    length: int | None


def fetch(conn: Connection[Any], team_id: int, run_id: str, refs: Sequence[Wanted]) -> list[Found]:
    """The stored values of one run that ``refs`` name, those of one task in the order of their
    map index.
    """
    values = {
        "team": team_id,
        "run": run_id,
        "tasks": [ref.task_id for ref in refs],
        "keys": [ref.key for ref in refs],
        "indexes": [ref.map_index for ref in refs],
    }
    with conn.cursor(row_factory=args_row(Found)) as cursor:
        return cursor.execute(FETCH, values).fetchall()
