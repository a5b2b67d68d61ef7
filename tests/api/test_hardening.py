"""What a browser, another site and a rude client can do: nothing."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from headway.api import guard
from headway.api.patience import PatientProtocol
from headway.store.transact import Session
from headway.up.address import url_of
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API, Browser
from tests.api.conftest import served

PAUSE = f"{API}/dags/none/pause"


@pytest.fixture
def ann(url: str) -> Browser:
    people.create(url, "ann", "operator")
    return people.signed_in(url, "ann")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 404),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),  # another port of localhost
        ({"Sec-Fetch-Site": "cross-site", "Origin": "{url}"}, 403),
        ({"Origin": "{url}"}, 404),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_cookie_is_good_only_for_our_own_pages(
    ann: Browser, url: str, conn: Session, watch: Watch, headers: dict[str, str], status: int
) -> None:
    """What another site asks for is refused before anybody looks whose cookie it is."""
    seed.dag(conn, "d")
    ann.headers = {name: value.format(url=url) for name, value in headers.items()}
    with watch.attack() as told:
        answers = [ann.ask("POST", PAUSE)]
        answers += [ann.ask("POST", PAUSE.replace("none", "d"))] if status == 403 else []
    assert {answer.status for answer in answers} == {status}
    assert len({answer.body for answer in answers}) == 1
    who = "nobody" if status == 403 else "user:ann"
    assert told == [(who, "access.refused", f"POST {API}/dags/{{dag_id}}/pause", status)]


def test_another_site_cannot_sign_anybody_in(ann: Browser, url: str, watch: Watch) -> None:
    elsewhere = Browser(url, headers={"Origin": "https://evil.example"})
    with watch.attack() as told:
        answers = [elsewhere.sign_in("ann", secret) for secret in (people.PASSWORD, "wrong")]
    assert {answer.status for answer in answers} == {403}
    assert answers[0].body == answers[1].body
    assert told == [("nobody", "access.refused", f"POST {API}/session", 403)]
    assert Browser(url, headers={}).sign_in("ann", people.PASSWORD).status == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_a_form_can_send_is_refused(ann: Browser, watch: Watch, kind: str) -> None:
    with watch.attack(entries=0):  # nobody sends it but by mistake: what a site may send is JSON
        sent = {"Content-Type": kind}
        assert ann.ask("POST", f"{API}/runs/x/clear", b"{}", sent).status == 415


def test_every_answer_tells_a_browser_to_keep_it_to_itself(ann: Browser) -> None:
    for path in (f"{API}/session", f"{API}/nothing", "/", "/healthz", f"{API}/runs?limit=x"):
        headers = ann.ask("GET", path, headers={"Origin": "https://evil.example"}).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert not any(name.startswith("access-control-") for name in headers)
        assert "strict-transport-security" not in headers
        assert "server" not in headers


def test_behind_https_the_cookie_and_the_browser_stay_there(database: str, tmp_path: Path) -> None:
    public = "https://headway.example.org"
    with served(database, tmp_path / "data", url=public) as server:
        url = url_of(server.listener, "127.0.0.1")
        browser = Browser(url, headers={"Host": "headway.example.org", "Origin": public})
        local = people.local(url)
        link = local.ask("POST", f"{API}/login-links", {}).json["url"]
        assert link.startswith(f"{public}/login#")
        answer = browser.sign_in_by(link)
        given = answer.headers["set-cookie"]
        assert given.startswith("__Host-headway_session=")
        assert "secure" in given.lower()
        assert "max-age" in answer.headers["strict-transport-security"]
        assert browser.ask("GET", f"{API}/session").status == 200
        # Another host of the domain can set this name, but none with the prefix.
        secret = str(browser.cookie).partition("=")[2]
        tossed = Browser(url, f"headway_session={secret}", browser.headers)
        assert tossed.ask("GET", f"{API}/session").status == 401


def test_what_a_body_may_not_set_is_refused(ann: Browser, url: str, watch: Watch) -> None:
    admin = people.local(url)
    with watch.attack(entries=0):
        for extra in ({"team_id": 2}, {"person_id": 1}, {"created_by": "x"}, {"disabled_at": None}):
            user = {"name": "eve", "role": "viewer", **extra}
            assert admin.ask("POST", f"{API}/users", user).status == 400
        mine = {"name": "t", "role": "operator"}
        for extra in ({"expires_at": "2100-01-01"}, {"hash": "x"}, {"team": "other"}):
            assert ann.ask("POST", f"{API}/tokens", mine | extra).status == 400
    with watch.attack(entries=2) as told:
        change = {"display_name": "Ann", "role": "admin"}
        answers = [ann.ask("PATCH", f"{API}/users/{name}", change) for name in ("ann", "nobody")]
        assert (answers[0].status, answers[0].body) == (403, answers[1].body)
        assert ann.ask("POST", f"{API}/tokens", {"name": "up", "role": "admin"}).status == 403
    assert {(who, status) for who, _, _, status in told} == {("user:ann", 403)}


def test_a_page_may_be_no_larger_than_the_limit(url: str, watch: Watch) -> None:
    admin = people.local(url)
    with watch.attack(entries=0):  # a mistake in a request is no try at what somebody may not do
        assert admin.ask("GET", f"{API}/runs?limit=1000000000").status == 400
        assert admin.ask("GET", f"{API}/audit?limit=0").status == 400
        assert admin.ask("GET", f"{API}/audit?cursor=forged").status == 400


def test_guessing_passwords_is_slowed_down_for_the_guesser_alone(
    ann: Browser, url: str, watch: Watch
) -> None:
    with watch.attack(entries=6) as told:
        guesses = [Browser(url).sign_in("ann", f"guess number {n}") for n in range(8)]
    assert [guess.status for guess in guesses] == [401] * 5 + [429] * 3
    assert told == [
        *[("nobody", "session.refused", "ann", None)] * 5,
        ("nobody", "access.refused", f"POST {API}/session", 429),
    ]
    with watch.attack(entries=6):
        others = [Browser(url).sign_in("nobody", f"guess number {n}") for n in range(8)]
    assert [other.status for other in others] == [401] * 5 + [429] * 3
    assert {other.body for other in others} == {guess.body for guess in guesses}
    wait_s = int(guesses[-1].headers["retry-after"])
    assert 1 <= wait_s <= 60
    assert guesses[-1].json["code"] == "rate_limited"
    assert Browser(url).sign_in("ann", people.PASSWORD).status == 429
    assert ann.ask("GET", f"{API}/session").status == 200
    people.create(url, "bob", "viewer")
    assert people.signed_in(url, "bob").ask("GET", f"{API}/session").status == 200


def test_who_asks_too_much_is_slowed_down_and_others_are_not(
    database: str, owner_conn: Session, tmp_path: Path
) -> None:
    with served(database, tmp_path / "data", rate=1) as server:
        url = url_of(server.listener, "127.0.0.1")
        people.create(url, "ann", "viewer")
        people.create(url, "bob", "viewer")
        ann, bob = people.signed_in(url, "ann"), people.signed_in(url, "bob")
        with Watch(server, owner_conn).attack() as told:
            statuses = [ann.ask("GET", f"{API}/session").status for _ in range(12)]
        assert statuses[:10] == [200] * 10
        assert statuses[-1] == 429
        assert told == [("user:ann", "access.refused", f"GET {API}/session", 429)]
        assert bob.ask("GET", f"{API}/session").status == 200
        assert people.local(url).ask("GET", f"{API}/session").status == 200


def raw(url: str, content: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=10) as line:
        line.sendall(content)
        while piece := line.recv(65536):
            received += piece
    return received


def test_half_a_request_is_not_waited_for_for_ever(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "request_s", 0.1)
    assert raw(url, b"") == b""
    assert raw(url, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n") == b""
    again = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /heal"
    assert raw(url, again).count(b"200 OK") == 1


def test_half_a_body_is_not_waited_for_for_ever(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_S", 0.1)
    head = f"POST {API}/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    answer = raw(url, f'{head}Content-Type: application/json\r\n\r\n{{"name": '.encode())
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"X: " + b"x" * 100_000 + b"\r\n", b"400"),
        (b"X: x\r\n" * 20_000, b"400"),
        (b"Content-Length: 1000000000\r\nContent-Type: application/json\r\n", b"413"),
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"4"),
    ],
)
def test_what_is_too_much_or_says_two_things_is_refused(
    url: str, watch: Watch, headers: bytes, status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anybody is asked who they are, so that the audit does not tell of it."""
    monkeypatch.setattr(guard, "BODY_S", 0.2)
    monkeypatch.setattr(PatientProtocol, "request_s", 0.2)
    head = f"POST {API}/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
    with watch.attack(entries=0):
        assert raw(url, head + headers + b"\r\n").startswith(b"HTTP/1.1 " + status)
