"""Airflow's API under attack: it is our own API with another face, and is as hard to cheat."""

import asyncio
import json
from typing import Any

import pytest

from headway.api.airflow import facade
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import Answer, Browser


def sign_in(url: str, name: str, password: str = people.PASSWORD) -> Answer:
    given = {"username": name, "password": password}
    return Browser(url, headers={}).ask("POST", "/auth/token", given)


def test_each_sign_in_has_a_token_and_the_oldest_end(
    url: str, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facade, "TOKENS_MAX", 2)
    people.create(url, "ci", "admin")
    people.create(url, "other", "viewer")
    made = [sign_in(url, name) for name in ("ci", "other", "ci", "ci")]
    assert [each.status for each in made] == [201] * 4
    works = [
        people.bearer(url, each.json["access_token"]).ask("GET", "/api/v2/dags").status
        for each in made
    ]
    assert works == [401, 200, 200, 200]
    (sessions,) = conn.execute("SELECT count(*) FROM browser_session").fetchone() or ()
    assert sessions == 0


def test_guesses_of_a_password_are_slowed_down(url: str) -> None:
    people.create(url, "ci", "viewer")
    statuses = [sign_in(url, "ci", "a wrong word").status for _ in range(8)]
    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_only_a_token_of_the_api_opens_it(url: str) -> None:
    people.create(url, "ann", "admin")
    browser = people.signed_in(url, "ann")
    made = people.local(url).ask(
        "POST", "/api/v1/tokens", {"name": "a", "scope": "agent", "role": "viewer"}
    )
    assert made.status == 201
    assert people.bearer(url, made.json["token"]).ask("GET", "/api/v2/dags").status == 401
    assert browser.ask("GET", "/api/v1/dags").status == 200
    assert browser.ask("GET", "/api/v2/dags").status == 401  # cookies are not heeded


WORDS = (
    *("..", ".", "%2e%2e", "%2F", "a%2Fb", "a%2F..%2Fb", "%3F", "%3Fteam=x", "%00", "a%00b", "%ff"),
    *("x" * 10_000, "~", "%E2%80%A8", "%25", "'", "%0d%0aHost:x", "-1", "9" * 400, "%20"),
)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/dags/{}",
        "/api/v2/dags/~/dagRuns/{}",
        "/api/v2/dags/{}/dagRuns",
        "/api/v2/dags/d/dagRuns/r1/taskInstances/{}",
        "/api/v2/dags/d/dagRuns/r1/taskInstances/t0/{}",
        "/api/v2/dags/d/dagRuns/r1/taskInstances/t0/logs/{}",
        "/api/v2/variables/{}",
        "/api/v2/connections/{}",
        "/api/v2/pools/{}",
        "/api/v2/dags?limit={}",
        "/api/v2/dags?offset={}",
        "/api/v2/dags?tags={}",
        "/api/v2/dags/d/dagRuns?logical_date_gte={}",
    ],
)
def test_odd_names_are_mistakes_of_the_caller(url: str, conn: Session, path: str) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1", state="failed")
    caller = people.local(url)
    for word in (*WORDS, "9" * 5_000):
        answer = caller.ask("GET", path.format(word))
        assert answer.status in (200, 400, 401, 404, 422), (word[:20], answer)
        assert isinstance(answer.json, dict), (word[:20], answer)


@pytest.mark.parametrize(
    ("path", "field", "more"),
    [
        ("variables", "key", {"value": "1"}),
        ("connections", "connection_id", {"conn_type": "http"}),
        ("pools", "name", {"slots": 1}),
    ],
)
def test_a_name_in_a_body_leads_nowhere_else(
    url: str, path: str, field: str, more: dict[str, Any]
) -> None:
    caller = people.local(url)
    refused: list[object] = ["a/b", "../variables/a", "/", "", "a\0b", 1, None, [], {}]
    for name in refused:
        answer = caller.ask("POST", f"/api/v2/{path}", {field: name, **more})
        assert answer.status in (400, 422), (name, answer)
        assert set(answer.json) == {"detail"}
    for name in ("..", "a?b", "%2F"):  # a name as any other, or none
        answer = caller.ask("POST", f"/api/v2/{path}", {field: name, **more})
        assert answer.status in (201, 400), (name, answer)
        assert answer.status == 400 or answer.json[field] == name


def test_headers_of_the_caller_say_nothing_of_the_request_inside(url: str) -> None:
    """What speaks of the body, of conditions or of a repetition outside is not taken for that of the inner request."""
    headers = {
        "If-None-Match": "*",
        "If-Match": '"x"',
        "Idempotency-Key": "one",
        "Accept-Encoding": "gzip, br",
        "Accept": "text/html",
        "X-HTTP-Method-Override": "DELETE",
    }
    caller = people.local(url)
    for n in range(2):
        body = {"key": f"k{n}", "value": "1"}
        assert caller.ask("POST", "/api/v2/variables", body, headers).json["key"] == f"k{n}"
    assert caller.ask("GET", "/api/v2/variables", None, headers).json["total_entries"] == 2


def test_a_mistake_of_ours_has_the_form_of_airflows_errors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(asked: facade.Asked) -> facade.Answer:
        raise ValueError("a secret of ours")

    async def app(*_: object) -> None:
        raise AssertionError("it is not asked")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": "/api/v2/x",
        "query_string": b"",
        "headers": [],
    }
    served = facade.Facade(app, (facade.route("GET", "/api/v2/x", broken),))
    asyncio.run(served(scope, receive, send))
    assert sent[0]["status"] == 500
    told = json.loads(sent[1]["body"])
    assert told == {"detail": "internal error: ValueError; the details are in logs/server/api.log"}
    assert "a secret of ours" in caplog.text
