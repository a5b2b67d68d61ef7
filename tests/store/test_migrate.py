"""Migrations: once each, one at a time, never rewritten; and the two roles they begin with."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from headway.errors import Conflict, NotAllowed
from headway.store import migrate as module
from headway.store.migrate import Migration, migrate, migrations
from headway.store.transact import APP, ENGINE, Session, connect, enter_team, transact
from tests.cli.conftest import wait_until
from tests.postgres import empty_database


@pytest.fixture
def empty(postgres: str) -> Iterator[str]:
    with empty_database(postgres) as dsn:
        yield dsn


def use(monkeypatch: pytest.MonkeyPatch, wanted: list[Migration]) -> None:
    monkeypatch.setattr(module, "migrations", lambda: wanted)


def test_an_empty_database_gets_everything_once(empty: str) -> None:
    names = [f"{m.number:04}_{m.name}" for m in migrations()]
    assert migrate(empty) == names
    assert migrate(empty) == []


def test_of_four_at_once_each_migration_is_applied_by_one(empty: str) -> None:
    together = Barrier(4)

    def run(_: int) -> list[str]:
        together.wait()
        return migrate(empty)

    with ThreadPoolExecutor(4) as threads:
        applied = [name for names in threads.map(run, range(4)) for name in names]
    assert sorted(applied) == [f"{m.number:04}_{m.name}" for m in migrations()]


def test_databases_of_one_server_may_be_migrated_at_once(postgres: str) -> None:
    together = Barrier(3)

    def run(_: int) -> list[str]:
        with empty_database(postgres) as dsn:
            together.wait()
            return migrate(dsn)

    with ThreadPoolExecutor(3) as threads:
        assert {len(names) for names in threads.map(run, range(3))} == {len(migrations())}


def test_an_applied_migration_that_was_edited_is_refused(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = migrations()
    use(monkeypatch, [replace(first, text=first.text + b"-- edited"), *rest])
    with pytest.raises(Conflict, match=r"0001_roles was applied with a different text"):
        migrate(database)


def test_a_newer_database_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, migrations()[:1])
    with pytest.raises(Conflict, match="upgrade Headway"):
        migrate(database)


def test_a_migration_that_fails_leaves_nothing_behind(
    database: str, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations()
    broken = Migration(len(known) + 1, "broken", b"CREATE TABLE half (); SELECT 1 / 0")
    use(monkeypatch, [*known, broken])
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database)
    assert owner_conn.execute("SELECT to_regclass('half')").fetchone() == (None,)
    use(monkeypatch, [*known, replace(broken, text=b"CREATE TABLE whole ()")])
    assert migrate(database) == [f"{broken.number:04}_broken"]


WAITS: LiteralString = """
    SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'run'::regclass AND mode = 'AccessExclusiveLock'
"""


def test_nobody_waits_behind_a_migration_that_waits(
    database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A backup reads the table for hours: all others go on meanwhile, and are told who is in the way."""
    known = migrations()
    added = Migration(len(known) + 1, "added", b"ALTER TABLE run ADD COLUMN of_a_test integer")
    use(monkeypatch, [*known, added])
    monkeypatch.setattr(module, "TOLD_EVERY_S", 0.0)
    with connect(database) as backup, connect(database) as other, ThreadPoolExecutor(1) as threads:
        backup.execute("BEGIN")
        backup.execute("SELECT FROM run LIMIT 1")
        applied = threads.submit(migrate, database)
        try:
            wait_until(
                lambda: other.execute(WAITS).fetchone() == (1,), "the migration does not wait"
            )
            other.execute("SELECT FROM run LIMIT 1")  # after 10 s it would be refused
            told = f"process {backup.info.backend_pid} of user"
            wait_until(lambda: told in caplog.text, "nothing says who is in the way")
        finally:
            backup.execute("COMMIT")
        assert applied.result() == [f"{added.number:04}_added"]


def test_a_user_who_may_not_make_roles_is_told_what_an_administrator_runs(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = migrations()
    text = first.text.replace(b"headway_", b"absent_")
    use(monkeypatch, [replace(first, text=text)])
    with connect(empty) as conn:
        conn.execute("CREATE ROLE tenant_of_a_cloud LOGIN")
        conn.execute("GRANT CREATE ON SCHEMA public TO tenant_of_a_cloud")
    try:
        with pytest.raises(NotAllowed, match="CREATE ROLE headway_engine") as caught:
            migrate(make_conninfo(empty, user="tenant_of_a_cloud"))
        assert caught.value.exit_code == 3
    finally:
        with connect(empty) as conn:
            conn.execute("DROP OWNED BY tenant_of_a_cloud")
            conn.execute("DROP ROLE tenant_of_a_cloud")


def test_a_user_who_may_make_roles_needs_no_superuser(empty: str) -> None:
    """As on a managed server: CREATEROLE and a database of its own, no more."""
    names = {"user": "owner_of_a_cloud", "engine": "cloud_engine", "app": "cloud_app"}
    database = psycopg.conninfo.conninfo_to_dict(empty)["dbname"]
    text = migrations()[0].text.replace(b"headway_", b"cloud_")
    with connect(empty) as conn:
        conn.execute("CREATE ROLE owner_of_a_cloud LOGIN CREATEROLE")
        owner = sql.SQL("ALTER DATABASE {} OWNER TO owner_of_a_cloud")
        conn.execute(owner.format(sql.Identifier(str(database))))
    try:
        with connect(make_conninfo(empty, user=names["user"])) as conn:
            conn.execute(module.CREATE_HISTORY)
            conn.execute(text)
            conn.execute("SET ROLE cloud_engine")
            conn.execute("SET ROLE cloud_app")
    finally:
        with connect(empty) as conn:
            owner = sql.SQL("ALTER DATABASE {} OWNER TO headway")
            conn.execute(owner.format(sql.Identifier(str(database))))
            for role in ("cloud_engine", "cloud_app", "owner_of_a_cloud"):
                conn.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
                conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


# -- the roles


def test_the_roles_own_nothing_and_bypass_nothing(owner_conn: Session) -> None:
    rows = owner_conn.execute(
        """
        SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb,
            (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid)
        FROM pg_roles WHERE rolname = ANY(%s)
        """,
        [[ENGINE, APP]],
    ).fetchall()
    assert rows == [(False, False, False, False, False, 0)] * 2


@pytest.fixture
def notes(owner_conn: Session) -> None:
    """A table with the policies that every tenant table has, and a row of two teams each."""
    owner_conn.execute(
        """
        CREATE TABLE note (team_id integer NOT NULL, text text NOT NULL);
        INSERT INTO note VALUES (1, 'ours'), (2, 'theirs');
        ALTER TABLE note ENABLE ROW LEVEL SECURITY;
        ALTER TABLE note FORCE ROW LEVEL SECURITY;
        CREATE POLICY engine ON note TO headway_engine USING (true) WITH CHECK (true);
        CREATE POLICY one_team ON note TO headway_app
            USING (team_id = nullif(current_setting('app.team_id', true), '')::int);
        GRANT SELECT, INSERT ON note TO headway_engine, headway_app
        """
    )


def texts(conn: Session) -> list[str]:
    return [text for (text,) in conn.execute("SELECT text FROM note ORDER BY text")]


def texts_of(conn: Session, team_id: int) -> list[str]:
    enter_team(conn, team_id)
    return texts(conn)


@pytest.mark.usefixtures("notes")
def test_the_engine_sees_all_teams_the_application_one(conn: Session, app_conn: Session) -> None:
    assert texts(conn) == ["ours", "theirs"]
    assert texts(app_conn) == []
    assert transact(app_conn, texts_of, 1) == ["ours"]
    assert texts(app_conn) == [], "a team does not outlive its transaction"
    assert transact(app_conn, texts_of, 2) == ["theirs"]


@pytest.mark.usefixtures("notes")
def test_the_application_writes_for_its_own_team_only(app_conn: Session) -> None:
    def forge(conn: Session) -> None:
        enter_team(conn, 1)
        conn.execute("INSERT INTO note VALUES (2, 'forged')")

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        transact(app_conn, forge)


def test_dates_that_cannot_be_read_move_into_the_calendar(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that a version wrote which did not refuse them."""
    known = migrations()
    use(monkeypatch, [m for m in known if m.number < 16])
    migrate(empty)
    with connect(empty) as conn:
        conn.execute(
            """
            SET session_replication_role = replica;
            INSERT INTO run (team_id, run_id, dag_id, number, bundle_version, run_key, trigger, logical_date,
                    interval_start, interval_end, created_by, created_at)
                SELECT 1, at, 'd', 1, 'b', at, 'manual', at::timestamptz, at::timestamptz, at::timestamptz, 'me', now()
                FROM unnest(ARRAY['0001-01-01T00:00:00+14', '2026-01-01Z', '10000-01-01 13:59:59Z']) AS given (at)
            """
        )
    use(monkeypatch, known)
    migrate(empty)
    with connect(empty) as conn:
        rows = conn.execute("SELECT logical_date, interval_end FROM run ORDER BY 1").fetchall()
    assert [[f"{date:%Y-%m-%d}"[-10:] for date in row] for row in rows] == [
        [day, day] for day in ("1-01-02", "2026-01-01", "9999-12-30")
    ]


def test_events_of_before_get_the_names_of_today(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations()
    use(monkeypatch, [m for m in known if m.number < 21])
    migrate(empty)
    with connect(empty) as conn:
        conn.execute(
            "INSERT INTO event (team_id, at, subject, name, number, actor) SELECT 1, now(), * FROM"
            " (VALUES ('run', 'create', 3, 'me'), ('run', 'quarantine', NULL, 's'), ('run', 'readmit', NULL, 's'),"
            " ('task_instance', 'grant', 2, 's')) AS past"
        )
    use(monkeypatch, known)
    migrate(empty)
    with connect(empty) as conn:
        events = conn.execute("SELECT name, version, attempt FROM event ORDER BY seq").fetchall()
    assert events == [
        ("create", 3, None),
        ("set_aside", None, None),
        ("take_back", None, None),
        ("grant", None, 2),
    ]


def test_the_state_of_before_counts_to_the_share_of_its_team(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for an owner whom row-level security binds, as in a database that is given."""
    known = migrations()
    (own,) = [m.number for m in known if m.name == "state_used"]
    use(monkeypatch, [m for m in known if m.number < own])
    migrate(empty)
    with connect(empty) as conn:
        conn.execute(
            """
            INSERT INTO team (team_id, name) VALUES (2, 'other');
            SET session_replication_role = replica;
            INSERT INTO task_state (team_id, run_id, task_id, map_index, key, value, size, updated_at)
                SELECT 1, 'r', 't', n, 'k', '1', 10, now() FROM generate_series(1, 3) AS n;
            INSERT INTO asset_state (team_id, asset, key, value, size, updated_at, by)
                SELECT 1 + n % 2, 'a', 'k' || n, '1', 20, now(), 'me' FROM generate_series(1, 2) AS n;
            RESET session_replication_role;
            CREATE ROLE owner_who_is_bound NOLOGIN;
            GRANT CREATE, USAGE ON SCHEMA public TO owner_who_is_bound;
            ALTER TABLE team OWNER TO owner_who_is_bound;
            ALTER TABLE task_state OWNER TO owner_who_is_bound;
            ALTER TABLE asset_state OWNER TO owner_who_is_bound;
            SET ROLE owner_who_is_bound;
            """
        )
        conn.execute(known[own - 1].text)
        conn.execute("RESET ROLE")
        found = conn.execute("SELECT team_id, sum(bytes) FROM state_used GROUP BY 1 ORDER BY 1")
        assert found.fetchall() == [(1, 3 * 138 + 148), (2, 148)]
        conn.execute("DELETE FROM task_state WHERE map_index < 3")
        found = conn.execute("SELECT sum(bytes) FROM state_used WHERE team_id = 1")
        assert found.fetchall() == [(138 + 148,)]
        conn.execute("REASSIGN OWNED BY owner_who_is_bound TO headway")
        conn.execute("DROP OWNED BY owner_who_is_bound; DROP ROLE owner_who_is_bound")
