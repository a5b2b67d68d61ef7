"""Backup of the database, embedded or not, with the wheel's ``pg_dump``.

A backup is one consistent moment, taken while everything runs, and exists under its name only when
it is whole, was read back and is sealed. It holds the database alone: blobs, logs and large results are
files of the data directory.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway import clock
from headway.config import FULL_ERRNOS
from headway.errors import Conflict, HeadwayError, NotAllowed, NotReachable, StorageFull
from headway.pg.binaries import installed
from headway.store.seal import seal
from headway.store.transact import Session, connect

SUFFIX: Final = ".dump"
PARTIAL: Final = ".partial"
REMAINS_S: Final = 24 * 3600.0

# Tables of which this user sees, or may see, a part only. ``pg_dump`` reads them as policies let it, for the
# owner has to obey them: it must have one that lets everything through, and none that takes away.
PARTLY_SEEN: LiteralString = """
    WITH policy AS (
        SELECT polrelid AS table_id, polpermissive AS permits,
            pg_get_expr(polqual, polrelid) AS condition
        FROM pg_policy
        WHERE polcmd IN ('*', 'r') AND EXISTS (
            SELECT FROM unnest(polroles) AS role (id)
            WHERE CASE WHEN id = 0 THEN true ELSE pg_has_role(id, 'USAGE') END)
    )
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND row_security_active(pg_class.oid)
        AND (NOT EXISTS (
                SELECT FROM policy
                WHERE table_id = pg_class.oid AND permits AND condition = 'true')
            OR EXISTS (SELECT FROM policy WHERE table_id = pg_class.oid AND NOT permits))
    ORDER BY relname
"""


def backup(dsn: str, folder: Path, name: str) -> Path:
    """Write ``folder/name.dump``, or ``name-2.dump`` when there is one: ``name`` should tell the time.

    Readable by its owner only.
    """
    # First: pg_dump would wait for a silent server.
    with connect(dsn, application="headway backup") as conn:
        refuse_pooler(conn)
        refuse_part(conn)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_remains(folder)
        handle, draft_name = mkstemp(dir=folder, prefix=f".{name}.", suffix=PARTIAL)  # 0600
    except OSError as error:
        raise unwritable(error, folder) from error
    os.close(handle)
    draft = Path(draft_name)
    try:
        dump(dsn, draft)
        seal(draft)
        sync(draft)
        target = publish(draft, folder, name)
        sync(folder)
    except OSError as error:
        raise unwritable(error, folder) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def remove_remains(folder: Path) -> None:
    """Remove files of killed backups, which have not been written to for long. Several may remove them at once."""
    for path in folder.glob(f".*{PARTIAL}"):
        with contextlib.suppress(FileNotFoundError):
            if clock.now().timestamp() - path.stat().st_mtime > REMAINS_S:
                path.unlink()


def publish(draft: Path, folder: Path, name: str) -> Path:
    """Publish the backup under the first free name, because another may have been made in the same second."""
    for target in names(folder, name):
        try:
            target.hardlink_to(draft)
        except FileExistsError:
            continue
        return target
    raise AssertionError("names do not end")


def names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / f"{name}{SUFFIX}"
    for number in count(2):
        yield folder / f"{name}-{number}{SUFFIX}"


def refuse_pooler(conn: Session) -> None:
    """Refuse a pooler, because the settings of ``pg_dump`` would stay on a shared connection."""
    if conn.pooled:
        raise Conflict(
            "the database is behind a connection pooler, which cannot be used for backup and restore",
            hint="connect to the database server directly with --database-url",
        )


def refuse_part(conn: Connection[Any]) -> None:
    hidden = [str(name) for (name,) in conn.execute(PARTLY_SEEN)]
    if not hidden:
        return
    user = conn.info.user
    inherit = " WITH INHERIT TRUE" if conn.info.server_version >= 160000 else ""
    raise NotAllowed(
        f"the database user {user} sees only part of {', '.join(hidden)}, so no backup was written",
        hint=f"an administrator must run this once:\n"
        f'    ALTER ROLE "{user}" INHERIT;\n'
        f'    GRANT headway_engine TO "{user}"{inherit};',
    )


def dump(dsn: str, file: Path) -> None:
    """Write the archive and read all of it back."""
    # Without row security pg_dump refuses what policies may hide; whether they do was looked at.
    run_program(dsn, "pg_dump", "--format=custom", "--enable-row-security", f"--file={file}")
    done = subprocess.run(
        [installed().program("pg_restore"), f"--file={os.devnull}", str(file)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise Conflict(
            f"cannot read the written backup: {first_line(done.stderr)}", where=str(file.parent)
        )


def run_program(dsn: str, program: str, *arguments: str) -> None:
    """Run the program with the password in its environment, because anyone can read command lines."""
    parts = conninfo_to_dict(dsn)
    password = str(parts.pop("password", ""))
    done = subprocess.run(
        [installed().program(program), f"--dbname={make_conninfo('', **parts)}", *arguments],
        env={**os.environ, **({"PGPASSWORD": password} if password else {})},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        if b"No space left on device" in done.stderr:
            raise full()
        database = str(parts.get("dbname", ""))
        raise NotReachable(f"{program} failed: {first_line(done.stderr)}", where=database)


def unwritable(error: OSError, folder: Path) -> HeadwayError:
    if error.errno in FULL_ERRNOS:
        return full()
    return NotAllowed(f"cannot write the backup: {error.strerror}", where=str(folder))


def full() -> StorageFull:
    return StorageFull("the disk is full", hint="free disk space, then try again")


def first_line(said: bytes) -> str:
    """Return the first line of the tool's output, which says what happened."""
    lines = said.decode(errors="replace").strip().splitlines()
    return next(iter(lines), "no reason given")


def sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
