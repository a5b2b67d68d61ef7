"""Two teams in one database: the application's role sees and changes one, the keys join no two."""

from typing import Any

import pytest
from psycopg import Connection, errors

from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.core.commands import Selection
from headway.engine.catalog import Catalog
from headway.errors import NotFound
from headway.store.transact import enter_team, transact
from tests.scenarios.world import ANN, Scheduler, deploy, run_state, states, task, trigger, value

OTHER = 2
TABLES = (
    *("team", "bundle", "dag", "dag_version", "import_error", "pool", "backfill", "run"),
    *("agent_session", "task_instance", "attempt", "xcom", "report", "event"),
    *("person", "membership", "api_token", "browser_session", "login_link", "audit", "idempotency"),
    *("installation", "event_position", "share", "connection", "variable", "team_role"),
    *(
        "connection_test",
        "run_link",
        "code_change",
        "team_cluster",
        "warm_pool",
        "team_canary",
        "wait",
        "run_image",
    ),
    *("asset", "asset_alias", "asset_use", "asset_event", "asset_consumer", "consumed_asset"),
    *("asset_watcher", "watch", "task_state", "asset_state", "state_used"),
    *("pending_partition", "arrived_partition", "consumed_partition"),
    *("answer", "webhook", "webhook_delivery", "webhook_signature"),
    *("outbound_webhook", "outbound_delivery"),
    *("airflow_dag", "airflow_run"),
)

OF_TWO_TEAMS = ("team_grant",)  # owner and grantee: see tests of grants


@pytest.fixture
def two_teams(conn: Connection[Any]) -> tuple[str, str]:
    """A finished run of each, both of a DAG named d."""
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 8)")
    found = []
    for team_id in (1, OTHER):
        deploy(conn, task("a"), team_id=team_id)
        scheduler = Scheduler(conn, team_id=team_id)
        found += trigger(conn, team_id=team_id)
        scheduler.play()
    return found[0], found[1]


def within(conn: Connection[Any], team_id: int | None, work: Any, *args: Any) -> Any:
    def entered(conn: Connection[Any]) -> Any:
        if team_id is not None:
            enter_team(conn, team_id)
        return work(conn, *args)

    return transact(conn, entered)


def teams_of(conn: Connection[Any], table: str) -> set[int]:
    return {team for (team,) in conn.execute(f"SELECT team_id FROM {table}".encode())}


@pytest.mark.parametrize(
    "table", ["run", "task_instance", "event", "dag", "pool", "bundle", "team"]
)
def test_the_application_sees_the_team_it_entered_and_without_one_nothing(
    two_teams: tuple[str, str], app_conn: Connection[Any], table: str
) -> None:
    for team_id in (1, OTHER):
        assert within(app_conn, team_id, teams_of, table) == {team_id}
    assert within(app_conn, None, teams_of, table) == set()


def test_the_application_cannot_see_tokens(app_conn: Connection[Any]) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        within(app_conn, 1, lambda conn: conn.execute("SELECT token FROM attempt"))


def with_team(conn: Connection[Any], kind: str) -> set[str]:
    """Relations of a kind (``r`` tables, ``v`` views) that have rows of teams."""
    named = conn.execute(
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE attname = 'team_id' AND relkind = %s AND relnamespace = 'public'::regnamespace",
        (kind,),
    )
    return {name for (name,) in named}


def test_every_table_of_a_team_forces_its_policy(owner_conn: Connection[Any]) -> None:
    forced = owner_conn.execute(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    ).fetchall()
    assert {name for (name,) in forced} == {*TABLES, *OF_TWO_TEAMS}
    assert with_team(owner_conn, "r") == set(TABLES)


def test_every_view_of_a_team_is_read_with_the_rights_of_its_reader(
    owner_conn: Connection[Any],
) -> None:
    invoked = owner_conn.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND reloptions @> '{security_invoker=true}'"
    ).fetchall()
    views = with_team(owner_conn, "v")
    assert views
    assert views <= {name for (name,) in invoked}


def test_the_application_changes_only_its_team(
    two_teams: tuple[str, str], conn: Connection[Any], app_conn: Connection[Any]
) -> None:
    mine, theirs = two_teams
    graphs = Catalog(app_conn).graph
    within(app_conn, 1, commands.clear, 1, mine, Selection(), graphs, ANN)
    assert run_state(conn, mine) == "queued"
    for command in (commands.clear, commands.would_clear):
        with pytest.raises(NotFound):
            within(
                app_conn,
                1,
                command,
                OTHER,
                theirs,
                Selection(),
                graphs,
                *[ANN][: command is commands.clear],
            )
        with pytest.raises(NotFound):
            within(
                app_conn,
                1,
                command,
                1,
                theirs,
                Selection(),
                graphs,
                *[ANN][: command is commands.clear],
            )
    assert (run_state(conn, theirs), states(conn, theirs)) == ("success", {"a": "success"})
    touched = within(
        app_conn, 1, lambda conn: conn.execute("UPDATE run SET reason = '{}'").rowcount
    )
    assert touched == 1
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        within(
            app_conn,
            1,
            lambda conn: conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'p', 1)"),
        )


def test_the_application_writes_all_that_commands_need(
    two_teams: tuple[str, str], app_conn: Connection[Any], conn: Connection[Any]
) -> None:
    graphs = Catalog(app_conn).graph
    (run_id,) = within(app_conn, 1, commands.trigger, 1, "d", [RunRequest(params={})], ANN)
    within(app_conn, 1, commands.cancel, 1, run_id, graphs, ANN)
    within(app_conn, 1, commands.pause, 1, "d", ANN)
    within(app_conn, 1, commands.resume, 1, "d", ANN)
    within(app_conn, 1, commands.resize_pool, 1, "etl", 3, ANN)
    within(app_conn, 1, commands.delete_pool, 1, "etl", ANN)
    assert run_state(conn, run_id) == "cancelled"
    with pytest.raises(errors.InsufficientPrivilege):
        within(app_conn, 1, lambda conn: conn.execute("DELETE FROM event"))


def test_the_engine_cannot_rewrite_history(
    two_teams: tuple[str, str], conn: Connection[Any]
) -> None:
    for statement in ("DELETE FROM event", "UPDATE event SET actor = 'nobody'", "TRUNCATE event"):
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute(statement.encode())


CROSSING = (
    "UPDATE run SET bundle_version = 'only2' WHERE team_id = 1",
    "UPDATE dag SET bundle_version = 'only2' WHERE team_id = 1",
    "UPDATE attempt SET session_id = (SELECT session_id FROM agent_session WHERE team_id = 2)"
    " WHERE team_id = 1",
    "UPDATE task_instance SET team_id = 2 WHERE team_id = 1",
    "UPDATE attempt SET team_id = 2 WHERE team_id = 1",
    "INSERT INTO backfill VALUES (1, 'b', 'only2', now(), now(), 1, 'me', now())",
    "INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, value, size)"
    " SELECT 2, run_id, task_id, map_index, 'k', number, '1', 1 FROM attempt WHERE team_id = 1",
)


@pytest.mark.parametrize("statement", CROSSING)
def test_no_row_refers_to_another_team(
    two_teams: tuple[str, str], conn: Connection[Any], statement: str
) -> None:
    conn.execute("INSERT INTO bundle VALUES (2, 'only2', 1, 1, now())")
    deploy(conn, task("a"), dag_id="only2", team_id=OTHER)
    with pytest.raises(errors.ForeignKeyViolation):
        conn.execute(statement.encode())


def test_the_same_names_in_two_teams_are_two_things(
    two_teams: tuple[str, str], conn: Connection[Any]
) -> None:
    mine, theirs = two_teams
    assert value(conn, "SELECT count(*) FROM dag WHERE dag_id = 'd'") == 2
    assert mine != theirs
    assert value(conn, "SELECT max(slots) - min(slots) FROM pool WHERE name = 'default'") == 120
