"""Databases that one test after another is lent, each as if it had just been made, and connections to them.

To make a database costs many files; to give one back costs a few deletes. A new connection reads the catalogue and
plans each statement anew, which costs PostgreSQL more than what most tests do: so connections stay, too, and begin
as new ones for each test. A database that was altered, or grew, is thrown away with its connections.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, LiteralString, Protocol

import psycopg
from psycopg import sql

from headway import clock
from headway.errors import HeadwayError
from headway.store.transact import LIMITS, PREPARE_AFTER, Session, connect, settle
from tests.postgres import drop_database, make_database

PAGES_MAX: Final = 32  # of one table, with what was deleted: beyond, a new database is cheaper

# Without its time-out, which makes the server look ten times a second.
SESSIONS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL(%s)
"""
# What a session can have set or opened. What it has planned stays.
FORGET: Final = b"""
    RESET SESSION AUTHORIZATION; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP
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


LENT: Final[dict[str, "Lent"]] = {}  # by dsn


class Pool(Protocol):
    """Connections of an API server that has stopped."""

    def pids(self) -> list[int]: ...

    def end(self) -> None: ...


@dataclass
class Lender:
    """Of one server."""

    server: str
    spare: list["Lent"] = field(default_factory=list)

    @contextmanager
    def lend(self) -> Iterator["Lent"]:
        """A migrated, otherwise empty database."""
        lent = self.spare.pop() if self.spare else Lent(make_database(self.server))
        LENT[lent.dsn] = lent
        try:
            yield lent
        finally:
            del LENT[lent.dsn]
            if lent.is_as_before():
                self.spare.append(lent)
            else:
                lent.drop()

    def close(self) -> None:
        while self.spare:
            self.spare.pop().drop()


class Lent:
    """``dsn``: the owner's."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.kept: dict[str | None, list[Session]] = {}  # by role: connections that wait for a test
        self.pools: dict[
            str, list[Pool]
        ] = {}  # by the place of an API server: those that wait for another
        self.keeper = conn = connect(dsn, application="headway lender")
        # For life: each change of it would let all be planned anew. No triggers, no foreign keys.
        conn.execute(
            "SET session_replication_role = replica; SET plan_cache_mode = force_generic_plan"
        )
        conn.prepare_threshold = 0
        self.objects = conn.execute(OBJECTS).fetchone()
        tables, sequences = names(conn, "r"), names(conn, "S")
        self.rows = {table: rows_of(conn, table) for table in tables}
        # One statement each, which is planned once.
        self.find_filled = of_each("SELECT {} WHERE EXISTS (SELECT FROM {})", tables)
        self.read_first = of_each(
            "SELECT {}, (SELECT array_agg(t::text ORDER BY t::text) FROM {} AS t)",
            [table for table, rows in self.rows.items() if rows],
        )
        self.count = of_each("SELECT {}, last_value, is_called FROM {}", sequences)
        self.counts = conn.execute(self.count).fetchall()

    @contextmanager
    def session(self, role: str | None = None) -> Iterator[Session]:
        """A connection as ``connect`` opens it; an earlier test may have had it."""
        waiting = self.kept.setdefault(role, [])
        conn = waiting.pop() if waiting else connect(self.dsn, role=role)
        try:
            yield conn
        finally:
            if begins_anew(conn, role):
                waiting.append(conn)
            else:
                conn.close()

    def is_as_before(self) -> bool:
        """Take away what was left in it. False: it cannot be."""
        conn = self.keeper
        try:
            kept = [each for waiting in self.kept.values() for each in waiting]
            pids = [each.info.backend_pid for each in (conn, *kept)]
            pids += [pid for pools in self.pools.values() for pool in pools for pid in pool.pids()]
            end_sessions(conn, pids)
            if conn.execute(OBJECTS).fetchone() != self.objects or is_large(conn):
                return False
            with conn.transaction():
                self.restore(conn)
        except (psycopg.Error, HeadwayError):
            return False
        return True

    def drop(self) -> None:
        for conn in (self.keeper, *(each for waiting in self.kept.values() for each in waiting)):
            conn.close()
        for pool in (each for pools in self.pools.values() for each in pools):
            pool.end()
        drop_database(self.dsn)

    def restore(self, conn: Session) -> None:
        found = {table for (table,) in conn.execute(self.find_filled)}
        first = {table: rows or [] for table, rows in conn.execute(self.read_first)}
        for table in found | first.keys():
            before, place = self.rows[table], sql.Identifier(table)
            if first.get(table) == before:
                continue
            conn.execute(sql.SQL("DELETE FROM {}").format(place))
            put = sql.SQL("INSERT INTO {0} SELECT (row::{0}).* FROM unnest(%s::text[]) AS row")
            if before:
                conn.execute(put.format(place), [before])
        for now, count in zip(conn.execute(self.count).fetchall(), self.counts, strict=True):
            if now != count:
                conn.execute("SELECT setval(%s::regclass, %s, %s)", count)


def begins_anew(conn: Session, role: str | None) -> bool:
    """Let the connection be as after ``connect``. False: it cannot be."""
    try:
        conn.rollback()
        conn.execute(FORGET, prepare=False)
        conn.prepare_threshold = PREPARE_AFTER
        settle(conn, role, LIMITS)
    except (psycopg.Error, HeadwayError):
        return False
    return True


def end_sessions(conn: Session, others_than: list[int]) -> None:
    """End those that others have left, and wait until they are gone."""
    deadline = clock.monotonic() + SESSIONS_END_S
    while conn.execute(SESSIONS, [others_than]).fetchall():
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


def of_each(statement: LiteralString, names: list[str]) -> sql.Composed:
    """One statement of several that are the same but for a name: the name as a text, and as itself."""
    each = [sql.SQL(statement).format(name, sql.Identifier(name)) for name in names]
    return sql.SQL(" UNION ALL ").join(each)


def is_large(conn: Session) -> bool:
    found = conn.execute(LARGEST).fetchone()
    return found is None or found[0] > PAGES_MAX
