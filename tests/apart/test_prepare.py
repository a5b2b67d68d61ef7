"""Several components of a new install prepare it at once: each does it, or finds it done."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from headway.config import Layout
from headway.pg import Server
from headway.store import api_login
from headway.store.transact import connect
from headway.up.apart import prepare
from headway.up.shared import Shared
from tests.postgres import FORGETFUL

AT_ONCE = 8
TEAMS = ("default", "marketing", "science")


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[str]:
    """A server on which nothing was ever migrated, so that its roles are missing, too."""
    with Server(tmp_path / "server", FORGETFUL).running() as dsn:
        yield dsn


def prepared_at_once(dsn: str, data: Path) -> list[list[str]]:
    shared = Shared(layout=Layout(data), database_url=dsn, install="tests")
    together = Barrier(AT_ONCE)

    def one(number: int) -> list[str]:
        together.wait()
        return prepare(shared, TEAMS[: 1 + number % len(TEAMS)])

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))


def teams_and_admins(dsn: str) -> list[tuple[str, str, str]]:
    with connect(dsn) as conn:
        rows = conn.execute(
            "SELECT team.name, person.name, membership.role FROM team"
            " JOIN membership USING (team_id) JOIN person USING (person_id) ORDER BY 1"
        ).fetchall()
    return [(str(team), str(person), str(role)) for team, person, role in rows]


@pytest.mark.long
def test_a_new_server_is_prepared_once(new_server: str, tmp_path: Path) -> None:
    applied = prepared_at_once(new_server, tmp_path / "data")
    names = [name for each in applied for name in each]
    assert len(names) == len(set(names)), "a migration was applied twice"
    assert teams_and_admins(new_server) == [(team, "admin", "admin") for team in TEAMS]


@pytest.mark.long
def test_api_servers_that_start_at_once_close_the_database_together(
    new_server: str, tmp_path: Path
) -> None:
    """PostgreSQL lets one of two fail that revoke a right of a database at the same time."""
    prepared_at_once(new_server, tmp_path / "data")
    together = Barrier(AT_ONCE)

    def one(_: int) -> bool:
        with connect(new_server) as conn:
            together.wait()
            return api_login.revoke_temporary(conn)

    for _ in range(5):
        with connect(new_server) as conn:
            conn.execute("GRANT TEMPORARY ON DATABASE headway TO PUBLIC")
        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert list(threads.map(one, range(AT_ONCE))) == [True] * AT_ONCE


def test_teams_are_made_once(database: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    prepared_at_once(database, data)
    assert teams_and_admins(database) == [(team, "admin", "admin") for team in TEAMS]
    assert all(file.stat().st_nlink == 1 for file in (data / "run" / "token", data / "secrets.key"))
