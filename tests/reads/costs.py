"""What a request costs the database, counted and not timed: statements, rows read, buffers touched.

The server itself counts, for each table and index, what this transaction took from it, also what a filter threw away
afterwards. So the numbers are the same on every machine.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import psycopg
from psycopg import Connection

from headway.api import door
from headway.store import transact as store

# Tuples of a table: rows that a scan returned to be filtered. Of an index: entries that were looked at.
TAKEN = """
    SELECT relname, relkind, pg_stat_get_xact_tuples_returned(oid), pg_stat_get_xact_blocks_fetched(oid),
        pg_stat_get_xact_tuples_fetched(oid)
    FROM pg_class WHERE relkind IN ('r', 'i', 't') AND relnamespace <> 'pg_catalog'::regnamespace
"""


@dataclass(slots=True)
class Cost:
    statements: int = 0
    rows: int = 0
    buffers: int = 0
    of: dict[str, "Cost"] = field(default_factory=dict)  # by statement

    def add(self, statement: str, rows: int, buffers: int) -> None:
        single = self.of.setdefault(statement, Cost())
        for each in (self, single):
            each.statements += 1
            each.rows += rows
            each.buffers += buffers


Taken = dict[str, tuple[int, int]]
Execute = Callable[..., Any]


def taken(conn: Connection[Any], execute: Execute) -> Taken:
    """Rows and buffers of each table and index since this connection last told of them."""
    cursor = conn.cursor()
    execute(cursor, TAKEN)
    return {
        name: (returned + (fetched if kind == "r" else 0), blocks)
        for name, kind, returned, blocks, fetched in cursor.fetchall()
    }


@contextmanager
def counted() -> Iterator[Cost]:
    """Of all that the API asks the database meanwhile, in this process, through its door."""
    cost = Cost()
    execute, transact = psycopg.Cursor.execute, store.transact
    inside = threading.local()
    one_at_a_time = threading.Lock()

    def counting(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        conn = getattr(inside, "conn", None)
        if conn is None or self.connection is not conn:
            return execute(self, query, *args, **more)
        before = taken(conn, execute)
        answer = execute(self, query, *args, **more)
        sums: dict[str, int] = defaultdict(int)
        for name, (rows, buffers) in taken(conn, execute).items():
            known_rows, known_buffers = before.get(name, (0, 0))
            sums["rows"] += rows - known_rows
            sums["buffers"] += buffers - known_buffers
        with one_at_a_time:
            cost.add(str(query), sums["rows"], sums["buffers"])
        return answer

    def transacting(conn: Any, work: Callable[[Any], Any]) -> Any:
        def watched(conn: Any) -> Any:
            inside.conn = conn
            try:
                return work(conn)
            finally:
                inside.conn = None

        return transact(conn, watched)

    with (
        mock.patch.object(psycopg.Cursor, "execute", counting),
        mock.patch.object(door, "transact", transacting),
    ):
        yield cost
