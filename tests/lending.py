"""Databases that one test after another is lent, each as if it had just been made.

To make one costs many files; to give one back costs a few deletes, over a connection that stays and knows the
catalogue. One that was altered, or grew, is thrown away.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from headway import clock
from headway.errors import HeadwayError
from headway.store.transact import Session, connect
from tests.postgres import drop_database, make_database

PAGES_MAX: Final = 32  # of one table, with what was deleted: beyond, a new database is cheaper

# Without its time-out, which makes the server look ten times a second.
SESSIONS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
SESSIONS_END_S: Final = 60.0
LOOK_S: Final = 0.002
LARGEST: Final = """
    SELECT max(pg_relation_size(oid)) / 8192 FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
# Each change of an object writes its row anew, with the transaction that did it.
OBJECTS: Final = """
    SELECT sum(hashtextextended(kind || oid || by, 0)) FROM (
        SELECT 'class', oid, xmin::text || ' ' || reltuples FROM pg_class WHERE oid >= 16384 AND relpersistence = 'p'
        UNION ALL SELECT 'column', attrelid, attnum || xmin::text FROM pg_attribute WHERE attrelid >= 16384
        UNION ALL SELECT 'constraint', oid, xmin::text FROM pg_constraint WHERE oid >= 16384
        UNION ALL SELECT 'default', oid, xmin::text FROM pg_attrdef
        UNION ALL SELECT 'function', oid, xmin::text FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT 'trigger', oid, xmin::text FROM pg_trigger
        UNION ALL SELECT 'policy', oid, xmin::text FROM pg_policy
        UNION ALL SELECT 'schema', oid, xmin::text FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
        UNION ALL SELECT 'statistics', starelid, staattnum::text FROM pg_statistic WHERE starelid >= 16384
        UNION ALL SELECT 'setting', setdatabase, setrole || setconfig::text FROM pg_db_role_setting
    ) AS object (kind, oid, by)
"""


@dataclass
class Lender:
    """Of one server."""

    server: str
    spare: list["Lent"] = field(default_factory=list)

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The owner's dsn of a migrated, otherwise empty database."""
        lent = self.spare.pop() if self.spare else Lent(make_database(self.server))
        try:
            yield lent.dsn
        finally:
            if lent.is_as_before():
                self.spare.append(lent)
            else:
                lent.drop()

    def close(self) -> None:
        while self.spare:
            self.spare.pop().drop()


class Lent:
    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.keeper = conn = connect(dsn, application="headway lender")
        self.objects = conn.execute(OBJECTS).fetchone()
        self.tables = names(conn, "r")
        self.rows = {table: rows_of(conn, table) for table in self.tables}
        self.filled = {table: rows for table, rows in self.rows.items() if rows}
        self.sequences = {name: state_of(conn, name) for name in names(conn, "S")}

    def is_as_before(self) -> bool:
        """Take away what was left in it. False: it cannot be."""
        conn = self.keeper
        try:
            end_sessions(conn)
            if conn.execute(OBJECTS).fetchone() != self.objects or is_large(conn):
                return False
            with conn.transaction():
                self.restore(conn)
        except (psycopg.Error, HeadwayError):
            return False
        return True

    def drop(self) -> None:
        self.keeper.close()
        drop_database(self.dsn)

    def restore(self, conn: Session) -> None:
        conn.execute("SET LOCAL session_replication_role = replica")  # no triggers, no foreign keys
        filled = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(table, sql.Identifier(table))
            for table in self.tables
        )
        found = {table: self.rows[table] for (table,) in conn.execute(filled)}
        for table, before in {**self.filled, **found}.items():
            if before and rows_of(conn, table) == before:
                continue
            place = sql.Identifier(table)
            conn.execute(sql.SQL("DELETE FROM {}").format(place))
            put = sql.SQL("INSERT INTO {0} SELECT (row::{0}).* FROM unnest(%s::text[]) AS row")
            if before:
                conn.execute(put.format(place), [before])
        for name, state in self.sequences.items():
            conn.execute("SELECT setval(%s::regclass, %s, %s)", [name, *state])


def end_sessions(conn: Session) -> None:
    """End those that others have left, and wait until they are gone."""
    deadline = clock.monotonic() + SESSIONS_END_S
    while conn.execute(SESSIONS).fetchall():
        assert clock.monotonic() < deadline, "sessions of a test do not end"
        clock.sleep(LOOK_S)


def names(conn: Session, kind: str) -> list[str]:
    """Tables (r) or sequences (S) of ours."""
    found = """
        SELECT relname::text FROM pg_class
        WHERE relkind = %s AND relnamespace = 'public'::regnamespace ORDER BY 1
    """
    return [name for (name,) in conn.execute(found, [kind])]


def rows_of(conn: Session, table: str) -> list[str]:
    rows = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(sql.Identifier(table))
    return [row for (row,) in conn.execute(rows)]


def state_of(conn: Session, sequence: str) -> tuple[Any, ...]:
    state = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))
    found = conn.execute(state).fetchone()
    assert found is not None
    return found


def is_large(conn: Session) -> bool:
    found = conn.execute(LARGEST).fetchone()
    return found is None or found[0] > PAGES_MAX
