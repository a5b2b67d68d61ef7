"""A backup that was never restored is a hope."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.errors import Conflict, NotFound
from headway.store.backup import backup, restore
from headway.store.migrate import migrate
from headway.store.transact import APP, Session, connect, enter_team, transact


def pools(dsn: str) -> list[str]:
    with connect(dsn) as conn:
        return [name for (name,) in conn.execute("SELECT name FROM pool ORDER BY name")]


def add_pool(dsn: str, name: str) -> None:
    with connect(dsn) as conn:
        conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (1, %s, 1)", [name])


def test_a_restore_brings_back_what_was_saved_and_keeps_what_was_there(
    database: str, tmp_path: Path
) -> None:
    add_pool(database, "saved")
    file = backup(database, tmp_path, "noon")
    add_pool(database, "later")

    kept = f"{conninfo_to_dict(database)['dbname']}_before"
    restore(database, file, kept)
    try:
        assert pools(database) == ["default", "saved"]
        assert pools(make_conninfo(database, dbname=kept)) == ["default", "later", "saved"]
        assert migrate(database) == []
        with connect(database, role=APP) as conn:
            assert transact(conn, count_pools_of, 1) == 2
            assert transact(conn, count_pools_of, 2) == 0
    finally:
        with connect(make_conninfo(database, dbname="postgres")) as conn:
            conn.execute(f'DROP DATABASE "{kept}"'.encode())


def count_pools_of(conn: Session, team_id: int) -> int:
    enter_team(conn, team_id)
    row = conn.execute("SELECT count(*) FROM pool").fetchone()
    assert row is not None
    return int(row[0])


def test_a_backup_is_private_and_never_overwritten(database: str, tmp_path: Path) -> None:
    file = backup(database, tmp_path / "backups", "noon")
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        backup(database, tmp_path / "backups", "noon")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["noon.dump"]


def test_a_damaged_backup_changes_nothing(database: str, tmp_path: Path) -> None:
    add_pool(database, "mine")
    file = backup(database, tmp_path, "noon")
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(Conflict, match="damaged"):
        restore(database, file, "never_made")
    with pytest.raises(NotFound):
        restore(database, tmp_path / "absent.dump", "never_made")
    assert pools(database) == ["default", "mine"]


def test_a_database_in_use_is_not_replaced(database: str, tmp_path: Path) -> None:
    file = backup(database, tmp_path, "noon")
    add_pool(database, "mine")
    with connect(database), pytest.raises(Conflict, match="in use"):
        restore(database, file, "never_made")
    assert pools(database) == ["default", "mine"]
