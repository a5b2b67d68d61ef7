"""A backup that was never restored is a hope."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway import clock
from headway.errors import Conflict, NotAllowed, NotFound
from headway.pg.binaries import installed
from headway.store.backup import backup, remove_remains
from headway.store.migrate import migrate
from headway.store.restore import restore
from headway.store.seal import SEAL_BYTES, check
from headway.store.transact import APP, ENGINE, Session, connect, enter_team, transact
from tests.own_postgres import documented_user, forget_user

pytestmark = pytest.mark.long

USER = "hw-of-mine"
LONG = "a_database_whose_name_is_as_long_as_a_name_may_be_63_bytes_long"


def pools(dsn: str) -> list[str]:
    with connect(dsn, role=ENGINE) as conn:
        return [name for (name,) in conn.execute("SELECT name FROM pool ORDER BY name")]


def add_pool(dsn: str, name: str) -> None:
    with connect(dsn, role=ENGINE) as conn:
        conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (1, %s, 1)", [name])


def count_pools_of(conn: Session, team_id: int) -> int:
    enter_team(conn, team_id)
    row = conn.execute("SELECT count(*) FROM pool").fetchone()
    assert row is not None
    return int(row[0])


def execute(dsn: str, query: str, *names: str) -> None:
    with connect(dsn) as conn:
        conn.execute(sql.SQL(query).format(*map(sql.Identifier, names)))


@pytest.fixture
def own(postgres: str) -> Iterator[str]:
    """A database as the documentation has it set up for a server of one's own: its user is nothing special."""
    dsn = documented_user(postgres, USER, LONG)
    try:
        migrate(dsn)
        yield dsn
    finally:
        forget_user(postgres, USER)


# -- there and back


def test_a_restore_brings_back_what_was_saved_and_keeps_what_was_there(
    lone: str, tmp_path: Path
) -> None:
    add_pool(lone, "saved")
    file = backup(lone, tmp_path, "noon")
    add_pool(lone, "later")

    kept = f"{conninfo_to_dict(lone)['dbname']}_before"
    assert restore(lone, file, kept) == []
    try:
        assert pools(lone) == ["default", "saved"]
        assert pools(make_conninfo(lone, dbname=kept)) == ["default", "later", "saved"]
        assert migrate(lone) == []
        with connect(lone, role=APP) as conn:
            assert transact(conn, count_pools_of, 1) == 2
            assert transact(conn, count_pools_of, 2) == 0
    finally:
        execute(make_conninfo(lone, dbname="postgres"), "DROP DATABASE {}", kept)


def test_what_a_server_has_not_counted_up_to_does_not_happen_once_more(
    own: str, tmp_path: Path
) -> None:
    """A backup of another server may name transactions that this one has still to come."""
    with connect(own) as conn:
        conn.execute(
            "INSERT INTO event (team_id, at, subject, name, actor, xact) VALUES"
            " (1, now(), 'pool', 'theirs', 'me', '9000000000'), (1, now(), 'pool', 'ours', 'me', '3')"
        )
    file = backup(own, tmp_path, "noon")
    assert restore(own, file, "kept_of_before") == []
    with connect(own) as conn:
        rows = conn.execute("SELECT name, xact::text FROM event WHERE actor = 'me' ORDER BY name")
        assert rows.fetchall() == [("ours", "3"), ("theirs", "0")]


def test_the_user_of_a_server_of_ones_own_backs_up_and_restores(own: str, tmp_path: Path) -> None:
    """Row-level security binds the owner of the tables, too: the backup has all teams."""
    add_pool(own, "saved")
    with connect(own, role=ENGINE) as conn:
        conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'two')")
        conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'of two', 1)")
    file = backup(own, tmp_path, "noon")
    add_pool(own, "later")
    assert restore(own, file, "kept_as_it_was") == []
    assert pools(own) == ["default", "of two", "saved"]
    with connect(own, role=APP) as conn:
        assert transact(conn, count_pools_of, 2) == 1
    file = backup(own, tmp_path, "one")
    assert restore(own, file, "kept_again") == [], "and once more, of what was restored"


def test_a_backup_moves_between_the_embedded_server_and_ones_own(
    own: str, lone: str, tmp_path: Path
) -> None:
    add_pool(lone, "embedded")
    add_pool(own, "own")
    from_embedded = backup(lone, tmp_path, "embedded")
    from_own = backup(own, tmp_path, "own")
    restore(own, from_embedded, "own_kept")
    assert pools(own) == ["default", "embedded"]
    kept = f"{conninfo_to_dict(lone)['dbname']}_before"
    restore(lone, from_own, kept)
    assert pools(lone) == ["default", "own"]
    execute(make_conninfo(lone, dbname="postgres"), "DROP DATABASE {}", kept)
    # What the owner may is what its functions need, wherever it came from.
    with connect(own) as conn:
        rows = conn.execute("SELECT DISTINCT roles::text[] FROM pg_policies").fetchall()
    assert sorted(roles for (roles,) in rows) == [[APP], [ENGINE], [USER]]


def test_a_grant_to_a_role_that_is_not_here_is_left_out_and_told(
    own: str, postgres: str, tmp_path: Path
) -> None:
    execute(postgres, "CREATE ROLE {}", "reader of durations")
    execute(own, "GRANT SELECT ON run_durations TO {}", "reader of durations")
    file = backup(own, tmp_path, "noon")
    execute(own, "REVOKE SELECT ON run_durations FROM {}", "reader of durations")
    execute(postgres, "DROP ROLE {}", "reader of durations")
    left_out = restore(own, file, "kept")
    assert left_out == ['GRANT SELECT ON TABLE public.run_durations TO "reader of durations";']
    assert pools(own) == ["default"]


# -- what is refused, with everything as it was


def test_a_user_who_would_see_a_part_makes_no_backup(
    own: str, postgres: str, tmp_path: Path
) -> None:
    execute(postgres, "ALTER ROLE {} NOINHERIT", USER)
    execute(postgres, "REVOKE headway_engine FROM {}", USER)
    execute(postgres, "GRANT headway_engine TO {}", USER)
    with pytest.raises(NotAllowed, match="sees only part of agent_session, ") as caught:
        backup(own, tmp_path, "noon")
    assert list(tmp_path.iterdir()) == []
    assert caught.value.hint is not None
    for line in caught.value.hint.splitlines()[1:]:
        execute(postgres, line.replace("{", "{{").replace(f'"{USER}"', "{}"), USER)
    backup(own, tmp_path, "noon")


def test_a_user_who_may_make_no_database_is_told_what_to_do(
    own: str, postgres: str, tmp_path: Path
) -> None:
    file = backup(own, tmp_path, "noon")
    add_pool(own, "mine")
    execute(postgres, "ALTER ROLE {} NOCREATEDB", USER)
    with pytest.raises(NotAllowed, match="is not allowed to replace the database") as caught:
        restore(own, file, "never_made")
    assert caught.value.hint is not None
    assert "CREATEDB;" in caught.value.hint
    with pytest.raises(NotAllowed, match="the tables belong to the database user"):
        restore(make_conninfo(postgres, dbname=LONG), file, "never_made")
    assert pools(own) == ["default", "mine"]


def test_a_database_in_use_is_not_replaced(database: str, tmp_path: Path) -> None:
    file = backup(database, tmp_path, "noon")
    add_pool(database, "mine")
    with connect(database), pytest.raises(Conflict, match="in use"):
        restore(database, file, "never_made")
    assert pools(database) == ["default", "mine"]


# -- the file


def test_a_backup_is_private_and_never_overwritten(database: str, tmp_path: Path) -> None:
    """Not by those of the same second either."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for name, age_s in ((".killed.1.partial", 3 * 24 * 3600), (".at-work.2.partial", 60)):
        (folder / name).touch()
        then = clock.now().timestamp() - age_s
        os.utime(folder / name, (then, then))
    with ThreadPoolExecutor(4) as threads:
        files = set(threads.map(lambda _: backup(database, folder, "noon"), range(4)))
    names = {"noon.dump", "noon-2.dump", "noon-3.dump", "noon-4.dump"}
    assert {file.name for file in files} == names
    assert {path.name for path in folder.iterdir()} == {*names, ".at-work.2.partial"}
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        check(file)


def test_backups_of_one_moment_remove_the_same_remains(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f".killed.{number}.partial").touch()
        os.utime(tmp_path / f".killed.{number}.partial", (0, 0))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(remove_remains, [tmp_path] * 8))
    assert list(tmp_path.iterdir()) == []


def test_a_tool_of_ones_own_reads_a_backup(database: str, tmp_path: Path) -> None:
    file = backup(database, tmp_path, "noon")
    program = [installed().program("pg_restore"), "--file=-", str(file)]
    script = subprocess.run(program, capture_output=True, check=True, text=True)
    assert script.stderr == ""
    assert "COPY public.pool" in script.stdout


def test_every_bit_counts(database: str, tmp_path: Path) -> None:
    whole = backup(database, tmp_path, "noon").read_bytes()
    damaged = tmp_path / "damaged.dump"
    end = len(whole)
    places = {*range(0, end - SEAL_BYTES, 997), *range(64), *range(end - SEAL_BYTES - 64, end)}
    for place in places:
        for bit in (0, 5, 7):
            content = bytearray(whole)
            content[place] ^= 1 << bit
            damaged.write_bytes(content)
            with pytest.raises(Conflict, match="damaged"):
                check(damaged)


def test_a_damaged_backup_changes_nothing(database: str, tmp_path: Path) -> None:
    add_pool(database, "mine")
    whole = backup(database, tmp_path, "noon").read_bytes()
    damaged = tmp_path / "damaged.dump"
    for content in (
        b"",
        b"PGDMP",
        whole[:-1],
        whole[:-200],
        whole[1:],
        whole + b"\n",
        whole + whole,
        whole[-SEAL_BYTES:],
        whole[:-SEAL_BYTES],
        whole[: len(whole) // 2] + whole[-SEAL_BYTES:],
        b"\xff" * 4096,
    ):
        damaged.write_bytes(content)
        with pytest.raises(Conflict, match="damaged"):
            restore(database, damaged, "never_made")
    for absent in (tmp_path / "absent.dump", tmp_path):
        with pytest.raises(NotFound):
            restore(database, absent, "never_made")
    assert pools(database) == ["default", "mine"]
