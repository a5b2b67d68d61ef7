"""Pools that teams share by a grant, as each of them is told of it."""

from typing import Any

import psycopg
import pytest

from headway.actions.commands import check_own_pool
from headway.core.audited import sentence
from headway.engine.sharing import divide_pools
from headway.errors import UsageError
from headway.store import api_login
from headway.store.transact import APP, Session, begun, connect, enter_team, transact
from tests.api import people
from tests.api.browser import API, Answer, Browser

SHOP = {"Headway-Team": "shop"}
GPU = {"grantee": "shop", "name": "gpu", "kind": "use_pool"}
LENT = "@default/gpu"


@pytest.fixture
def admin(url: str) -> Browser:
    """The local admin, in the team of the pool; a second team is there."""
    admin = people.local(url)
    assert admin.ask("POST", f"{API}/teams", {"name": "shop"}).status == 201
    assert admin.ask("PUT", f"{API}/pools/gpu", {"slots": 6}).status == 200
    return admin


def give(admin: Browser) -> str:
    answer = admin.ask("POST", f"{API}/grants", GPU)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def revoke(admin: Browser, grant: str) -> None:
    answer = admin.ask("PATCH", f"{API}/grants/{grant}", {"state": "revoked"})
    assert answer.status == 200, answer.body


def pools(admin: Browser, headers: dict[str, str] | None = None) -> dict[str, Any]:
    items = admin.ask("GET", f"{API}/pools", headers=headers).json["items"]
    return {pool["name"]: pool for pool in items}


def uses(conn: Session, team: str, name: str, used: int) -> None:
    """As ticks would write it."""
    conn.execute(
        "UPDATE pool SET used = %s WHERE name = %s AND team_id = (SELECT team_id FROM team WHERE name = %s)",
        [used, name, team],
    )


def test_both_teams_see_what_is_theirs(admin: Browser, owner_conn: Session) -> None:
    assert pools(admin, SHOP).keys() == {"default"}
    grant = give(admin)
    transact(owner_conn, divide_pools, [], [])
    uses(owner_conn, "shop", LENT, 2)
    uses(owner_conn, "default", "gpu", 1)
    transact(owner_conn, divide_pools, [], [])
    own, lent = pools(admin)["gpu"], pools(admin, SHOP)[LENT]
    assert (own["slots"], own["used"], own["allotted"]) == (6, 1, 4)
    assert own["lent_to"] == [{"team": "shop", "used": 2, "allotted": 2, "revoked": False}]
    assert (lent["slots"], lent["used"], lent["allotted"], lent["lent_to"]) == (6, 2, 2, [])
    slots = admin.ask("GET", f"{API}/slots").json["pools"]
    assert [pool["lent_to"] for pool in slots if pool["name"] == "gpu"] == [own["lent_to"]]
    revoke(admin, grant)
    (loan,) = pools(admin)["gpu"]["lent_to"]
    assert (loan["used"], loan["revoked"]) == (2, True)
    uses(owner_conn, "shop", LENT, 0)
    assert pools(admin, SHOP).keys() == {"default"}
    assert pools(admin)["gpu"]["lent_to"] == []
    transact(owner_conn, divide_pools, [], [])
    assert pools(admin)["gpu"]["allotted"] is None


@pytest.mark.parametrize("name", [LENT, "@default/missing", "@nobody/gpu"])
def test_only_its_own_team_changes_a_pool(admin: Browser, name: str) -> None:
    """The answer is the same whether there is such a pool, granted or not."""
    give(admin)
    path = f"{API}/pools/{name.replace('/', '%2F')}"
    for method, body in (("PUT", {"slots": 99}), ("DELETE", None)):
        answer = admin.ask(method, path, body, SHOP)
        assert (answer.status, answer.json["detail"]) == (404, "Not Found")
    with pytest.raises(UsageError, match=f"{name} is of the team"):
        check_own_pool(name)
    assert admin.ask("PUT", f"{API}/pools/@gpu", {"slots": 99}, SHOP).status == 400
    assert pools(admin)["gpu"]["slots"] == 6


def test_a_lent_pool_is_resized_and_not_deleted(admin: Browser, owner_conn: Session) -> None:
    grant = give(admin)
    assert admin.ask("PUT", f"{API}/pools/gpu", {"slots": 9}).status == 200
    assert pools(admin, SHOP)[LENT]["slots"] == 9
    refused = admin.ask("DELETE", f"{API}/pools/gpu")
    assert (refused.status, refused.json["detail"]) == (409, "the pool `gpu` is lent to shop")
    uses(owner_conn, "shop", LENT, 1)
    revoke(admin, grant)
    assert admin.ask("DELETE", f"{API}/pools/gpu").status == 409, "a task still runs there"
    uses(owner_conn, "shop", LENT, 0)
    assert admin.ask("DELETE", f"{API}/pools/gpu").status == 204
    assert admin.ask("POST", f"{API}/grants", GPU).status == 404


def test_who_may_resize_pools_may_lend_them(url: str, admin: Browser) -> None:
    role = {"name": "sharer", "verbs": ["grant.manage", "team.read", "pool.read"]}
    assert admin.ask("POST", f"{API}/roles", role).status == 201
    people.create(url, "sam", "sharer")
    sam = people.signed_in(url, "sam")
    assert sam.ask("POST", f"{API}/grants", GPU).status == 403


def test_asking_tells_nothing(admin: Browser) -> None:
    def ask(owner: str, name: str) -> Answer:
        body = {"owner": owner, "name": name, "kind": "use_pool"}
        return admin.ask("POST", f"{API}/grants/requests", body, SHOP)

    for owner, name in (("default", "gpu"), ("default", "missing"), ("nobody", "gpu")):
        answer = ask(owner, name)
        assert (answer.status, answer.json["state"]) == (201, "asked")
    assert pools(admin, SHOP).keys() == {"default"}


def test_the_audit_says_what_was_lent(admin: Browser) -> None:
    give(admin)
    entries = admin.ask("GET", f"{API}/audit?limit=20").json["items"]
    (entry,) = [entry for entry in entries if entry["action"] == "grants.give_grant"]
    told = sentence(entry["action"], entry["subject"], entry["detail"])
    assert told == "let `shop` run tasks in the pool `gpu`"


def run_in(conn: Session, team_id: int, statement: str) -> None:
    with begun(conn):
        enter_team(conn, team_id)
        conn.execute(statement.encode())


def test_sql_of_a_team_takes_no_more_of_a_pool(
    database: str, admin: Browser, owner_conn: Session
) -> None:
    give(admin)
    row = owner_conn.execute("SELECT team_id FROM team WHERE name = 'shop'").fetchone()
    assert row is not None
    login = api_login.embedded(database, "sql")
    with connect(login.dsn, role=APP, prepare=False) as conn:
        login.settle(conn)
        for statement in (
            "UPDATE pool SET allotted = 6",
            "UPDATE pool SET used = 0",
            "INSERT INTO pool (team_id, name, slots, lender_id, lent_name, allotted)"
            f" VALUES ({row[0]}, '@default/other', 9, 1, 'other', 9)",
            f"INSERT INTO pool (team_id, name, slots) VALUES ({row[0]}, '@default/other', 9)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                run_in(conn, row[0], statement)
        with begun(conn):
            enter_team(conn, row[0])
            assert conn.execute("UPDATE pool SET slots = 9 WHERE name LIKE '@%'").rowcount == 0
            assert conn.execute("DELETE FROM pool WHERE name LIKE '@%'").rowcount == 0
            assert conn.execute("SELECT FROM lent_pools()").fetchall() == []
