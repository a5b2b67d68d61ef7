"""A PostgreSQL that is not ours: other versions, over TCP, with passwords, and a user of the documented rights.

Those of Debian are found by themselves; HEADWAY_TEST_POSTGRES names the folders of more programs, as
``/one/bin:/other/bin``.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from psycopg import sql
from psycopg.conninfo import make_conninfo

from headway import clock
from headway.errors import HeadwayError
from headway.pg.account import ENVIRONMENT, Account, Spawn, account_for
from headway.pg.binaries import Binaries, reachable_by
from headway.store.transact import connect
from tests.ports import free_port

PASSWORD: Final = "own/password"
PATIENCE_S: Final = 60.0

# As docs/operating.md has it: what an administrator does for a user who may make no roles.
ROLES: Final = (
    "CREATE ROLE headway_engine NOLOGIN NOINHERIT NOBYPASSRLS",
    "CREATE ROLE headway_app NOLOGIN NOINHERIT NOBYPASSRLS",
    f"CREATE ROLE headway_api LOGIN NOINHERIT PASSWORD '{PASSWORD}'",
)
GRANT_OF_THE_API: Final = "GRANT headway_app TO headway_api"
GRANT: Final = "GRANT headway_engine, headway_app TO {}"


@cache
def installed_versions() -> dict[int, Binaries]:
    """By major version; the newest is the one that Headway carries."""
    folders = [
        *sorted(Path("/usr/lib/postgresql").glob("*/bin")),
        *map(Path, filter(None, os.environ.get("HEADWAY_TEST_POSTGRES", "").split(":"))),
    ]
    found = [Binaries(folder.parent) for folder in folders if (folder / "initdb").exists()]
    found.append(reachable_by(account_for(Path("/tmp"))))
    return {binaries.major: binaries for binaries in found}


@contextmanager
def own_server(binaries: Binaries) -> Iterator[str]:
    """The dsn of its superuser."""
    with TemporaryDirectory(prefix="headway-own-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        account = account_for(folder / "cluster")
        account.give(folder)
        spawn = spawn_as(account)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        initdb = [binaries.program("initdb"), "-D", str(folder / "cluster"), "-U", "postgres"]
        options = ["--no-sync", "--auth=scram-sha-256", f"--pwfile={secret}", "--locale=C"]
        subprocess.run(
            [*initdb, *options, "--encoding=UTF8"],
            env=ENVIRONMENT,
            capture_output=True,
            check=True,
            **spawn,
        )
        port = free_port()
        command = [binaries.program("postgres"), "-D", str(folder / "cluster"), f"--port={port}"]
        settings = ["--listen_addresses=127.0.0.1", "--unix_socket_directories=", "--fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*command, *settings], env=ENVIRONMENT, stdout=log, stderr=log, **spawn
            )
        try:
            dsn = address(port, "postgres", "postgres")
            wait_for(dsn)
            yield dsn
        finally:
            server.terminate()
            try:
                server.wait(PATIENCE_S)
            finally:
                server.kill()


def spawn_as(account: Account) -> Spawn:
    return (
        Spawn() if account.is_ours else Spawn(user=account.uid, group=account.gid, extra_groups=[])
    )


def documented_user(dsn: str, user: str, database: str) -> str:
    """The user of a database of its own, by the rights that the documentation names; its dsn."""
    who, where = sql.Identifier(user), sql.Identifier(database)
    with connect(dsn) as conn:
        for role in ROLES:
            name = role.split()[2]
            if conn.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
                conn.execute(role.encode())
        conn.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(who, sql.Literal(PASSWORD))
        )
        conn.execute(sql.SQL(GRANT).format(who))
        conn.execute(GRANT_OF_THE_API)
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(where, who))
    with connect(make_conninfo(dsn, dbname=database)) as conn:
        conn.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(who))
    return make_conninfo(dsn, user=user, dbname=database, password=PASSWORD)


def forget_user(dsn: str, user: str) -> None:
    """With all its databases, whatever they are called by now."""
    with connect(dsn) as conn:
        owned = "SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = %s"
        for (database,) in conn.execute(owned, [user]).fetchall():
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            conn.execute(drop.format(sql.Identifier(database)))
        conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(user)))


def address(port: int, user: str, database: str) -> str:
    return make_conninfo(host="127.0.0.1", port=port, user=user, dbname=database, password=PASSWORD)


def wait_for(dsn: str) -> None:
    """Until somebody is let in."""
    deadline = clock.monotonic() + PATIENCE_S
    while True:
        try:
            conn = connect(dsn)
        except HeadwayError:
            assert clock.monotonic() < deadline
            clock.sleep(0.05)
        else:
            conn.close()
            return
