"""The SQL of an archive of ``pg_dump``, run on a server that may be older, by a user that may be another.

What cannot be meant for this server is left out: settings that it does not know, and grants to roles that
are not here. A right of the former owner is one of the owner now.
"""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import IO, Any, Final, LiteralString

import psycopg
from psycopg import Connection, errors

from headway.errors import Conflict
from headway.pg.binaries import installed
from headway.store.transact import APP, ENGINE

COPY_END: Final = b"\\.\n"
SETTING: Final = re.compile(rb"SET (\w+) = .*;\n")
GRANT: Final = re.compile(rb"(?:GRANT|REVOKE) .* (?:TO|FROM) (\"[^\"]+\"|\w+)(?: WITH .*)?;\n")
POLICY: Final = re.compile(
    rb"(CREATE POLICY .* ON .*? TO )(\"[^\"]+\"|\w+)((?: USING| WITH CHECK) .*\n)"
)
HAS_TRANSACTIONS: LiteralString = """
    SELECT EXISTS (
        SELECT FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = 'event' AND column_name = 'xact')
"""
FORGET_TRANSACTIONS: LiteralString = """
    UPDATE public.event SET xact = '0' WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())
"""
NOT_HERE: Final = re.compile(rb"SET SESSION AUTHORIZATION|RESET SESSION AUTHORIZATION|\\")


def put_back(conn: Connection[Any], file: Path) -> list[str]:
    """Load the archive in the caller's transaction, into an empty database. Returns the skipped grants."""
    script = Script(conn)
    try:
        for section in ("pre-data", "post-data"):
            if section == "post-data":
                with lines_of(file, "data") as lines:
                    script.load(lines)
            with lines_of(file, section) as lines:
                conn.execute(b"".join(script.adapted(lines)), prepare=False)
    except (errors.DiskFull, psycopg.OperationalError):
        raise
    except psycopg.Error as error:
        raise Conflict(
            f"the database server cannot restore the backup: {error.diag.message_primary}",
            where=str(file),
            hint="nothing was changed; restore it with the PostgreSQL version that wrote the backup",
        ) from error
    # The archive has switched it off, for what it did not say itself.
    conn.execute("SET LOCAL row_security = on")
    forget_installation(conn)
    forget_transactions(conn)
    return script.left_out


def forget_installation(conn: Connection[Any]) -> None:
    """Forget who provided the DAGs, which was true only at the time of the backup."""
    row = conn.execute("SELECT to_regclass('public.installation')").fetchone()
    if row is not None and row[0] is not None:
        conn.execute("DELETE FROM public.installation")


def forget_transactions(conn: Connection[Any]) -> None:
    """Forget transaction numbers, because another server counts its own, and would find them again later."""
    row = conn.execute(HAS_TRANSACTIONS).fetchone()
    if row is not None and row[0]:
        conn.execute(FORGET_TRANSACTIONS)


class Script:
    def __init__(self, conn: Connection[Any]) -> None:
        self.conn = conn
        self.settings = {name.encode() for (name,) in conn.execute("SELECT name FROM pg_settings")}
        self.roles = {name.encode() for (name,) in conn.execute("SELECT rolname FROM pg_roles")}
        self.left_out: list[str] = []

    def adapted(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """Yield adapted statements, not rows."""
        for line in lines:
            if NOT_HERE.match(line):
                continue
            if (found := SETTING.fullmatch(line)) and found[1] not in self.settings:
                continue
            if (found := GRANT.fullmatch(line)) and not self.is_here(found[1]):
                if b" ON SCHEMA public " not in line:  # what the former owner had is the owner's
                    self.left_out.append(line.decode(errors="replace").strip())
                continue
            if (found := POLICY.fullmatch(line)) and found[2].decode() not in (APP, ENGINE):
                yield found[1] + b"CURRENT_USER" + found[3]
                continue
            yield line

    def is_here(self, role: bytes) -> bool:
        return role == b"PUBLIC" or role.strip(b'"') in self.roles

    def load(self, lines: Iterator[bytes]) -> None:
        """Execute the archive's one-line statements, and copy the rows of each table."""
        for line in lines:
            if line.startswith(b"COPY "):
                with self.conn.cursor() as cursor, cursor.copy(line) as copy:
                    for row in takewhile(lambda row: row != COPY_END, lines):
                        copy.write(row)
            else:
                for statement in self.adapted(iter([line])):
                    self.conn.execute(statement, prepare=False)


@contextmanager
def lines_of(file: Path, section: str) -> Iterator[Iterator[bytes]]:
    command = [installed().program("pg_restore"), "--no-owner", f"--section={section}", "--file=-"]
    with subprocess.Popen([*command, str(file)], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        yield said_by(program.stdout)
    if program.returncode != 0:
        raise Conflict("cannot read the backup: pg_restore failed", where=str(file))


def said_by(output: IO[bytes]) -> Iterator[bytes]:
    return (line for line in output if not line.startswith(b"--"))
