"""Restore of a backup: into a new database beside the old one, then the two names are swapped.

The swap is one transaction, the old database is kept under another name until somebody drops it, and a
failure at any point leaves it as it was. The server may be older than the one that was backed up, and
its user another one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection, errors, sql
from psycopg.conninfo import make_conninfo

from headway import clock
from headway.errors import Conflict, NotAllowed, NotReachable
from headway.store.archive import put_back
from headway.store.backup import refuse_pooler
from headway.store.migrate import create_roles
from headway.store.seal import check
from headway.store.transact import Limits, Session, connect, transact

MAINTENANCE: Final = "postgres"
MAINTENANCE_OF_IT: Final = "template1"  # when that is the one to be restored
UNLIMITED: Final = Limits(statement_timeout_s=0, lock_timeout_s=0, idle_in_transaction_timeout_s=0)

LEAVING_S: Final = 2.0

LOCK: LiteralString = "SELECT pg_try_advisory_lock(hashtext('headway restore ' || %s))"
USED: LiteralString = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = %s)"
TABLES_OF: LiteralString = "SELECT tableowner FROM pg_tables WHERE tablename = 'schema_migration'"
DATABASE: LiteralString = """
    SELECT oid, pg_encoding_to_char(encoding), datcollate, datctype,
        pg_has_role(datdba, 'MEMBER') AS is_ours,
        (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user) AS may_create
    FROM pg_database WHERE datname = %s
"""
CREATE: LiteralString = (
    "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
)


def restore(dsn: str, file: Path, keep_as: str) -> list[str]:
    """Restore ``file`` into the database of ``dsn``, and keep the previous one as database ``keep_as``.

    Nobody else may be connected. Answers with the grants that are not restored, for their roles are not
    here.
    """
    check(file)
    with connect(dsn, application="headway restore") as conn:
        refuse_pooler(conn)
        name = conn.info.dbname
        refuse_foreign_tables(conn)
    with maintaining(dsn, name) as conn:
        draft = begin(conn, name)
        try:
            left_out = fill(make_conninfo(dsn, dbname=draft), file)
            transact(conn, swap, name, draft, keep_as)
        finally:
            drop(conn, draft)
    return left_out


@contextmanager
def restored_beside(dsn: str, file: Path) -> Iterator[str]:
    """Restore ``file`` into a database beside that of ``dsn``, which goes on. It is removed at the end."""
    check(file)
    with connect(dsn, application="headway restore") as conn:
        refuse_pooler(conn)
        name = conn.info.dbname
    with maintaining(dsn, name) as conn:
        draft = begin(conn, name, beside=True)
        try:
            draft_dsn = make_conninfo(dsn, dbname=draft)
            fill(draft_dsn, file)
            yield draft_dsn
        finally:
            drop(conn, draft)


@contextmanager
def maintaining(dsn: str, name: str) -> Iterator[Session]:
    """Connect to another database of the server than ``name``. Raises NotReachable if the server goes away."""
    beside = MAINTENANCE if name != MAINTENANCE else MAINTENANCE_OF_IT
    try:
        held = make_conninfo(dsn, dbname=beside)
        with connect(held, application="headway restore", limits=UNLIMITED) as conn:
            yield conn
    except psycopg.OperationalError as error:
        reason = next(iter(str(error).splitlines()), "")
        raise NotReachable(
            f"the connection to the database server was lost: {reason}",
            hint="nothing was changed; try again when the server answers",
        ) from error


def fill(draft_dsn: str, file: Path) -> list[str]:
    """Load a backup into an empty database. Returns the grants that are left out."""
    create_roles(draft_dsn)
    with connect(draft_dsn, application="headway restore", limits=UNLIMITED) as filled:
        return transact(filled, put_back, file)


def refuse_foreign_tables(conn: Connection[Any]) -> None:
    """Check that the restoring user owns the tables, because the restore makes that user their owner."""
    row = conn.execute(TABLES_OF).fetchone()
    if row is not None and row[0] != conn.info.user:
        raise NotAllowed(
            f"the tables belong to the database user {row[0]}, so {conn.info.user} cannot restore them",
            hint=f"use the user {row[0]} in --database-url",
        )


def begin(conn: Connection[Any], name: str, *, beside: bool = False) -> str:
    """Create an empty database, replacing what a killed restore left. Returns its name.

    ``beside``: it will not take the place of ``name``, which goes on.
    """
    found = conn.execute(DATABASE, [name]).fetchone()
    assert found is not None, "it answered just now"
    oid, encoding, collate, ctype, is_ours, may_create = found
    if not (may_create and (is_ours or beside)):
        user = conn.info.user
        owner = "" if beside else f'\n    ALTER DATABASE "{name}" OWNER TO "{user}";'
        raise NotAllowed(
            f"the database user {user} is not allowed to "
            f"{'create a database beside' if beside else 'replace the database'} {name}",
            hint=f'an administrator must run this once:\n    ALTER ROLE "{user}" CREATEDB;{owner}',
        )
    # A name of its own, however long that of the database is: names are cut off at 63 bytes.
    draft = f"headway_{'drill' if beside else 'restoring'}_{oid}"
    if not one(conn, LOCK, draft if beside else name):
        raise Conflict(f"another {'drill' if beside else 'restore'} of this database is running")
    if not beside:
        wait_for_last(conn, name)
    drop(conn, draft)
    create = sql.SQL(CREATE).format(
        sql.Identifier(draft), sql.Literal(encoding), sql.Literal(collate), sql.Literal(ctype)
    )
    conn.execute(create)
    return draft


def wait_for_last(conn: Connection[Any], name: str) -> None:
    """Wait for just-closed connections to disappear. The swap refuses connections that come later."""
    deadline = clock.monotonic() + LEAVING_S
    while one(conn, USED, name):
        if clock.monotonic() > deadline:
            raise in_use()
        clock.sleep(0.02)


def one(conn: Connection[Any], query: LiteralString, *values: object) -> Any:
    row = conn.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def swap(conn: Connection[Any], name: str, draft: str, keep_as: str) -> None:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    try:
        conn.execute(rename.format(sql.Identifier(name), sql.Identifier(keep_as)))
        conn.execute(rename.format(sql.Identifier(draft), sql.Identifier(name)))
    except errors.ObjectInUse as error:
        raise in_use() from error
    except errors.DuplicateDatabase as error:
        raise Conflict(f"a database named {keep_as} already exists") from error


def in_use() -> Conflict:
    return Conflict(
        "nothing was restored, because the database is in use", hint="stop Headway, then try again"
    )


def drop(conn: Connection[Any], name: str) -> None:
    conn.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
