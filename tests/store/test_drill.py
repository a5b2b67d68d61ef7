"""A drill: a backup becomes a database beside the one in use, is looked through, and leaves nothing."""

from pathlib import Path

import pytest

from headway.errors import Conflict, NotAllowed, NotReachable
from headway.store.backup import backup
from headway.store.drill import drill
from headway.store.migrate import migrate
from headway.store.transact import ENGINE, connect
from tests.own_postgres import documented_user, forget_user

pytestmark = pytest.mark.long


def databases(dsn: str) -> list[str]:
    with connect(dsn) as conn:
        return [str(name) for (name,) in conn.execute("SELECT datname FROM pg_database ORDER BY 1")]


def test_it_looks_through_a_backup_and_leaves_nothing(lone: str, tmp_path: Path) -> None:
    with connect(lone, role=ENGINE) as conn:
        conn.execute("INSERT INTO team (name) VALUES ('second')")
    before = databases(lone)
    file = backup(lone, tmp_path, "noon")
    with connect(lone) as busy:  # the database in use goes on
        found = drill(lone, file)
        assert busy.execute("SELECT 1").fetchone() == (1,)
    assert (found.teams, found.dags, found.runs, found.left_to_apply) == (2, 0, 0, 0)
    assert found.broken == []
    assert databases(lone) == before


def test_rows_that_contradict_each_other_are_told(lone: str, tmp_path: Path) -> None:
    with connect(lone, role=ENGINE) as conn:
        conn.execute("UPDATE pool SET used = 3")
    found = drill(lone, backup(lone, tmp_path, "noon"))
    assert found.broken == ["I13 pool.used differs from the live task instances (1)"]


def test_an_older_schema_is_told_and_a_foreign_one_refused(lone: str, tmp_path: Path) -> None:
    with connect(lone) as conn:
        conn.execute(
            "DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)"
        )
    found = drill(lone, backup(lone, tmp_path, "older"))
    assert (found.left_to_apply, found.broken) == (1, [])
    with connect(lone) as conn:
        conn.execute("UPDATE schema_migration SET sha256 = 'x' WHERE number = 5")
    before = databases(lone)
    with pytest.raises(Conflict, match="applied with a different text"):
        drill(lone, backup(lone, tmp_path, "foreign"))
    assert databases(lone) == before


def test_one_that_was_killed_is_cleaned_up_by_the_next(
    lone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = backup(lone, tmp_path, "noon")
    before = databases(lone)
    with monkeypatch.context() as killed:
        killed.setattr("headway.store.restore.drop", lambda *_: None)
        drill(lone, file)
    assert len(databases(lone)) == len(before) + 1
    drill(lone, file)
    assert databases(lone) == before


def test_a_server_that_stops_meanwhile_is_told_in_one_sentence(
    lone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = backup(lone, tmp_path, "noon")

    def cut_off(*_: object) -> None:
        with connect(lone) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE application_name = 'headway restore'"
            )

    with monkeypatch.context() as stopping:
        stopping.setattr("headway.store.drill.left_to_apply", cut_off)
        with pytest.raises(NotReachable, match="the connection to the database"):
            drill(lone, file)
    drill(lone, file)
    assert not [name for name in databases(lone) if name.startswith("headway_drill")]


def test_a_user_who_may_make_no_database_is_told_how(postgres: str, tmp_path: Path) -> None:
    dsn = documented_user(postgres, "drilled", "drilled")
    try:
        migrate(dsn)
        file = backup(dsn, tmp_path, "noon")
        with connect(postgres) as conn:
            conn.execute('ALTER ROLE "drilled" NOCREATEDB')
        with pytest.raises(NotAllowed, match="not allowed to create a database beside") as caught:
            drill(dsn, file)
        assert 'ALTER ROLE "drilled" CREATEDB' in str(caught.value)
        assert "OWNER TO" not in str(caught.value)
    finally:
        forget_user(postgres, "drilled")
