"""Users, roles and tokens: who may give what to whom; and that no role reads a hash."""

from typing import Any, LiteralString

import pytest
from psycopg import Connection, errors

from headway.store.transact import Session, enter_team, transact
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API, Browser


@pytest.fixture
def ann(url: str) -> Browser:
    people.create(url, "ann", "operator")
    return people.signed_in(url, "ann")


def test_what_somebody_did_has_their_name(ann: Browser, conn: Session) -> None:
    seed.dag(conn, "d")
    assert ann.ask("POST", f"{API}/dags/d/runs", {}).json["created_by"] == "user:ann"
    assert ann.ask("POST", f"{API}/dags/d/pause").json["paused_by"] == "user:ann"
    actors = conn.execute("SELECT DISTINCT actor FROM event WHERE subject IN ('run', 'dag')")
    assert {actor for (actor,) in actors} == {"user:ann"}


def test_a_token_does_no_more_than_its_owner_may_now(ann: Browser, url: str) -> None:
    program = people.bearer(url, people.token(url, "ann", "admin"))
    assert program.ask("GET", f"{API}/session").json["role"] == "operator"
    people.local(url).ask("PATCH", f"{API}/users/ann", {"role": "viewer"})
    assert program.ask("GET", f"{API}/session").json["role"] == "viewer"


def test_a_token_opens_nothing_wider_than_itself(ann: Browser, url: str, watch: Watch) -> None:
    admin = people.local(url)
    lesser = people.bearer(url, people.token(url, "admin", "viewer"))
    whole = people.bearer(url, people.token(url, "admin", "admin", "whole"))
    new = {"password": "a new long password"}
    for program, method, path, body in (
        (lesser, "POST", "/login-links", {}),
        (lesser, "PUT", "/users/admin/password", new),
        (lesser, "POST", "/tokens", {"name": "x", "role": "operator"}),
        (whole, "POST", "/login-links", {}),
        (whole, "POST", "/tokens", {"name": "x", "user": "ann"}),
    ):
        with watch.attack():
            assert program.ask(method, API + path, body).status == 403, path
    assert admin.ask("GET", f"{API}/session").status == 200


def test_of_others_one_sees_and_does_nothing(ann: Browser, url: str, watch: Watch) -> None:
    people.create(url, "bob", "viewer")
    people.token(url, "bob", "viewer", "bob's")
    (theirs,) = people.local(url).ask("GET", f"{API}/tokens").json["items"]
    assert ann.ask("GET", f"{API}/tokens").json["items"] == []
    missing = "0" * len(theirs["id"])
    for method, path, body, status in (
        ("DELETE", f"/tokens/{theirs['id']}", None, 404),
        ("PUT", "/users/bob/password", {"password": "x" * 12}, 403),
        ("POST", "/login-links", {"user": "bob"}, 403),
        ("POST", "/tokens", {"name": "x", "user": "bob"}, 403),
    ):
        nobodys = {**body, "user": "eve"} if body and "user" in body else body
        other = path.replace(theirs["id"], missing).replace("bob", "eve")
        with watch.attack():
            answers = [ann.ask(method, API + path, body), ann.ask(method, API + other, nobodys)]
        told = [each.body.replace(missing.encode(), theirs["id"].encode()) for each in answers]
        assert (answers[0].status, told[0]) == (status, told[1]), path


def test_an_admins_token_makes_no_way_in_but_what_is_no_wider_than_itself(
    url: str, watch: Watch
) -> None:
    """Nothing that can do more, or lasts longer: passwords, links, tokens of others, longer tokens."""
    short = {"name": "short", "role": "admin", "expires_in_days": 1}
    secret = people.local(url).ask("POST", f"{API}/tokens", short).json["token"]
    program = people.bearer(url, secret)
    new = {"name": "evil", "display_name": "E", "role": "viewer", "password": people.PASSWORD}
    with watch.attack(entries=4):  # of four routes
        refused = [
            program.ask("POST", f"{API}/users", new),
            program.ask("PUT", f"{API}/users/admin/password", {"password": people.PASSWORD}),
            program.ask("POST", f"{API}/login-links", {}),
            program.ask("POST", f"{API}/login-links", {"user": "admin"}),
            program.ask("POST", f"{API}/tokens", {"name": "long", "expires_in_days": 2}),
            program.ask("POST", f"{API}/tokens", {"name": "default"}),
        ]
    assert [answer.status for answer in refused] == [403] * len(refused)
    assert program.ask("GET", f"{API}/users/evil").status == 404
    assert b"a token cannot set a password" in refused[0].body
    without = {name: value for name, value in new.items() if name != "password"}
    assert program.ask("POST", f"{API}/users", without).status == 201


def test_a_token_is_shown_once_and_named_once(ann: Browser) -> None:
    made = ann.ask("POST", f"{API}/tokens", {"name": "ci", "expires_in_days": 7}).json
    assert made["token"].startswith("hwt_")
    shown = ann.ask("GET", f"{API}/tokens").json["items"][0]
    assert shown == {name: value for name, value in made.items() if name != "token"}
    assert ann.ask("POST", f"{API}/tokens", {"name": "ci"}).status == 409
    assert ann.ask("POST", f"{API}/tokens", {"name": "y", "expires_in_days": 1000}).status == 400
    revoked = ann.ask("DELETE", f"{API}/tokens/{made['id']}").json
    assert revoked["revoked_at"] is not None
    assert ann.ask("POST", f"{API}/tokens", {"name": "ci"}).status == 201


def test_a_team_keeps_an_admin(url: str) -> None:
    admin = people.local(url)
    assert admin.ask("PATCH", f"{API}/users/admin", {"role": "viewer"}).status == 409
    assert admin.ask("PATCH", f"{API}/users/admin", {"disabled": True}).status == 409
    people.create(url, "eve", "admin")
    for change in ({"role": "viewer"}, {"disabled": True}):
        refused = admin.ask("PATCH", f"{API}/users/admin", change)
        assert (refused.status, b"headway up acts as this user" in refused.body) == (409, True)
    assert admin.ask("DELETE", f"{API}/members/admin").status == 409
    assert admin.ask("PATCH", f"{API}/users/eve", {"role": "author"}).json["role"] == "author"
    assert admin.ask("PATCH", f"{API}/users/eve", {"display_name": ""}).status == 400


@pytest.mark.parametrize("name", ["Ann", "", "a b", "../x", "ｅve", "x" * 65, "-x"])
def test_a_name_is_plain(url: str, watch: Watch, name: str) -> None:
    with watch.attack(entries=0):
        answer = people.local(url).ask("POST", f"{API}/users", {"name": name, "role": "viewer"})
    assert answer.status == 400, answer.body


def test_lists_come_in_pages(url: str) -> None:
    admin = people.local(url)
    for n in range(5):
        people.create(url, f"user{n}", "viewer")
        people.token(url, f"user{n}", "viewer")
    for path, count in (("/users", 6), ("/tokens", 5), ("/audit", 10)):
        seen: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = admin.ask("GET", f"{API}{path}?limit=2&cursor={cursor}").json
            seen += page["items"]
            cursor = page["next_cursor"]
        assert len(seen) == len({repr(item) for item in seen}) == count


# -- several teams


NOT_THEIRS = ("admin", "nadim")  # one of the first team, and nobody


@pytest.fixture
def other_team(ann: Browser, owner_conn: Session) -> None:
    """A team where ann, whom the first one looks after, is a viewer, and mallory is admin."""
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'theirs', 8)")
    owner_conn.execute(
        "INSERT INTO membership (team_id, person_id, role, created_by)"
        " SELECT 2, person_id, 'viewer', 'test' FROM person WHERE name = 'ann'"
    )
    owner_conn.execute(
        "WITH made AS (INSERT INTO person (team_id, name, display_name, created_by)"
        " VALUES (2, 'mallory', 'M', 'test') RETURNING person_id)"
        " INSERT INTO membership (team_id, person_id, role, created_by)"
        " SELECT 2, person_id, 'admin', 'test' FROM made"
    )


@pytest.mark.usefixtures("other_team")
def test_a_request_is_in_one_team_with_the_role_there(ann: Browser, url: str) -> None:
    def pools(team: str) -> list[str]:
        answer = ann.ask("GET", f"{API}/pools", headers={"Headway-Team": team})
        return [pool["name"] for pool in answer.json["items"]]

    session = ann.ask("GET", f"{API}/session").json
    assert session["teams"] == [
        {"name": "default", "role": "operator"},
        {"name": "other", "role": "viewer"},
    ]
    assert (pools("default"), pools("other")) == (["default"], ["theirs"])
    there = {"Headway-Team": "other"}
    assert ann.ask("POST", f"{API}/dags/d/pause", headers=there).status == 403
    assert ann.ask("GET", f"{API}/pools", headers={"Headway-Team": "none"}).status == 403
    program = people.bearer(url, people.token(url, "ann", "operator"))
    assert program.ask("GET", f"{API}/pools", headers=there).status == 403
    admin = people.local(url)
    assert admin.ask("GET", f"{API}/pools", headers=there).status == 403


def test_an_admin_of_one_team_is_nobody_to_another(
    other_team: None, url: str, owner_conn: Session, watch: Watch
) -> None:
    owner_conn.execute(
        "INSERT INTO login_link (team_id, hash, person_id, created_by, expires_at)"
        " SELECT 2, sha256('way in'), person_id, 'test', now() + interval '1 minute'"
        " FROM person WHERE name = 'mallory'"
    )
    mallory = Browser(url)
    assert mallory.sign_in_by("#way in").json["team"] == "other"
    assert [user["name"] for user in mallory.ask("GET", f"{API}/users").json["items"]] == [
        "ann",
        "mallory",
    ]
    watch.team_id = 2
    for method, path, body, status in (
        ("PATCH", "/users/ann", {"disabled": True}, 403),
        ("POST", "/login-links", {"user": "ann"}, 403),
        ("PUT", "/users/ann/password", {"password": "taken over by m"}, 403),
    ):
        with watch.attack() as told:
            assert mallory.ask(method, API + path, body).status == status, path
        assert [(who, refused) for who, _, _, refused in told] == [("user:mallory", status)]
    lowered = {"role": "viewer"}
    for method, role in (("GET", None), ("PATCH", lowered)):
        with watch.attack():
            answers = [mallory.ask(method, f"{API}/users/{name}", role) for name in NOT_THEIRS]
        told_of = [each.body.replace(b"nadim", b"admin") for each in answers]
        assert (answers[0].status, told_of[0]) == (404, told_of[1])
    assert people.signed_in(url, "ann").ask("GET", f"{API}/session").status == 200


# -- the database

HIDDEN: list[LiteralString] = [
    "SELECT password_hash FROM person",
    "SELECT * FROM person",
    "SELECT hash FROM api_token",
    "SELECT hash FROM browser_session",
    "SELECT hash FROM login_link",
    "SELECT person_id FROM login_link",
    "DELETE FROM person",
    "UPDATE api_token SET role = 'admin'",
    "UPDATE api_token SET hash = sha256('mine')",
    "UPDATE person SET team_id = 1",
    "UPDATE audit SET actor = 'somebody else'",
    "DELETE FROM audit",
    "TRUNCATE audit",
]


@pytest.mark.parametrize("statement", HIDDEN)
def test_what_no_role_may(
    ann: Browser, app_conn: Session, conn: Session, statement: LiteralString
) -> None:
    def work(conn: Connection[Any]) -> None:
        enter_team(conn, 1)
        conn.execute(statement)

    for each in (app_conn, conn):
        with pytest.raises(errors.InsufficientPrivilege):
            transact(each, work)


def test_passwords_and_secrets_are_stored_as_hashes(
    ann: Browser, url: str, owner_conn: Session
) -> None:
    token = people.token(url, "ann", "viewer")
    assert ann.cookie is not None
    (hashed,) = owner_conn.execute(
        "SELECT password_hash FROM person WHERE name = 'ann'"
    ).fetchone() or ("",)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    for table in ("person", "api_token", "browser_session", "login_link", "audit"):
        text = str(owner_conn.execute(f"SELECT * FROM {table}".encode()).fetchall())
        for secret in (people.PASSWORD, token, ann.cookie.partition("=")[2]):
            assert secret not in text
