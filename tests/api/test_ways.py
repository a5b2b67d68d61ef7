"""What every way to sign in keeps to. A new one is a row of ``WAYS``; without it this fails."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest
from psycopg import Connection

from headway.api.signin import SignIns, by_address
from headway.errors import NotFound
from headway.identity.base import SignIn
from headway.identity.passwords import Hashing
from headway.identity.registry import ways
from headway.store import sign_in_rates
from headway.store.transact import Session, transact
from tests.api import people
from tests.api.browser import API, Answer, Browser


class Way(NamedTuple):
    secret: Callable[[str, str], str]  # a good one of the person of that name
    enter: Callable[[Browser, str, str], Answer]  # with a name and a secret
    asks_name: bool


def link_of(url: str, name: str) -> str:
    answer = people.local(url).ask("POST", f"{API}/login-links", {"user": name})
    assert answer.status == 201, answer.body
    return str(answer.json["url"].partition("#")[2])


def by_form(way: str) -> Callable[[Browser, str, str], Answer]:
    def enter(browser: Browser, name: str, secret: str) -> Answer:
        body = {"name": name, "password": secret, "way": way}
        return browser.ask("POST", f"{API}/session", body)

    return enter


def by_link(browser: Browser, name: str, secret: str) -> Answer:
    return browser.ask("POST", f"{API}/session/link", {"token": secret})


WAYS: Final = {
    "password": Way(lambda url, name: people.PASSWORD, by_form("password"), asks_name=True),
    "link": Way(link_of, by_link, asks_name=False),
}


@pytest.fixture(params=WAYS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def way(name: str) -> Way:
    return WAYS[name]


@pytest.fixture
def ann(url: str) -> str:
    people.create(url, "ann", "operator")
    return "ann"


def told(conn: Connection[Any]) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT team_id, actor, via, action, subject FROM audit"
        " WHERE action IN ('session.sign_in', 'session.refused') ORDER BY team_id, seq"
    ).fetchall()


def test_every_registered_way_is_here() -> None:
    assert [each.name for each in ways(Hashing())] == list(WAYS)


def test_the_login_page_is_told_of_every_way(url: str) -> None:
    found = Browser(url).ask("GET", f"{API}/sign-in").json
    assert found == [
        {"name": "password", "label": "Name and password", "begins": "form"},
        {"name": "link", "label": "Sign-in link", "begins": "link"},
    ]


def test_who_proves_who_they_are_is_let_in(
    way: Way, name: str, url: str, ann: str, owner_conn: Session
) -> None:
    browser = Browser(url)
    answer = way.enter(browser, ann, way.secret(url, ann))
    assert answer.status == 200, answer.body
    assert answer.json["user"]["name"] == ann
    words = {word.strip().lower() for word in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "path=/", "samesite=strict"} <= words
    assert browser.ask("GET", f"{API}/session").json == answer.json
    assert told(owner_conn) == [(1, "user:ann", name, "session.sign_in", "ann")]


def test_every_reason_to_refuse_looks_the_same(
    way: Way, name: str, url: str, ann: str, owner_conn: Session
) -> None:
    for gone in ("disabled", "away"):
        people.create(url, gone, "viewer")
    secrets = {who: way.secret(url, who) for who in ("disabled", "away")}
    people.local(url).ask("PATCH", f"{API}/users/disabled", {"disabled": True})
    owner_conn.execute(
        "DELETE FROM membership USING person"
        " WHERE person.person_id = membership.person_id AND person.name = 'away'"
    )
    tried = [(ann, "wrong"), ("nobody", "wrong"), (ann, ""), ("", "")]
    answers = [way.enter(Browser(url), *each) for each in (*tried, *secrets.items())]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)
    rows = told(owner_conn)
    assert {row[1:4] for row in rows} == {("nobody", name, "session.refused")}
    assert len(rows) == len(answers)
    named = {row[4] for row in rows}
    assert named == ({"ann", "nobody", "", "disabled", "away"} if way.asks_name else {""})


def test_text_that_no_database_holds_is_refused(way: Way, url: str, ann: str) -> None:
    for odd in ("\ud800", "\0", "x" * 2_000):
        answer = way.enter(Browser(url), ann, odd)
        assert answer.status in (400, 401, 422), answer.body
        assert way.enter(Browser(url), odd, "x").status in (400, 401, 422)


def test_another_site_cannot_sign_anybody_in(way: Way, url: str, ann: str) -> None:
    secret = way.secret(url, ann)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert way.enter(Browser(url, headers=headers), ann, secret).status == 403
    assert way.enter(Browser(url), ann, secret).status == 200


def test_who_has_tried_too_often_is_refused_before_anything_is_done(
    way: Way, url: str, ann: str, owner_conn: Session
) -> None:
    secret = way.secret(url, ann)
    bucket = by_address("127.0.0.1")
    for _ in range(bucket.burst):
        transact(owner_conn, sign_in_rates.take, [bucket])
    refused = way.enter(Browser(url), ann, secret)
    assert (refused.status, "set-cookie" in refused.headers) == (429, False)
    assert told(owner_conn) == []


def test_the_secret_is_left_nowhere(way: Way, url: str, ann: str, owner_conn: Session) -> None:
    secret = way.secret(url, ann)
    assert way.enter(Browser(url), ann, secret).status == 200
    for table in ("audit", "browser_session", "login_link", "person"):
        rows = owner_conn.execute(f"SELECT row_to_json(t)::text FROM {table} AS t".encode())
        assert not any(secret in row for (row,) in rows)


def test_who_another_team_looks_after_is_told_of_there(
    way: Way, name: str, url: str, ann: str, owner_conn: Session
) -> None:
    secret = way.secret(url, ann)
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute("UPDATE person SET team_id = 2 WHERE name = 'ann'")
    owner_conn.execute("UPDATE login_link SET team_id = 2")
    assert way.enter(Browser(url), ann, "wrong").status == 401
    assert way.enter(Browser(url), ann, secret).status == 200
    refused = (2 if way.asks_name else 1, "nobody", name, "session.refused")
    assert sorted(row[:4] for row in told(owner_conn)) == sorted(
        [refused, (2, "user:ann", name, "session.sign_in")]
    )


def test_a_way_that_is_not_there_is_told_and_costs_nothing(url: str, ann: str) -> None:
    for odd in ("link", "oidc", ""):
        answer = by_form(odd)(Browser(url), ann, people.PASSWORD)
        assert answer.status == 404
        assert answer.json["hint"] == "use one of: password"


def test_a_way_is_found_by_how_it_begins() -> None:
    signins = SignIns(1)
    found: SignIn = signins.way("password", "form")
    assert found.name == "password"
    with pytest.raises(NotFound, match="there is no way to sign in named 'password' here"):
        signins.way("password", "link")
