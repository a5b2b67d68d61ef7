"""Backup and restore of the database, embedded or not, with the wheel's ``pg_dump`` and kin.

A backup is one consistent moment, taken while everything runs, and exists under its name only when
it is whole and was read back. It holds the database alone: blobs, logs and large results are files
of the data directory. A restore fills a new database beside the old one and swaps the two names in
one transaction; the old one is kept under another name until somebody drops it.
"""

import os
import subprocess
from pathlib import Path
from typing import Any, Final

from psycopg import Connection, errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.errors import Conflict, HeadwayError, NotAllowed, NotFound, NotReachable, StorageFull
from headway.pg.binaries import installed
from headway.store.migrate import create_roles
from headway.store.transact import Limits, connect, transact

SUFFIX: Final = ".dump"
MAINTENANCE: Final = "postgres"
UNLIMITED: Final = Limits(statement_timeout_s=0, lock_timeout_s=0, idle_in_transaction_timeout_s=0)


def backup(dsn: str, folder: Path, name: str) -> Path:
    """Write ``folder/name.dump``; ``name`` should tell the time. Readable by its owner only."""
    target = folder / f"{name}{SUFFIX}"
    if target.exists():
        raise Conflict("there is a backup of that name already", where=str(target))
    connect(dsn, application="headway backup").close()  # pg_dump would wait for a silent server
    draft = folder / f".{name}.partial"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        run(dsn, "pg_dump", "--format=custom", f"--file={draft}")
        verify(draft)
        sync(draft)
        draft.rename(target)
        sync(folder)
    except OSError as error:
        raise NotAllowed(
            f"the backup cannot be written: {error.strerror}", where=str(folder)
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def verify(file: Path) -> None:
    """Read the whole backup, every row of it; raises when a part is missing or damaged."""
    if not file.exists():
        raise NotFound("there is no such backup", where=str(file))
    done = subprocess.run(
        [installed().program("pg_restore"), f"--file={os.devnull}", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Conflict(f"the backup is damaged: {first_line(done.stderr)}", where=str(file))


def restore(dsn: str, file: Path, keep_as: str) -> None:
    """Make the database of ``dsn`` what ``file`` holds; what it was stays as database ``keep_as``.

    Nobody else may be connected. A failure at any point leaves the database as it was.
    """
    verify(file)
    name = str(conninfo_to_dict(dsn)["dbname"])
    draft = f"{name}_restoring"
    draft_dsn = make_conninfo(dsn, dbname=draft)
    with connect(make_conninfo(dsn, dbname=MAINTENANCE), limits=UNLIMITED) as conn:
        refuse_if_used(conn, name)
        drop(conn, draft)
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(draft)))
        try:
            create_roles(draft_dsn)
            run(draft_dsn, "pg_restore", "--single-transaction", "--no-owner", str(file))
            transact(conn, swap, name, draft, keep_as)
        finally:
            drop(conn, draft)


def swap(conn: Connection[Any], name: str, draft: str, keep_as: str) -> None:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    try:
        conn.execute(rename.format(sql.Identifier(name), sql.Identifier(keep_as)))
        conn.execute(rename.format(sql.Identifier(draft), sql.Identifier(name)))
    except errors.ObjectInUse as error:
        raise in_use() from error
    except errors.DuplicateDatabase as error:
        raise Conflict(f"there is a database named {keep_as} already") from error


def refuse_if_used(conn: Connection[Any], name: str) -> None:
    """Before the work; the server itself refuses who comes later, after a wait."""
    if (
        conn.execute("SELECT FROM pg_stat_activity WHERE datname = %s LIMIT 1", [name]).fetchone()
        is not None
    ):
        raise in_use()


def in_use() -> Conflict:
    return Conflict(
        "the database is in use, so nothing was restored", hint="stop Headway, then try again"
    )


def drop(conn: Connection[Any], name: str) -> None:
    conn.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def run(dsn: str, program: str, *arguments: str) -> None:
    """The password goes by the environment: a command line can be read by everybody."""
    parts = conninfo_to_dict(dsn)
    password = str(parts.pop("password", ""))
    done = subprocess.run(
        [installed().program(program), f"--dbname={make_conninfo('', **parts)}", *arguments],
        env={**os.environ, **({"PGPASSWORD": password} if password else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise failed(program, done.stderr, dsn)


def failed(program: str, said: str, dsn: str) -> HeadwayError:
    if "No space left on device" in said:
        return StorageFull("the disk is full", hint="make room, then try again")
    database = str(conninfo_to_dict(dsn).get("dbname", ""))
    return NotReachable(f"{program} failed: {first_line(said)}", where=database)


def first_line(text: str) -> str:
    """The tools put what happened first and what it means for them later."""
    return next(iter(text.strip().splitlines()), "no reason given")


def sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
