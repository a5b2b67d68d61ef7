"""Sign-in by the headers of a proxy, and what the role map makes of the groups that it tells."""

from collections.abc import Iterator
from typing import Any

import pytest

from headway.api.server import HttpServer
from headway.config import Layout
from headway.identity.settings import checked
from headway.store.transact import Session
from headway.up.address import url_of
from tests.api import people
from tests.api.attacks import Watch
from tests.api.browser import API, Answer, Browser
from tests.api.conftest import Served, served

SETTINGS = """
[proxy.company]
label = "Company account"
trusted = ["127.0.0.1/32"]
name-header = "X-Forwarded-Preferred-Username"
session-hours = 2

[[rule]]
group = "dw-{team}-authors"
grant = "{team}:author"

[[rule]]
group = "Analysts"
grant = "default:viewer"

[[rule]]
group = "chiefs"
grant = "default:admin"

[[rule]]
group = "owners"
grant = "platform:admin"

[[rule]]
group = "suspended"
deny = "*"
"""


@pytest.fixture
def proxied(database: str, layout: Layout, owner_conn: Session) -> Iterator[Served]:
    owner_conn.execute("INSERT INTO team (name) VALUES ('other')")
    with served(database, layout.data, sign_in=checked(SETTINGS)) as server:
        yield server


@pytest.fixture
def url(proxied: Served) -> str:
    return url_of(proxied.listener, "127.0.0.1")


def enter(url: str, user: str, groups: str = "", **more: str) -> tuple[Browser, Answer]:
    browser = Browser(url)
    headers = {"X-Forwarded-User": user, "X-Forwarded-Groups": groups, **more}
    body = {"way": "company"}
    return browser, browser.ask("POST", f"{API}/session/header", body, headers)


def roles(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer.body
    return {each["name"]: each["role"] for each in answer.json["teams"]}


def refusals(conn: Session) -> list[Any]:
    rows = conn.execute(
        "SELECT detail->>'reason' FROM audit WHERE action = 'session.refused' ORDER BY seq"
    )
    return [row[0] for row in rows]


def test_a_person_is_created_by_the_first_sign_in(url: str, owner_conn: Session) -> None:
    shown = {"X-Forwarded-Preferred-Username": "Ann Lee"}
    browser, answer = enter(url, "Ann.Lee@Example.com", "analysts, dw-other-authors", **shown)
    assert roles(answer) == {"default": "viewer", "other": "author"}
    assert answer.json["user"] == {"name": "ann.lee@example.com", "display_name": "Ann Lee"}
    assert browser.ask("GET", f"{API}/session").status == 200
    left = owner_conn.execute(
        "SELECT expires_at - now() BETWEEN '1 h 50 m' AND '2 h' FROM browser_session"
    )
    assert left.fetchall() == [(True,)]
    told = owner_conn.execute(
        "SELECT team.name, subject, detail::jsonb ? 'before', detail->>'after', detail->>'rule', address"
        " FROM audit JOIN team USING (team_id)"
        " WHERE action = 'members.role_map' ORDER BY team.name"
    ).fetchall()
    name = "ann.lee@example.com"
    assert told == [
        ("default", name, True, "viewer", "group Analysts → default:viewer", ""),
        ("other", name, True, "author", "group dw-{team}-authors → {team}:author", ""),
    ]
    enter(url, "Ann.Lee@Example.com", "analysts, dw-other-authors")
    assert owner_conn.execute(
        "SELECT count(*) FROM person WHERE source = 'company'"
    ).fetchone() == (1,)


def test_a_lost_group_ends_the_role_and_its_tokens(url: str) -> None:
    browser, answer = enter(url, "ann", "analysts,dw-other-authors")
    assert roles(answer) == {"default": "viewer", "other": "author"}
    asked = {"name": "mine", "role": "author"}
    made = browser.ask("POST", f"{API}/tokens", asked, {"Headway-Team": "other"})
    assert made.status == 201, made.body
    token = people.bearer(url, made.json["token"])
    assert token.ask("GET", f"{API}/session").json["team"] == "other"

    _, again = enter(url, "ann", "analysts")
    assert roles(again) == {"default": "viewer"}
    assert token.ask("GET", f"{API}/session").status == 401
    # The session of before is the person's, and sees what they may now.
    assert roles(browser.ask("GET", f"{API}/session")) == {"default": "viewer"}
    other = browser.ask("GET", f"{API}/dags", headers={"Headway-Team": "other"})
    assert other.status == 403

    _, none = enter(url, "ann", "")
    assert none.status == 401
    assert browser.ask("GET", f"{API}/session").status == 401
    assert roles(enter(url, "ann", "dw-other-authors")[1]) == {"other": "author"}
    assert token.ask("GET", f"{API}/session").status == 401  # a revoked token stays revoked


def test_a_lower_role_is_one_at_once(url: str) -> None:
    browser, _ = enter(url, "ann", "dw-default-authors")
    looks = browser.ask("POST", f"{API}/loader/look")
    assert looks.status != 403
    enter(url, "ann", "analysts")
    assert browser.ask("POST", f"{API}/loader/look").status == 403


def test_a_denial_ends_what_an_admin_gave_by_hand(url: str, owner_conn: Session) -> None:
    enter(url, "ann", "dw-other-authors")
    people.local(url).ask("POST", f"{API}/members", {"name": "ann", "role": "operator"})
    by_hand = roles(enter(url, "ann", "dw-other-authors")[1])
    assert by_hand == {"default": "operator", "other": "author"}
    _, denied = enter(url, "ann", "dw-other-authors,suspended")
    assert denied.status == 401
    left = owner_conn.execute(
        "SELECT count(*) FROM membership JOIN person USING (person_id) WHERE person.name = 'ann'"
    )
    assert left.fetchone() == (0,)


def test_the_map_makes_platform_admins(url: str) -> None:
    browser, _ = enter(url, "ann", "owners,chiefs")
    assert browser.ask("GET", f"{API}/teams").status == 200
    team = {"name": "made"}
    assert browser.ask("POST", f"{API}/teams", team).status == 201
    for groups in ("chiefs", "owners,analysts"):
        enter(url, "ann", groups)
        assert browser.ask("POST", f"{API}/teams", {"name": "more"}).status == 403
    assert enter(url, "bob", "owners")[1].status == 401  # the platform is no team


def test_a_name_of_somebody_else_is_not_taken_over(url: str) -> None:
    people.create(url, "ann", "admin")
    for user, name in (
        ("ann", "ann@company"),
        ("ANN", "ann-2@company"),
        ("admin", "admin@company"),
    ):
        _, answer = enter(url, user, "analysts")
        assert answer.json["user"]["name"] == name
        assert roles(answer) == {"default": "viewer"}
    assert roles(people.signed_in(url, "ann").ask("GET", f"{API}/session")) == {"default": "admin"}


def test_who_signs_in_elsewhere_gets_neither_password_nor_link(url: str) -> None:
    browser, _ = enter(url, "ann", "analysts")
    password = {"password": people.PASSWORD}
    for caller in (browser, people.local(url)):
        assert caller.ask("PUT", f"{API}/users/ann/password", password).status == 403
        assert caller.ask("POST", f"{API}/login-links", {"user": "ann"}).status == 403


def test_the_local_admin_is_alarmed_where_people_sign_in_elsewhere(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    link = people.local(url).ask("POST", f"{API}/login-links", {}).json["url"]
    assert enter(url, "ann", "analysts")[1].status == 200
    assert Browser(url).sign_in_by(link).status == 200
    told = [each.getMessage() for each in caplog.records if each.name == "headway.api.signin"]
    assert told == ["break-glass: the local admin signed in by link from 127.0.0.1"]


def test_roles_of_the_map_lapse(url: str, owner_conn: Session) -> None:
    browser, _ = enter(url, "ann", "analysts")
    owner_conn.execute("UPDATE membership SET lapses_at = now() WHERE by_map")
    assert browser.ask("GET", f"{API}/session").status == 401
    assert roles(enter(url, "ann", "analysts")[1]) == {"default": "viewer"}


def test_only_one_header_of_each_counts(url: str, proxied: Served, owner_conn: Session) -> None:
    host = url.removeprefix("http://")
    ordinary = [
        ("Host", host),
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", "application/json"),
    ]
    watch = Watch(proxied, owner_conn)
    for twice in (
        [("X-Forwarded-User", "ann"), ("x-forwarded-user", "admin")],
        [
            ("X-Forwarded-User", "ann"),
            ("X-Forwarded-Groups", "a"),
            ("X-Forwarded-Groups", "analysts"),
        ],
        [],
        [("X-Forwarded-User", "")],
        [("X-Forwarded-User", "…")],
    ):
        encoded = [(name, value.encode().decode("latin-1")) for name, value in twice]
        with watch.attack() as told:
            assert raw(url, [*ordinary, *encoded]) == 401
        assert [action for _, action, _, _ in told] == ["session.refused"]
    assert all(refusals(owner_conn))
    assert len(refusals(owner_conn)) == 5


def raw(url: str, headers: list[tuple[str, str]]) -> int:
    import http.client

    body = b'{"way": "company"}'
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.putrequest("POST", f"{API}/session/header", skip_host=True)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            connection.putheader(name, value)
        connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()


def test_who_is_not_the_proxy_is_not_believed_whatever_is_forwarded(
    database: str, layout: Layout, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer counts: a client that a trusted proxy speaks for cannot name the address of the other proxy."""
    monkeypatch.setenv("HEADWAY_TRUSTED_PROXIES", "127.0.0.1")
    elsewhere = SETTINGS.replace("127.0.0.1/32", "10.9.8.7")
    with served(database, layout.data, sign_in=checked(elsewhere)) as server:
        url = url_of(server.listener, "127.0.0.1")
        for more in ({}, {"X-Forwarded-For": "10.9.8.7"}):
            with Watch(server, owner_conn).attack():
                assert enter(url, "ann", "analysts", **more)[1].status == 401
    assert refusals(owner_conn) == ["127.0.0.1 is not in trusted of [proxy.company]"] * 2
    rows = owner_conn.execute(
        "SELECT address FROM audit WHERE action = 'session.refused' ORDER BY seq"
    )
    assert [row[0] for row in rows] == ["127.0.0.1", "10.9.8.7"]


def test_another_site_cannot_sign_anybody_in(url: str) -> None:
    _, answer = enter(url, "ann", "analysts", **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403


def test_injected_sql_cannot_admit_anybody(
    proxied: HttpServer, database: str, owner_conn: Session
) -> None:
    from psycopg import connect, errors
    from psycopg.conninfo import make_conninfo

    from headway.store.api_login import LOGIN

    with connect(make_conninfo(database, user=LOGIN)) as conn:
        conn.execute("SET ROLE headway_app")
        for call in ("live_team_names('x')", "admit_person(NULL, '{}')", "require_server('x')"):
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute(f"SELECT {call}")
            conn.rollback()
            conn.execute("SET ROLE headway_app")


def test_headers_mean_nothing_anywhere_else(url: str) -> None:
    headers = {"X-Forwarded-User": "admin", "X-Forwarded-Groups": "owners"}
    assert Browser(url).ask("GET", f"{API}/session", headers=headers).status == 401
    ways = Browser(url).ask("GET", f"{API}/sign-in").json
    assert ways[0] == {"name": "company", "label": "Company account", "begins": "header"}
