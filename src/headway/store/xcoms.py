"""Reads of stored results. Every function takes a connection; none commits."""

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import Connection

from headway.agent.protocol import Stored, XComRef, XComValue

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


def fetch(
    conn: Connection[Any], team_id: int, run_id: str, refs: Sequence[XComRef]
) -> list[Stored]:
    """The stored values of one run that ``refs`` name, those of one task in the order of their map index."""
    values = {
        "team": team_id,
        "run": run_id,
        "tasks": [ref.task_id for ref in refs],
        "keys": [ref.key for ref in refs],
        "indexes": [ref.map_index for ref in refs],
    }
    return [
        Stored(task_id, map_index, XComValue(key, encoded(value), file, size, length))
        for task_id, map_index, key, value, file, size, length in conn.execute(FETCH, values)
    ]


def encoded(value: str | None) -> bytes | None:
    return None if value is None else value.encode()
