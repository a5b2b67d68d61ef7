"""Headway on a PostgreSQL of one's own, by way of a pooler where there is one, and a second Headway on the same."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from headway.client import Client
from headway.errors import NotFound
from headway.store import api_login
from headway.store.migrate import migrate
from headway.store.transact import connect as connect_to
from tests.cli.conftest import (
    connected,
    headway,
    start,
    stop,
)
from tests.own_postgres import PASSWORD, documented_user, installed_versions, own_server
from tests.pgbouncer import PROGRAM, pgbouncer

pytestmark = pytest.mark.long

DAG = """
import os
from headway import dag, task

@dag
def demo():
    @task
    def hello():
        print("the log of", os.getpid())
        return "x" * 100_000

    @task
    def length(text):
        return len(text)

    length(hello())

demo()
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """By way of PgBouncer in transaction mode where there is one."""
    versions = installed_versions()
    with own_server(versions[min(versions)]) as superuser:
        own = documented_user(superuser, "hw", "hw")
        migrate(own)
        if PROGRAM is None:
            yield own
            return
        with pgbouncer(own, "ignore_startup_parameters = options", size=4) as pooled:
            yield pooled


def folder_in(parent: Path, name: str) -> Path:
    folder = parent / name
    (folder / "dags").mkdir(parents=True)
    (folder / "dags" / "demo.py").write_text(DAG)
    return folder


def server_of(folder: Path) -> Client:
    return connected(folder / ".headway")


def logins(dsn: str) -> set[str]:
    """As whom the processes of the server log in, directly or by way of the pooler."""
    with connect_to(dsn) as conn:
        rows = conn.execute(
            "SELECT DISTINCT usename::text FROM pg_stat_activity WHERE datname = current_database()"
        )
        return {user for (user,) in rows}


def command_lines() -> str:
    """Of all processes, as everybody can read them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


def test_one_database_is_of_one_data_directory_at_a_time(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_DATABASE_URL", database)
    first, second = folder_in(tmp_path, "first"), folder_in(tmp_path, "second")

    said = headway("migrate", "--database-url", database, cwd=first)
    assert said.returncode == 0
    assert said.stderr.count("anyone on this machine can read the password in --database-url") == 1
    said = headway("migrate", cwd=first)
    assert "CREATE ROLE headway_api LOGIN NOINHERIT" in said.stderr
    own = make_conninfo(database, user=api_login.LOGIN)
    monkeypatch.setenv(api_login.VARIABLE, own)
    said = headway("migrate", cwd=first)
    assert said.stderr == "the database is up to date\n"

    alone = headway("run", "dags/demo.py", cwd=first)
    assert alone.returncode == 0, alone.stderr
    assert not (first / ".headway" / "postgres").exists(), "its database is the one that is named"

    up = start(first)
    assert logins(database) == {"headway_api", "hw"}
    found = headway("doctor", "-o", "json", cwd=first).stdout
    assert '"detail":"the API has a login of its own"' in found.replace('": "', '":"')
    assert PASSWORD not in command_lines()
    ran = headway("run", "demo", cwd=first)
    assert ran.returncode == 0, ran.stderr
    runs = headway("ls", "runs", cwd=first).stdout
    assert alone.stdout.strip() in runs
    for arguments in (("up", "--port", "0"), ("run", "dags/demo.py"), ("run", "demo")):
        refused = headway(*arguments, cwd=second)
        assert refused.returncode == 2, refused.stderr
        assert "another Headway server already loads DAGs into this database" in refused.stderr
        assert f"on {socket.gethostname()}, from {first / 'dags'}" in refused.stderr
    stop(up)

    # When the first has let go of it, the second goes on, and says where what it does not have is.
    up = start(second)
    client = server_of(second)
    assert client.run(alone.stdout.strip()).state == "success"
    with pytest.raises(NotFound) as caught:
        client.log(alone.stdout.strip(), "hello")
    assert f"on host {socket.gethostname()}, in {first / '.headway'}" in str(caught.value)
    client.close()
    stop(up)
