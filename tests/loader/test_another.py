"""Two loaders on one team: a second data directory must not load its DAGs over the first one's."""

from pathlib import Path

import pytest

from headway.errors import Conflict, NotFound
from headway.loader.loader import Loader
from headway.store import dags, installations, teams
from headway.store.transact import ENGINE, Session, connect, transact
from tests.loader.conftest import Folder, LoaderMaker


def test_a_second_data_directory_is_refused_until_the_first_is_gone(
    dsn: str, tmp_path: Path, folder: Folder, make_loader: LoaderMaker, conn: Session
) -> None:
    folder.dag("one.py", "one")
    first = make_loader()
    first.settle()
    other = Folder(tmp_path / "other")
    other.dag("two.py", "two")
    second = Loader(lambda: connect(dsn, role=ENGINE), tmp_path / "second", other.root, "default")
    with pytest.raises(Conflict, match="another Headway server already loads DAGs") as caught:
        second.open({})
    assert str(folder.root) in caught.value.message
    first.settle()

    # It was frozen for longer than the row is held, and another one came: what it knows is no news.
    conn.execute("UPDATE installation SET seen_at = seen_at - interval '1 hour'")
    second.reach_database()
    folder.dag("three.py", "three")
    with pytest.raises(Conflict, match="another Headway server already loads DAGs"):
        first.settle()
    second.settle()
    assert [row.dag_id for row in transact(conn, dags.known, 1)] == ["one", "two"]

    transact(conn, installations.let_go, 1, first.ours)
    with pytest.raises(Conflict):
        transact(conn, installations.hold, 1, first.ours)
    transact(conn, installations.let_go, 1, second.ours)
    transact(conn, installations.hold, 1, first.ours)
    second.close()


def test_a_loader_registers_in_its_own_team_only(
    dsn: str, tmp_path: Path, folder: Folder, make_loader: LoaderMaker, conn: Session
) -> None:
    other_id = transact(conn, add_team, "other")
    folder.dag("one.py", "one")
    first = make_loader()
    first.settle()
    other = Folder(tmp_path / "other")
    other.dag("one.py", "one", tag="b")
    other.dag("two.py", "two")
    other.write("broken.py", "from headway import dag\nnot python")
    second = Loader(lambda: connect(dsn, role=ENGINE), tmp_path / "second", other.root, "other")
    second.open({})
    second.settle()
    first.settle()
    assert [row.dag_id for row in transact(conn, dags.known, 1)] == ["one"]
    assert [row.dag_id for row in transact(conn, dags.known, other_id)] == ["one", "two"]
    held = conn.execute("SELECT team_id, dags FROM installation ORDER BY team_id").fetchall()
    assert held == [(1, str(folder.root)), (other_id, str(other.root))]
    rows = "SELECT team_id, count(*) FROM {} GROUP BY team_id ORDER BY team_id"
    for table, counts in (("bundle", {1: 1, 2: 1}), ("import_error", {2: 1})):
        assert dict(conn.execute(rows.format(table).encode()).fetchall()) == counts
    second.close()


def test_a_team_that_is_not_there_is_told_by_name(dsn: str, tmp_path: Path, folder: Folder) -> None:
    loader = Loader(lambda: connect(dsn, role=ENGINE), tmp_path / "data", folder.root, "nobody's")
    with pytest.raises(NotFound, match='there is no team "nobody\'s"'):
        loader.open({})
    loader.close()


def add_team(conn: Session, name: str) -> int:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, %s)", [name])
    return teams.named(conn, name)
