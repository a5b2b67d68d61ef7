"""Who belongs to a team: people of other teams are taken in and let go, and nobody locks a team up."""

import pytest

from headway import wire
from headway.client import Client
from headway.core.roles import Role
from headway.errors import Conflict, NotFound
from headway.store.transact import Session
from tests.api import people
from tests.api.browser import API, Browser

OTHER = {"Headway-Team": "other"}


@pytest.fixture
def other(url: str, owner_conn: Session) -> Browser:
    """The local admin in a second team of theirs."""
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute(
        "INSERT INTO membership (team_id, person_id, role, created_by)"
        " SELECT 2, person_id, 'admin', 'test' FROM person WHERE name = 'admin'"
    )
    admin = people.local(url)
    admin.headers |= OTHER
    return admin


def names(admin: Browser) -> list[str]:
    return [each["name"] for each in admin.ask("GET", f"{API}/users").json["items"]]


def test_somebody_of_another_team_is_taken_in_and_let_go(other: Browser, url: str) -> None:
    people.create(url, "ann", "operator")
    ann = people.signed_in(url, "ann")
    assert ann.ask("GET", f"{API}/pools", headers=OTHER).status == 403
    assert names(other) == ["admin"]
    made = other.ask("POST", f"{API}/members", {"name": "ann", "role": "author"})
    assert (made.status, made.json["role"]) == (201, "author")
    assert names(other) == ["admin", "ann"]
    assert ann.ask("GET", f"{API}/session", headers=OTHER).json["role"] == "author"
    token = ann.ask("POST", f"{API}/tokens", {"name": "there"}, headers=OTHER).json["token"]
    program = people.bearer(url, token)
    assert program.ask("GET", f"{API}/pools").status == 200

    assert other.ask("DELETE", f"{API}/members/ann").json["role"] == "author"
    assert ann.ask("GET", f"{API}/pools", headers=OTHER).status == 403
    assert ann.ask("GET", f"{API}/session").json["role"] == "operator"
    assert program.ask("GET", f"{API}/pools").status == 401
    other.ask("POST", f"{API}/members", {"name": "ann", "role": "viewer"})
    assert program.ask("GET", f"{API}/pools").status == 401  # a token does not come to life again


def test_who_leaves_the_team_that_looks_after_them_is_out_everywhere_until_they_sign_in(
    url: str,
) -> None:
    people.create(url, "ann", "operator")
    ann, admin = people.signed_in(url, "ann"), people.local(url)
    assert admin.ask("DELETE", f"{API}/members/ann").status == 200
    assert ann.ask("GET", f"{API}/session").status == 401
    assert Browser(url).sign_in("ann", people.PASSWORD).status == 401
    assert admin.ask("POST", f"{API}/members", {"name": "ann", "role": "viewer"}).status == 201
    assert Browser(url).sign_in("ann", people.PASSWORD).status == 200


def test_a_team_keeps_an_admin_and_its_members_once(
    client: Client, url: str, owner_conn: Session
) -> None:
    with pytest.raises(Conflict, match="last admin"):
        client.remove_member("admin")
    with pytest.raises(NotFound, match="there is no user 'nobody'"):
        client.add_member(wire.MemberRequest(name="nobody", role=Role.VIEWER))
    with pytest.raises(NotFound, match="there is no user 'nobody'"):
        client.remove_member("nobody")
    with pytest.raises(Conflict, match="already in the team"):
        client.add_member(wire.MemberRequest(name="admin", role=Role.VIEWER))
    people.create(url, "eve", "admin")
    owner_conn.execute(
        "UPDATE membership SET lapses_at = now() FROM person"
        " WHERE person.person_id = membership.person_id AND person.name = 'eve'"
    )
    with pytest.raises(Conflict, match="last admin"):
        client.remove_member("admin")  # the role of the other one has lapsed
    assert client.remove_member("eve").role == Role.ADMIN


def test_the_audit_tells_who_was_taken_in_and_who_went(url: str) -> None:
    people.create(url, "ann", "operator")
    admin = people.local(url)
    admin.ask("DELETE", f"{API}/members/ann")
    admin.ask("POST", f"{API}/members", {"name": "ann", "role": "viewer"})
    taken, gone = admin.ask("GET", f"{API}/audit?limit=2").json["items"]
    assert (taken["action"], gone["action"]) == ("members.add_member", "members.remove_member")
    assert (taken["detail"]["before"], taken["detail"]["after"]["role"]) == (None, "viewer")
    assert (gone["detail"]["before"]["role"], gone["detail"]["after"]) == ("operator", None)
