"""Which logs a run has, in the order of its tasks."""

from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import args_row

from headway.paths import log_path

LOGS_MAX: Final = 2000

OF_RUN: LiteralString = """
    SELECT task_id, map_index, number FROM attempt
    WHERE run_id = %(run_id)s
        AND (task_id, map_index, number) >= (%(task_id)s, %(map_index)s, %(number)s)
    ORDER BY task_id, map_index, number LIMIT %(limit)s
"""


class Key(NamedTuple):
    """An attempt of a run."""

    task_id: str
    map_index: int
    number: int


class Logs(NamedTuple):
    keys: list[Key]
    following: tuple[Key, int] | None  # the log and line that come after these


def of_run(conn: Connection[Any], run_id: str, first: Key, line: int) -> Logs:
    """From ``first`` on, a bounded number."""
    values = {"run_id": run_id, **first._asdict(), "limit": LOGS_MAX + 1}
    with conn.cursor(row_factory=args_row(Key)) as cursor:
        keys = cursor.execute(OF_RUN, values).fetchall()
    if len(keys) <= LOGS_MAX:
        return Logs(keys, None)
    return Logs(keys[:LOGS_MAX], (keys[LOGS_MAX], 1))


def path(run_id: str, key: Key) -> str:
    """Below the data directory."""
    return log_path(run_id, *key)
