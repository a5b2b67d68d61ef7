"""Bring a database to this version's schema: numbered SQL files, each applied once, in order.

One transaction each, under a lock that ends with it, so any number of processes may migrate at once
and a pooler may lie between. An applied file is history: its text must never change. A newer
database is refused; within one version, old code runs beside new schema (expand, later contract).

Others work meanwhile. A migration that waits for a table holds up all that come after it, so it gives up soon, lets
them pass and tries again.
"""

import logging
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final, LiteralString

from psycopg import Connection, errors

from headway import clock
from headway.errors import Conflict, NotAllowed
from headway.store.transact import Limits, Session, connect, transact

PACKAGE: Final = "headway.store"

# An index on a large table takes its time. For a lock it waits less than the second after which the server ends one of
# two transactions that wait for each other: that one could be a scheduler's.
PATIENCE: Final = Limits(
    statement_timeout_s=0, lock_timeout_s=0.5, idle_in_transaction_timeout_s=60
)
PAUSE_S: Final = 0.1
TOLD_EVERY_S: Final = 10.0

log = logging.getLogger(__name__)

LOCK: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('headway migrate'))"

CREATE_HISTORY: LiteralString = """
    CREATE TABLE IF NOT EXISTS schema_migration (
        number     integer PRIMARY KEY,
        name       text NOT NULL,
        sha256     text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""

HISTORY: LiteralString = "SELECT number, name, sha256 FROM schema_migration ORDER BY number"

OLDEST: LiteralString = """
    SELECT format('process %s of user %s, since %s', pid, usename, to_char(xact_start, 'YYYY-MM-DD HH24:MI:SS'))
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    ORDER BY xact_start
    LIMIT 3
"""

RECORD: LiteralString = """
    INSERT INTO schema_migration (number, name, sha256) VALUES (%(number)s, %(name)s, %(sha256)s)
"""

ROLES_BY_ADMIN: Final = """an administrator must run this once:
    CREATE ROLE headway_engine NOLOGIN NOINHERIT NOBYPASSRLS;
    CREATE ROLE headway_app NOLOGIN NOINHERIT NOBYPASSRLS;
    GRANT headway_engine, headway_app TO "{user}";
    GRANT CREATE, USAGE ON SCHEMA public TO "{user}";"""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: bytes

    @property
    def sha256(self) -> str:
        return sha256(self.text).hexdigest()


def migrations() -> list[Migration]:
    """Return all migrations of this version, in order."""
    folder = files(PACKAGE).joinpath("migrations")
    found = []
    for file in folder.iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            found.append(Migration(int(number), name, file.read_bytes()))
    found.sort(key=lambda migration: migration.number)
    assert [m.number for m in found] == list(range(1, len(found) + 1)), "numbers run from 1"
    return found


def migrate(dsn: str, *, prepare: bool = True) -> list[str]:
    """Apply pending migrations as the owner. Returns their names."""
    wanted = migrations()
    applied = []
    with connect(dsn, application="headway migrate", limits=PATIENCE, prepare=prepare) as conn:
        while (migration := applied_next(conn, wanted)) is not None:
            applied.append(f"{migration.number:04}_{migration.name}")
    return applied


def applied_next(conn: Session, wanted: list[Migration]) -> Migration | None:
    """Apply the next one as soon as nobody holds what it needs; meanwhile say who may."""
    told_at = clock.monotonic()
    while True:
        try:
            return transact(conn, apply_next, wanted)
        except errors.LockNotAvailable:
            if clock.monotonic() - told_at >= TOLD_EVERY_S:
                told_at = clock.monotonic()
                oldest = "; ".join(text for (text,) in conn.execute(OLDEST))
                log.warning(
                    "a migration waits for others to end their transactions; the oldest: %s", oldest
                )
            clock.sleep(PAUSE_S)


def require_current(dsn: str) -> None:
    """Raise Conflict if the database is not of this version. Changes nothing."""
    with connect(dsn, application="headway migrate", limits=PATIENCE) as conn:
        exists = conn.execute("SELECT to_regclass('public.schema_migration')").fetchone()
        missing = migrations() if exists == (None,) else transact(conn, pending, migrations())
    if missing:
        raise Conflict(
            f"the database lacks {len(missing)} migrations of this version",
            hint="run: headway migrate",
        )


def left_to_apply(conn: Connection[Any]) -> int:
    """Return how many migrations a database lacks. Raises Conflict if it is not one of this version's past."""
    return len(pending(conn, migrations()))


def create_roles(dsn: str) -> None:
    """Create the roles that a backup's grants name, and leave the empty database of ``dsn`` empty."""
    with connect(dsn, application="headway migrate", limits=PATIENCE) as conn:
        transact(conn, apply_next, migrations()[:1])
        conn.execute("DROP TABLE schema_migration")


def apply_next(conn: Connection[Any], wanted: list[Migration]) -> Migration | None:
    try:
        conn.execute(LOCK)
        conn.execute(CREATE_HISTORY)
        missing = pending(conn, wanted)
        if not missing:
            return None
        migration = missing[0]
        conn.execute(migration.text)
    except errors.InsufficientPrivilege as error:
        raise NotAllowed(
            f"the database user {conn.info.user} is not allowed to set up the database: {error}",
            hint=ROLES_BY_ADMIN.format(user=conn.info.user),
        ) from error
    row = {"number": migration.number, "name": migration.name, "sha256": migration.sha256}
    conn.execute(RECORD, row)
    return migration


def pending(conn: Connection[Any], wanted: list[Migration]) -> list[Migration]:
    """Return the pending migrations. Raises Conflict if the applied ones are not the beginning of ours."""
    applied = conn.execute(HISTORY).fetchall()
    if len(applied) > len(wanted):
        raise Conflict(
            f"the database is at schema {applied[-1][0]}, this Headway supports up to {len(wanted)}",
            hint="upgrade Headway, or restore a backup from before the upgrade",
        )
    for (number, name, digest), migration in zip(applied, wanted, strict=False):
        if (number, digest) != (migration.number, migration.sha256):
            raise Conflict(
                f"migration {number:04}_{name} was applied with a different text than this Headway has",
                hint="applied migrations never change; install the Headway version that applied it",
            )
    return wanted[len(applied) :]
