"""Links to one run: read without an account, until they expire or are revoked, and nothing else."""

from typing import Any

import pytest

from headway.api import context
from headway.api.rates import Rate
from headway.config import Layout
from headway.paths import log_path
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API, Answer, Browser


@pytest.fixture
def admin(url: str, conn: Session, layout: Layout) -> Browser:
    seed.dag(conn, "d")
    for run_id in ("r1", "other"):
        seed.run(conn, "d", run_id, state="failed")
    seed.instance(conn, "r1", "t0", "failed")
    seed.attempt(conn, "r1", "t0", detail="ValueError: no rows")
    log = layout.data / log_path("r1", "t0", -1, 1)
    log.parent.mkdir(parents=True)
    log.write_text("reading canary-line\nValueError: no rows\n")
    conn.execute("UPDATE run SET params = '{\"size\": 4711}', note = 'a private note'")
    return people.local(url)


def link_to(browser: Browser, run_id: str = "r1", **asked: Any) -> Answer:
    return browser.ask("POST", f"{API}/runs/{run_id}/links", asked)


def read(url: str, link: str) -> Answer:
    return Browser(url).ask("POST", f"{API}/linked-run", {"token": link.partition("#")[2]})


def test_a_link_shows_the_run_and_no_more(url: str, admin: Browser) -> None:
    link = link_to(admin).json["url"]
    answer = read(url, link)
    assert answer.status == 200
    assert (answer.json["run_id"], answer.json["state"]) == ("r1", "failed")
    assert {"failed": 1} in [task["counts"] for task in answer.json["tasks"]]
    assert [error["detail"] for error in answer.json["errors"]] == ["ValueError: no rows"]
    assert answer.json["errors"][0]["log"] is None
    for hidden in (b"canary-line", b"4711", b"private", b"user:", b"other"):
        assert hidden not in answer.body


def test_logs_are_shown_where_they_were_chosen(url: str, admin: Browser) -> None:
    answer = read(url, link_to(admin, with_logs=True).json["url"])
    assert "canary-line" in answer.json["errors"][0]["log"]


def test_a_link_opens_no_session_and_nothing_else(url: str, admin: Browser) -> None:
    link = link_to(admin).json["url"]
    secret = link.partition("#")[2]
    answer = read(url, link)
    assert "set-cookie" not in answer.headers
    for browser in (
        people.bearer(url, secret),
        people.bearer(url, f"hwt_{secret}"),
        Browser(url, cookie=f"headway_session={secret}"),
    ):
        assert browser.ask("GET", f"{API}/runs/r1").status == 401
    assert Browser(url).ask("GET", f"{API}/linked-run?token={secret}").status in (401, 404, 405)
    assert Browser(url).ask("POST", f"{API}/session/link", {"token": secret}).status == 401


def test_what_is_not_valid_has_one_answer(url: str, admin: Browser, owner_conn: Session) -> None:
    revoked, expired = link_to(admin).json, link_to(admin).json
    assert admin.ask("DELETE", f"{API}/run-links/{revoked['id']}").json["revoked_at"] is not None
    owner_conn.execute("UPDATE run_link SET expires_at = now() WHERE link_id = %s", [expired["id"]])
    answers = {
        (answer := read(url, link)).status.__str__() + answer.body.decode()
        for link in (revoked["url"], expired["url"], "#", "#hwl_x", "#x\u0000", "#hwl_' OR 1=1")
    }
    assert len(answers) == 1
    assert answers.pop().startswith("404")


@pytest.fixture
def never_refilled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "Rate", lambda burst, period_s: Rate(burst, 1e9))


def test_reading_is_limited_by_address(never_refilled: None, url: str, admin: Browser) -> None:
    link = link_to(admin).json["url"]
    statuses = [read(url, link).status for _ in range(80)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert admin.ask("GET", f"{API}/runs/r1").status == 200


def test_who_may_create_a_link(url: str, admin: Browser) -> None:
    people.create(url, "vic", "viewer")
    people.create(url, "olga", "operator")
    assert link_to(people.signed_in(url, "vic")).status == 403
    olga = people.signed_in(url, "olga")
    assert link_to(olga).status == 201
    role = {"name": "linker", "verbs": ["run.read", "run.link"]}
    admin.ask("POST", f"{API}/roles", role)
    admin.ask("PATCH", f"{API}/users/olga", {"role": "linker"})
    assert link_to(olga).status == 201
    assert link_to(olga, with_logs=True).status == 403
    assert link_to(olga, run_id="missing").status == 404
    short = {"name": "t", "expires_in_days": 1}
    token = olga.ask("POST", f"{API}/tokens", short).json["token"]
    assert link_to(people.bearer(url, token), hours=48).status == 403
    assert link_to(people.bearer(url, token), hours=2).status == 201


@pytest.mark.parametrize("hours", [0, -1, 2161, 10**9])
def test_a_strange_lifetime_is_refused(admin: Browser, hours: int) -> None:
    assert link_to(admin, hours=hours).status == 400


def test_no_secret_is_kept_and_what_was_done_is_told(
    url: str, admin: Browser, owner_conn: Session
) -> None:
    made = link_to(admin).json
    read(url, made["url"])
    secret = made["url"].partition("#")[2]
    listed = admin.ask("GET", f"{API}/run-links?run_id=r1")
    assert secret.encode() not in listed.body
    assert listed.json["items"][0]["last_used_at"] is not None
    audit = admin.ask("GET", f"{API}/audit?action=run_links.create_run_link")
    assert audit.json["items"][0]["subject"] == "r1"
    assert secret.encode() not in audit.body
    for (text,) in owner_conn.execute("SELECT s::text FROM run_link AS s"):
        assert secret not in text


def test_a_link_ends_with_its_run_and_its_team(
    url: str, admin: Browser, owner_conn: Session
) -> None:
    made = link_to(admin).json
    owner_conn.execute("UPDATE team SET deleted_at = now() WHERE team_id = 1")
    assert read(url, made["url"]).status == 404
    owner_conn.execute("UPDATE team SET deleted_at = NULL")
    assert read(url, made["url"]).status == 200
    owner_conn.execute("DELETE FROM attempt")
    owner_conn.execute("DELETE FROM task_instance")
    owner_conn.execute("DELETE FROM run WHERE run_id = 'r1'")
    assert read(url, made["url"]).status == 404
