"""Reads of stored results. Every function takes a connection; none commits."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import args_row

FETCH_BYTES_MAX: Final = 256 * 1024 * 1024  # of values in one answer

FETCH: LiteralString = """
    SELECT task_id, map_index, key,
        CASE WHEN sum(CASE WHEN file IS NULL THEN size END) OVER (ROWS UNBOUNDED PRECEDING) <= %(bytes_max)s
        THEN coalesce(whole, value)::text END AS value,
        file, size, length, secrets
    FROM unnest(%(tasks)s::text[], %(keys)s::text[], %(indexes)s::integer[])
        AS wanted (wanted_task, wanted_key, wanted_index)
    CROSS JOIN LATERAL (
        SELECT xcom.task_id, xcom.map_index, xcom.key, xcom.value, whole, file, size, length, secrets
        FROM xcom
        WHERE xcom.team_id = %(team_id)s AND xcom.run_id = %(run_id)s AND xcom.task_id = wanted_task
            AND xcom.key = wanted_key
            AND (wanted_index IS NULL OR xcom.map_index = wanted_index)
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
    """``value`` is JSON text, or ``file`` a path below the data directory; ``size`` in bytes. Neither: it is
    beyond what one answer may hold. ``secrets``: those that were handed to its task and that it reveals.
    """

    task_id: str
    map_index: int
    key: str
    value: str | None
    file: str | None
    size: int
    length: int | None
    secrets: list[str] | None


def fetch(conn: Connection[Any], team_id: int, run_id: str, refs: Sequence[Wanted]) -> list[Found]:
    """The stored values of one run that ``refs`` name, those of one task in the order of their
    map index.
    """
    values = {
        "team_id": team_id,
        "run_id": run_id,
        "tasks": [ref.task_id for ref in refs],
        "keys": [ref.key for ref in refs],
        "indexes": [ref.map_index for ref in refs],
        "bytes_max": FETCH_BYTES_MAX,
    }
    with conn.cursor(row_factory=args_row(Found)) as cursor:
        return cursor.execute(FETCH, values).fetchall()
