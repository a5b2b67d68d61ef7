"""What somebody who means harm tries at the API, by the ids of docs/coverage.md."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.config import Layout
from headway.errors import NotReachable
from headway.identity import passwords
from headway.store.transact import APP, Session, connect
from headway.up.address import url_of
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API, Browser
from tests.api.conftest import served

# -- XA5: what an agent or a task has is nothing here


def test_the_token_of_an_attempt_is_no_token_of_the_api(
    url: str, conn: Session, watch: Watch
) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    seed.instance(conn, "r1", "t0", "running")
    seed.attempt(conn, "r1", "t0")
    conn.execute(
        "UPDATE attempt SET state = 'running', ended_at = NULL, token = 'task-secret'"
        " WHERE task_id = 't0'"
    )
    with watch.attack() as told:
        for token in ("task-secret", "hwt_task-secret"):
            for caller in (
                people.bearer(url, token),
                Browser(url, cookie=f"headway_session={token}"),
            ):
                answers = [
                    caller.ask("POST", f"{API}/runs/{run}/cancel") for run in ("r1", "nobodys")
                ]
                assert [each.status for each in answers] == [401, 401]
                assert answers[0].body == answers[1].body
    assert told == [("nobody", "access.refused", "any request", 401)]


# -- XA11: a name that nobody has costs as much as one that somebody has


def test_every_sign_in_hashes_once_and_alike(
    url: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.create(url, "ann", "viewer")
    people.create(url, "gone", "viewer")
    local = people.local(url)
    local.ask("PATCH", f"{API}/users/gone", {"disabled": True})
    local.ask("POST", f"{API}/users", {"name": "linked", "role": "viewer"})
    costs: list[tuple[int, int, int]] = []
    compute = passwords.computed

    def counted(password: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> str:
        costs.append((memory_kib, passes, lanes))
        return compute(password, salt, memory_kib, passes, lanes)

    monkeypatch.setattr(passwords, "computed", counted)
    tried = {"ann": "a wrong password", "gone": people.PASSWORD, "linked": "x", "nobody": "x"}
    with watch.attack(entries=4) as told:
        answers = [Browser(url).sign_in(name, password) for name, password in tried.items()]
    assert told == [("nobody", "session.refused", name, None) for name in tried]
    assert [answer.status for answer in answers] == [401] * 4
    assert len({answer.body for answer in answers}) == 1
    assert costs == [(passwords.MEMORY_KIB, passwords.PASSES, passwords.LANES)] * 4


# -- XC9: what is hostile in JSON is refused, or is only data

HOSTILE = {
    "not a number": b'{"params": {"size": NaN}}',
    "beyond every number": b'{"params": {"size": 1e999}}',
    "nested": b'{"params": {"size": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
    "nested a little less": b'{"params": {"size": ' + b"[" * 1_500 + b"]" * 1_500 + b"}}",
    "NUL": b'{"params": {"size": "\\u0000"}}',
    "an incomplete character": b'{"params": {"size": "\\ud800"}}',
    "a type": b'{"params": {"size": {"__class__": "os.system", "py/object": "os.system"}}}',
    "many keys": b'{"params": {' + b",".join(b'"k%d": 1' % n for n in range(100_000)) + b"}}",
    "no text": b"\x80\x04\x95cposix\nsystem\n.",
    "twice": b'{"params": {}, "params": {"size": "x"}}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_refused(url: str, conn: Session, watch: Watch, name: str) -> None:
    """It is no try at what somebody may not do, so that the audit does not tell of it."""
    seed.dag(conn, "d")
    with watch.attack(entries=0):
        answer = people.local(url).ask("POST", f"{API}/dags/d/runs", HOSTILE[name])
    assert answer.status in (400, 413), answer.body[:300]
    assert answer.headers["content-type"] == "application/problem+json"


# -- XD2, XD3: a secret is nowhere but with whom it was given to


def test_the_password_in_an_address_of_a_database_is_not_told() -> None:
    with pytest.raises(NotReachable) as raised:
        connect("postgresql://ann:canary-7f3a@127.0.0.1:1/x", role=APP, application="test")
    assert "canary-7f3a" not in f"{raised.value} {raised.value!r} {raised.value.hint}"


def test_no_secret_is_left_anywhere(url: str, layout: Layout, owner_conn: Session) -> None:
    admin = people.local(url)
    people.create(url, "ann", "operator")
    ann = people.signed_in(url, "ann")
    link = admin.ask("POST", f"{API}/login-links", {"user": "ann"}).json["url"].partition("#")[2]
    changed = {"password": "a wholly new password", "current": people.PASSWORD}
    assert ann.ask("PUT", f"{API}/users/ann/password", changed).status == 204
    keyed = {"Idempotency-Key": "k"}
    made = ann.ask("POST", f"{API}/tokens", {"name": "ci"}, headers=keyed)
    Browser(url).sign_in("ann", "a mistyped password")
    session = (ann.cookie or "").partition("=")[2]
    secrets = [people.PASSWORD, changed["password"], "a mistyped password"]
    secrets += [made.json["token"], link, session]
    assert all(len(secret) > 8 for secret in secrets)

    told = admin.ask("GET", f"{API}/audit").body + admin.ask("GET", f"{API}/metrics").body
    for secret in secrets:
        assert secret.encode() not in told
        assert [name for name, text in rows(owner_conn) if secret in text] == []
        assert [p for p in layout.data.rglob("*") if p.is_file() and secret in p.read_text()] == []


def rows(conn: Session) -> Iterator[tuple[str, str]]:
    """Every row of every table, as text."""
    tables = conn.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    assert len(tables) > 15
    for (table,) in tables:
        for (text,) in conn.execute(f"SELECT t::text FROM {table} AS t".encode()):
            yield table, text


# -- XE2: nothing that is in an address comes back, and no address leads away


@pytest.fixture
def visitor(database: str, tmp_path: Path) -> Iterator[Browser]:
    site = tmp_path / "built"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html><title>Headway</title>")
    with served(database, tmp_path / "data", site) as server:
        yield Browser(url_of(server.listener, "127.0.0.1"))


@pytest.mark.parametrize(
    "path",
    [
        "/login?next=https://evil.example",
        "/login?next=//evil.example/",
        "//evil.example/%2f..",
        "/%5cevil.example",
        "/t/default/%3Cscript%3Ealert(1)%3C/script%3E",
        "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
        f"{API}/runs/%3Cscript%3Ealert(1)%3C%2Fscript%3E?next=https://evil.example",
    ],
)
def test_no_address_is_reflected_and_none_leads_away(visitor: Browser, path: str) -> None:
    for browser in (visitor, people.local(visitor.url)):
        answer = browser.ask("GET", path)
        assert answer.status in (200, 400, 401, 404)
        assert "location" not in answer.headers
        is_page = answer.headers["content-type"].startswith("text/html")
        assert not is_page or b"script" not in answer.body
        assert b"evil.example" not in answer.body
        assert answer.headers["x-content-type-options"] == "nosniff"
