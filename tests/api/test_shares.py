"""Who sees what of the slots that teams share."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import errors

from headway import wire
from headway.client import Client
from headway.store import shares
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API


@pytest.fixture
def two(conn: Session) -> None:
    """Another team has borrowed slots, and one of ours waits."""
    conn.execute("INSERT INTO team (team_id, name, weight) VALUES (7, 'other', 2)")
    conn.execute("UPDATE team SET slots = 4 WHERE team_id = 1")
    shares.provide(conn, "here", 8)
    conn.execute(
        "UPDATE share SET used = 3, allotted = 3, fair = 4, short = true WHERE team_id = 1"
    )
    conn.execute("UPDATE share SET used = 5, allotted = 5, fair = 4 WHERE team_id = 7")


def test_a_platform_admin_sees_all_teams(client: Client, two: None) -> None:
    found = client.slots()
    ours = wire.TeamShare(
        team="default", slots=4, weight=1, used=3, allotted=3, fair=4, lent=1, short=True
    )
    assert (found.team, found.capacity) == (ours, 8)
    assert [(team.team, team.weight, team.used) for team in found.teams] == [
        ("default", 1, 3),
        ("other", 2, 5),
    ]


def test_alone_nothing_is_shared(client: Client) -> None:
    found = client.slots()
    assert (found.team.allotted, found.team.borrowed, found.team.lent) == (None, 0, 0)


def test_a_member_sees_the_own_team_and_no_other(url: str, client: Client, two: None) -> None:
    people.create(url, "vera", "admin")
    vera = people.signed_in(url, "vera")
    found = vera.ask("GET", f"{API}/slots").json
    assert found["team"]["team"] == "default"
    assert (found["capacity"], found["teams"]) == (8, [])
    assert "other" not in str(found)


def test_the_database_tells_only_a_platform_admin_of_other_teams(conn: Session) -> None:
    with pytest.raises(errors.InsufficientPrivilege), conn.transaction():
        conn.execute("SELECT * FROM shares_of_all(-1)")


@pytest.fixture
def attempts(owner_conn: Session) -> None:
    """One of each team: ready two hours ago, it waited for a minute and held its slot for five. Another is too old."""
    seed.dag(owner_conn, "sales")
    owner_conn.execute("INSERT INTO team (team_id, name, weight) VALUES (7, 'other', 2)")
    seed.dag(owner_conn, "spies", team_id=7)
    now = datetime.now(UTC)
    for team_id, dag_id, run_id, hours in (
        (1, "sales", "r1", 2),
        (1, "sales", "r2", 99),
        (7, "spies", "r3", 2),
    ):
        seed.run(owner_conn, dag_id, run_id, state="success", team_id=team_id)
        ready = now - timedelta(hours=hours)
        owner_conn.execute("SET session_replication_role = replica")
        owner_conn.execute(
            "INSERT INTO attempt (team_id, run_id, task_id, map_index, number, state, session_id,"
            " ready_at, queued_at, started_at, ended_at)"
            " VALUES (%(team)s, %(run)s, 't0', -1, 1, 'success', 's1', %(ready)s, %(at)s, %(at)s, %(end)s)",
            {
                "team": team_id,
                "run": run_id,
                "ready": ready,
                "at": ready + timedelta(minutes=1),
                "end": ready + timedelta(minutes=6),
            },
        )
        owner_conn.execute(
            "UPDATE run SET ended_at = %s WHERE run_id = %s", [ready + timedelta(hours=1), run_id]
        )
        owner_conn.execute("SET session_replication_role = origin")


def test_a_replay_is_of_all_teams_for_a_platform_admin(client: Client, attempts: None) -> None:
    found = client.slot_history(24)
    assert found.all_teams
    assert [(team.team, team.waited_s, team.held_s) for team in found.teams] == [
        ("default", [60], [300]),
        ("other", [60], [300]),
    ]
    assert found.teams[0].ready_s == [pytest.approx(22 * 3600, abs=600)]


def test_a_replay_is_of_the_own_team_for_a_member(url: str, client: Client, attempts: None) -> None:
    people.create(url, "vera", "viewer")
    vera = people.signed_in(url, "vera")
    found = vera.ask("GET", f"{API}/slots/attempts?hours=24").json
    assert [team["team"] for team in found["teams"]] == ["default"]
    assert (found["all_teams"], "other" in str(found)) == (False, False)
