"""What SQL of the API's own login sees and may do, whatever it says.

Generic over the catalogue: a new table is covered by itself.
"""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

from headway.errors import NotAllowed
from headway.store import api_login
from headway.store.api_login import ApiLogin
from headway.store.transact import APP, ENGINE, Session, begun, connect, enter_team
from tests.lending import Lender

OURS, THEIRS = 1, 2

# Without a team, and readable by the application: of the installation, and nothing of any team.
OF_NOBODY: Final = {"schema_migration", "scheduler"}
# Of two teams: tests/api/test_grants.py.
OF_TWO: Final = {"team_grant"}

RELATIONS: Final = """
    SELECT relname::text, relkind = 'r' FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY relkind, relname
"""
COLUMNS: Final = """
    SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        AND attidentity <> 'a' AND (attnotnull OR attname = 'team_id')
"""
CHECKS: Final = """
    SELECT conrelid::regclass::text, conname::text FROM pg_constraint
    WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace
    ORDER BY contype DESC, conparentid
"""
# Of each type a value that is its own for each team.
VALUES: Final = {
    "integer": "{n}", "bigint": "{n}", "smallint": "{n}", "numeric": "{n}", "double precision": "{n}",
    "text": "'x{n}'", "bytea": "'x{n}'", "json": "'{{}}'", "jsonb": "'{{}}'", "boolean": "false",
    "timestamp with time zone": "now()", "text[]": "'{{}}'", "inet": "'10.0.0.{n}'", "uuid": "gen_random_uuid()",
}  # fmt: skip


@pytest.fixture
def filled(owner_conn: Session) -> None:
    """A row of each of two teams in each table that has teams, whatever its rules are."""
    owner_conn.execute("SET session_replication_role = replica")
    for table, name in owner_conn.execute(CHECKS).fetchall():
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE")
        owner_conn.execute(drop.format(sql.Identifier(table), sql.Identifier(name)))
    for table in tables_with_teams(owner_conn):
        columns = dict(owner_conn.execute(COLUMNS, [table]).fetchall())
        owner_conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        for team in (OURS, THEIRS):
            values = [
                str(team) if name == "team_id" else VALUES[kind.split("(")[0]].format(n=team)
                for name, kind in columns.items()
            ]
            owner_conn.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE"
                f" VALUES ({', '.join(values)})".encode()
            )


@pytest.fixture
def login(database: str) -> ApiLogin:
    return api_login.embedded(database, "test")


@pytest.fixture
def api(login: ApiLogin) -> Iterator[Session]:
    """As the server's own: its login, its role, its secret."""
    with connect(login.dsn, role=APP, prepare=False) as conn:
        login.settle(conn)
        yield conn


def relations(conn: Connection[Any]) -> list[tuple[str, bool]]:
    return [(str(name), bool(is_table)) for name, is_table in conn.execute(RELATIONS)]


def has_team(conn: Connection[Any], relation: str) -> bool:
    found = conn.execute(
        "SELECT FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'team_id'", [relation]
    )
    return found.fetchone() is not None


def tables_with_teams(conn: Connection[Any]) -> list[str]:
    return [name for name, is_table in relations(conn) if is_table and has_team(conn, name)]


def seen(conn: Connection[Any], relation: str) -> set[int] | None:
    """The teams whose rows are seen, or None if nothing may be read."""
    try:
        with conn.transaction():
            rows = conn.execute(f"SELECT team_id FROM {relation}".encode()).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return {team_id for (team_id,) in rows}


@pytest.mark.usefixtures("filled")
def test_no_table_and_no_view_shows_a_foreign_row(owner_conn: Session, api: Session) -> None:
    with_teams = [name for name, _ in relations(owner_conn) if has_team(owner_conn, name)]
    tables = set(tables_with_teams(owner_conn))
    assert len(tables) > 20
    shown = set()
    with begun(api):
        assert {name: found for name in with_teams if (found := seen(api, name))} == {}
        enter_team(api, OURS)
        for name in with_teams:
            found = seen(api, name)
            assert found is None or found <= {OURS}, name
            if found:
                shown.add(name)
        enter_team(api, THEIRS)
        assert {name for name in with_teams if seen(api, name) == {THEIRS}} == shown
    assert len(shown & tables) > 15, "the others it may not read at all"


@pytest.mark.usefixtures("filled")
def test_no_foreign_row_is_written(owner_conn: Session, api: Session) -> None:
    for table in tables_with_teams(owner_conn):
        for change in ("DELETE FROM {}", "UPDATE {} SET team_id = 1"):
            with begun(api):
                enter_team(api, OURS)
                try:
                    with api.transaction():
                        done = api.execute(f"{change.format(table)} WHERE team_id = 2".encode())
                except psycopg.errors.InsufficientPrivilege:
                    continue
                assert done.rowcount == 0, (table, change)


def test_what_is_of_no_team_is_known(owner_conn: Session, api: Session) -> None:
    """A new table without a team is either not for the application, or its name stands here."""
    readable = set()
    for name, _ in relations(owner_conn):
        if not has_team(owner_conn, name):
            allowed = "SELECT has_any_column_privilege('headway_app', %s, 'SELECT')"
            if owner_conn.execute(allowed, [name]).fetchone() == (True,):
                readable.add(name)
    assert readable == OF_NOBODY | OF_TWO


def test_every_table_with_teams_is_walled(owner_conn: Session) -> None:
    for table in tables_with_teams(owner_conn):
        found = owner_conn.execute(
            "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = %s::regclass",
            [table],
        ).fetchone()
        assert found == (True,), table
    loose = owner_conn.execute(
        "SELECT tablename, policyname FROM pg_policies"
        " WHERE concat(qual, with_check) LIKE '%app.team_id%' AND 'headway_app' = ANY (roles)"
    ).fetchall()
    assert loose == [], "a policy of headway_app compares with (SELECT entered_team())"


@pytest.mark.parametrize(
    "attempt",
    [
        "SET ROLE headway_engine",
        "SET ROLE headway",
        "SET SESSION AUTHORIZATION headway",
        "SELECT set_config('role', 'headway_engine', true)",
        "SELECT enter_team(2)",
        "SELECT enter_team(2, 'a guess')",
        # What is done for a platform admin, in whose name anybody could speak.
        "SELECT * FROM live_teams(1)",
        "SELECT * FROM live_teams(1, 'a guess')",
        "SELECT * FROM live_teams(1, NULL)",
        "SELECT create_team(1, 'mine', NULL, 9, 1)",
        "SELECT create_team(1, 'a guess', 'mine', NULL, 9, 1)",
        "SELECT change_team(1, 2, NULL, 0, 1)",
        "SELECT change_team(1, 'a guess', 2, NULL, 0, 1)",
        "SELECT limit_team(1, 2, '{}')",
        "SELECT limit_team(1, 'a guess', 2, '{}')",
        "SELECT delete_team(1, 2)",
        "SELECT delete_team(1, 'a guess', 2)",
        "SELECT * FROM shares_of_all(1)",
        "SELECT * FROM shares_of_all(1, 'a guess')",
        "SELECT * FROM seal_key",
        "SELECT * FROM api_server",
        # What tasks hand to each other: people see it without the secrets that were handed to the tasks.
        "SELECT whole FROM xcom",
        "SELECT secrets FROM xcom",
        "SELECT xcom FROM xcom",
        "DELETE FROM xcom RETURNING whole",
        "CREATE TEMPORARY TABLE run (team_id integer)",
        "CREATE FUNCTION pg_temp.trap() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE trap (n integer)",
        "CREATE FUNCTION trap() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER ROLE headway_api SUPERUSER",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('PG_VERSION')",
    ],
)
def test_injected_sql_is_refused(api: Session, attempt: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        in_team(api, OURS, attempt)


def in_team(conn: Session, team: int, statement: str) -> None:
    with begun(conn):
        enter_team(conn, team)
        conn.execute(statement.encode(), prepare=False)


# Each sees the pools of team 2, if the team could be said by others than the API.
ESCAPES: Final = (
    "SELECT set_config('app.team_id', '2', true); SELECT name FROM pool",
    "SET app.team_id = '2'; SELECT name FROM pool",
    "SELECT set_config('app.seal', '', true); SELECT name FROM pool",
    "SET app.seal = '00'; SET app.team_id = '2'; SELECT name FROM pool",
    # The setting changes between two rows of one statement.
    "SELECT pool.name FROM (VALUES (1), (2)) AS team (id),"
    " LATERAL (SELECT set_config('app.team_id', id::text, true)) AS entered (id),"
    " LATERAL (SELECT name FROM pool WHERE entered.id IS NOT NULL OFFSET 0) AS pool"
    " WHERE pool.name <> 'ours'",
)


@pytest.mark.parametrize("escape", ESCAPES)
def test_injected_sql_enters_no_team(owner_conn: Session, api: Session, escape: str) -> None:
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'two')")
    owner_conn.execute("DELETE FROM pool; INSERT INTO pool VALUES (1, 'ours', 1), (2, 'theirs', 1)")
    with begun(api):
        enter_team(api, OURS)
        cursor = api.execute(escape.encode(), prepare=False)
        while cursor.nextset():
            pass
        assert cursor.fetchall() == []
    with begun(api):
        enter_team(api, THEIRS)
        assert api.execute("SELECT name FROM pool").fetchall() == [("theirs",)]


def test_without_its_role_the_login_has_no_rights(owner_conn: Session, api: Session) -> None:
    with begun(api):
        enter_team(api, OURS)
        api.execute("RESET ROLE")
        for name, _ in relations(owner_conn):
            if has_team(owner_conn, name):
                assert seen(api, name) is None, name


def test_a_seal_holds_for_its_own_transaction(owner_conn: Session, api: Session) -> None:
    """What somebody keeps of team 2 is of no use in the next transaction, nor on another connection."""
    with begun(api):
        enter_team(api, THEIRS)
        kept = api.execute("SELECT current_setting('app.seal')").fetchone()
        assert kept is not None
        assert api.execute("SELECT entered_team()").fetchone() == (THEIRS,)
        with begun(owner_conn):
            stolen(owner_conn, kept[0])
            assert owner_conn.execute("SELECT entered_team()").fetchone() == (None,)
    with begun(api):
        stolen(api, kept[0])
        assert api.execute("SELECT entered_team()").fetchone() == (None,)


def stolen(conn: Session, seal: str) -> None:
    conn.execute(
        "SELECT set_config('app.team_id', '2', true), set_config('app.seal', %s, true)", [seal]
    )


def test_a_secret_is_that_of_the_last_start(database: str, login: ApiLogin, api: Session) -> None:
    again = api_login.embedded(database, "test")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not known"):
        in_team(api, OURS, "SELECT 1")
    api.secret = again.secret
    with begun(api):
        enter_team(api, OURS)
    assert api_login.embedded(database, "another").secret != again.secret
    with begun(api):
        enter_team(api, OURS)


def test_a_database_that_lost_the_secret_is_told_it_again(
    owner_conn: Session, login: ApiLogin
) -> None:
    """As after a failover that lost the last seconds."""
    owner_conn.execute("DELETE FROM api_server")
    with connect(login.dsn, role=APP) as conn:
        login.settle(conn)
        with begun(conn):
            enter_team(conn, OURS)


def test_a_login_that_could_do_more_is_refused(database: str, owner_conn: Session) -> None:
    owner_conn.execute("DROP ROLE IF EXISTS too_much; CREATE ROLE too_much LOGIN NOINHERIT")
    owner_conn.execute("GRANT headway_app, headway_engine TO too_much")
    try:
        with pytest.raises(NotAllowed, match="too_much can do more than act as headway_app"):
            api_login.external(database, make_conninfo(database, user="too_much"), "test")
        with pytest.raises(NotAllowed, match="headway can do more"):
            api_login.external(database, database, "test")
    finally:
        owner_conn.execute("DROP ROLE too_much")


def test_a_login_of_its_own_is_taken(database: str, login: ApiLogin, lender: Lender) -> None:
    own = api_login.external(database, make_conninfo(database, user=api_login.LOGIN), "test")
    assert own.is_own
    assert own.weakness == ""
    with connect(own.dsn, role=APP) as conn:
        own.settle(conn)
        with begun(conn):
            enter_team(conn, OURS)
    with lender.lend() as other, pytest.raises(NotAllowed, match="another database"):
        api_login.external(database, make_conninfo(other.dsn, user=api_login.LOGIN), "test")


def test_without_one_the_weakness_is_told(database: str) -> None:
    owner = api_login.external(database, None, "test")
    assert not owner.is_own
    assert "CREATE ROLE headway_api LOGIN NOINHERIT" in owner.weakness


def test_the_engine_sees_all_teams(owner_conn: Session, conn: Session) -> None:
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'two')")
    assert conn.execute("SELECT current_user::text").fetchone() == (ENGINE,)
    assert conn.execute("SELECT team_id FROM team ORDER BY 1").fetchall() == [(1,), (2,)]
