"""Who sees what of the slots that teams share."""

import pytest
from psycopg import errors

from headway import wire
from headway.client import Client
from headway.store import shares
from headway.store.transact import Session
from tests.api import people
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
