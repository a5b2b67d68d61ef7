"""Backups from each version of PostgreSQL into each, embedded and of one's own, by the documented rights."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.pg.binaries import installed
from headway.store.backup import backup
from headway.store.migrate import migrate
from headway.store.restore import restore
from headway.store.transact import ENGINE, connect
from tests.own_postgres import documented_user, installed_versions, own_server
from tests.postgres import private_server

pytestmark = pytest.mark.stress

EMBEDDED = "embedded"


@pytest.fixture(scope="module")
def databases() -> Iterator[Mapping[str, str]]:
    with ExitStack() as stack:
        found = {EMBEDDED: stack.enter_context(private_server())}
        for major, binaries in installed_versions().items():
            server = stack.enter_context(own_server(binaries))
            found[str(major)] = documented_user(server, f"user-of-{major}", f"headway {major}")
            migrate(found[str(major)])
        for name, dsn in found.items():
            with connect(dsn, role=ENGINE) as conn:
                conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'two')")
                conn.execute(
                    "INSERT INTO pool (team_id, name, slots) VALUES (2, %s, 1)", [f"of {name}"]
                )
        yield found


def test_from_each_to_each(databases: Mapping[str, str], tmp_path: Path) -> None:
    schema = {name: schema_of(dsn) for name, dsn in databases.items()}
    files = {name: backup(dsn, tmp_path, name) for name, dsn in databases.items()}
    for source, file in files.items():
        for target, dsn in databases.items():
            assert restore(dsn, file, f"kept_of_{source}") == []
            with connect(dsn, role=ENGINE) as conn:
                names = [n for (n,) in conn.execute("SELECT name FROM pool ORDER BY team_id")]
            assert names == ["default", f"of {source}"], (source, target)
            assert migrate(dsn) == []
            # Rights of the former owner are the present one's: else it is what a migration makes.
            assert schema_of(dsn) == schema[target], (source, target)
    print(f"\n{len(files)} × {len(files)}: {', '.join(files)}")


def schema_of(dsn: str) -> list[str]:
    parts = conninfo_to_dict(dsn)
    password = str(parts.pop("password", ""))
    command = [installed().program("pg_dump"), "--schema-only"]
    done = subprocess.run(
        [*command, f"--dbname={make_conninfo('', **parts)}"],
        env={"PGPASSWORD": password},
        capture_output=True,
        check=True,
        text=True,
    )
    return [
        line
        for line in done.stdout.splitlines()
        if not line.startswith(("\\", "--")) and " ON SCHEMA public " not in line
    ]
