"""Two loaders on one team: a second data directory must not load its DAGs over the first one's."""

from pathlib import Path

import pytest

from headway.errors import Conflict
from headway.services.loader import Loader
from headway.store import dags, installations
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
    with pytest.raises(Conflict, match="another Headway loads the DAGs") as caught:
        second.open({})
    assert str(folder.root) in caught.value.message
    first.settle()

    # It was frozen for longer than the row is held, and another one came: what it knows is no news.
    conn.execute("UPDATE installation SET seen_at = seen_at - interval '1 hour'")
    second.reach_database()
    folder.dag("three.py", "three")
    with pytest.raises(Conflict, match="another Headway loads the DAGs"):
        first.settle()
    second.settle()
    assert [row.dag_id for row in transact(conn, dags.known, 1)] == ["one", "two"]

    transact(conn, installations.let_go, 1, first.ours)
    with pytest.raises(Conflict):
        transact(conn, installations.hold, 1, first.ours)
    transact(conn, installations.let_go, 1, second.ours)
    transact(conn, installations.hold, 1, first.ours)
    second.close()
