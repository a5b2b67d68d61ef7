"""A request that is sent again is done once; an answer that is known is not sent again."""

import http.client
import json
import threading
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest

from headway import clock
from headway.api.repeats import MASKED, ONCE, WHOLE, compared
from headway.api.server import HttpServer
from headway.engine import janitor
from headway.store.transact import Session, in_team, transact
from tests.api import seed
from tests.api.conftest import TOKEN


def ask(
    url: str, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=20)
    try:
        sent = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        payload = None if body is None else json.dumps(body)
        connection.request(method, f"/api/v1{path}", payload, sent)
        response = connection.getresponse()
        content = response.read()
        return response.status, response.headers, json.loads(content) if content else None
    finally:
        connection.close()


@pytest.fixture
def dag(conn: Session) -> str:
    seed.dag(conn, "d")
    return "d"


def runs(conn: Session) -> int:
    row = conn.execute("SELECT count(*) FROM run").fetchone()
    return row[0] if row else 0


@pytest.mark.parametrize(
    ("path", "body", "made"),
    [
        ("/dags/d/runs", {}, 1),
        ("/dags/d/runs/bulk", {"count": 3}, 3),
        ("/dags/d/backfills", {"from": "2026-01-01T00:00:00Z", "to": "2026-01-04T00:00:00Z"}, 3),
    ],
)
@pytest.mark.usefixtures("dag")
def test_the_same_request_has_the_same_answer(
    url: str, conn: Session, path: str, body: object, made: int
) -> None:
    status, headers, first = ask(url, "POST", path, body, Idempotency_Key="k1")
    assert (status, runs(conn), headers["Idempotent-Replayed"]) == (201, made, None)
    conn.execute('UPDATE run SET reason = \'{"kind": "no_agent"}\'')
    status, headers, again = ask(url, "POST", path, body, Idempotency_Key="k1")
    assert (status, again, headers["Idempotent-Replayed"]) == (201, first, "true")
    assert runs(conn) == made
    ask(url, "POST", "/dags/d/runs", {}, Idempotency_Key="k2")
    assert conn.execute("SELECT count(*) FROM idempotency").fetchone() == (2,)


@pytest.mark.usefixtures("dag")
def test_a_key_names_one_request(url: str, conn: Session) -> None:
    ask(url, "POST", "/dags/d/runs", {}, Idempotency_Key="k")
    other = {"params": {"size": 9}}
    status, _, problem = ask(url, "POST", "/dags/d/runs", other, Idempotency_Key="k")
    assert (status, problem["code"]) == (409, "conflict")
    status, _, _ = ask(url, "POST", "/dags/d/runs/bulk", {"count": 1}, Idempotency_Key="k")
    assert status == 409
    assert runs(conn) == 1
    for key in ("", "x" * 201, "\xe4"):
        assert ask(url, "POST", "/dags/d/runs", {}, Idempotency_Key=key)[0] == 400


@pytest.mark.usefixtures("dag")
def test_a_request_that_was_refused_may_be_sent_again(url: str, conn: Session) -> None:
    wrong = {"params": {"sise": 9}}
    assert ask(url, "POST", "/dags/d/runs", wrong, Idempotency_Key="k")[0] == 400
    assert ask(url, "POST", "/dags/d/runs", {}, Idempotency_Key="k")[0] == 201


@pytest.mark.usefixtures("dag")
def test_sent_ten_times_at_once_it_is_done_once(url: str, conn: Session) -> None:
    answers: list[Any] = []

    def send() -> None:
        answers.append(ask(url, "POST", "/dags/d/runs", {}, Idempotency_Key="k")[2]["run_id"])

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), len(set(answers)), runs(conn)) == (10, 1, 1)


@pytest.mark.usefixtures("dag")
def test_answers_are_kept_for_a_day(url: str, conn: Session) -> None:
    ask(url, "POST", "/dags/d/runs", {}, Idempotency_Key="k")
    now = clock.now()
    transact(conn, in_team, 1, janitor.prune, now - timedelta(days=90), now, 10)
    assert conn.execute("SELECT count(*) FROM idempotency").fetchone() == (1,)
    later = now + timedelta(days=1, minutes=1)
    transact(conn, in_team, 1, janitor.prune, later - timedelta(days=90), later, 10)
    assert conn.execute("SELECT count(*) FROM idempotency").fetchone() == (0,)


@pytest.mark.usefixtures("dag")
def test_who_has_the_answer_is_told_just_that(url: str, conn: Session) -> None:
    status, headers, _ = ask(url, "GET", "/dags/d")
    tag = headers["ETag"]
    assert status == 200
    status, headers, body = ask(url, "GET", "/dags/d", If_None_Match=f'"other", {tag}')
    assert (status, headers["ETag"], body) == (304, tag, None)
    assert ask(url, "GET", "/dags/d", If_None_Match=tag, Accept_Encoding="gzip")[0] == 304
    conn.execute("UPDATE dag SET paused_at = now(), paused_by = 'user:x'")
    status, headers, _ = ask(url, "GET", "/dags/d", If_None_Match=tag)
    assert status == 200
    assert headers["ETag"] != tag


USER = {"name": "ann", "role": "viewer", "password": "correct horse battery"}


def test_a_user_is_made_once_and_their_password_is_kept_nowhere(url: str, conn: Session) -> None:
    status, _, first = ask(url, "POST", "/users", USER, Idempotency_Key="k")
    assert status == 201
    status, headers, again = ask(url, "POST", "/users", USER, Idempotency_Key="k")
    assert (status, again, headers["Idempotent-Replayed"]) == (201, first, "true")
    (fingerprint, kept) = (
        conn.execute("SELECT fingerprint, answer FROM idempotency").fetchone() or ()
    )
    plain = b"POST /api/v1/users\n" + json.dumps(USER).encode()
    assert fingerprint != sha256(plain).digest()
    assert USER["password"].encode() not in bytes(kept)
    assert ask(url, "POST", "/users", USER | {"role": "admin"}, Idempotency_Key="k")[0] == 409


def test_a_token_is_made_once_and_its_secret_is_not_told_again(url: str, conn: Session) -> None:
    wanted = {"name": "ci"}
    status, _, made = ask(url, "POST", "/tokens", wanted, Idempotency_Key="k")
    assert status == 201
    (kept,) = conn.execute("SELECT answer FROM idempotency").fetchone() or (b"",)
    assert bytes(kept).decode() == made["id"]
    status, _, problem = ask(url, "POST", "/tokens", wanted, Idempotency_Key="k")
    assert (status, problem["code"]) == (409, "conflict")
    assert made["id"] in problem["detail"]
    assert made["token"] not in json.dumps(problem)
    assert len(ask(url, "GET", "/tokens")[2]["items"]) == 1


@pytest.mark.usefixtures("dag")
def test_a_clear_that_is_sent_again_clears_once(url: str, conn: Session) -> None:
    seed.run(conn, "d", "r1", state="failed")
    for task, state in (("t0", "success"), ("t1", "failed"), ("t2", "upstream_failed")):
        seed.instance(conn, "r1", task, state)
    body = {"tasks": ["t1"]}
    _, _, first = ask(url, "POST", "/runs/r1/clear", body, Idempotency_Key="k")
    status, headers, again = ask(url, "POST", "/runs/r1/clear", body, Idempotency_Key="k")
    assert (status, again, headers["Idempotent-Replayed"]) == (200, first, "true")
    cleared = conn.execute("SELECT count(*) FROM event WHERE name = 'clear' AND task_id = 't1'")
    assert cleared.fetchone() == (1,)


# Sent again, these come to the same, or what they make is soon over.
WITHOUT_KEY = {
    "/dags/{dag_id}/pause": "paused is paused",
    "/dags/{dag_id}/resume": "it goes on either way",
    "/dags/{dag_id}/airflow-runs": "what is stored is stored",
    "/runs/{run_id}/cancel": "what was cancelled stays so",
    "/backfills/{backfill_id}/cancel": "what was cancelled stays so",
    "/backfills/{backfill_id}/pause": "paused is paused",
    "/backfills/{backfill_id}/resume": "it goes on either way",
    "/connections/{conn_id}/test": "trying twice changes nothing",
    "/loader/look": "looking twice changes nothing",
    "/session": "a session more, for who proved again who they are",
    "/session/redirect": "nothing is kept; only the browser's last attempt can end",
    "/session/code": "the code itself is good for once",
    "/session/negotiate": "a session more, for a ticket that is good for once",
    "/session/header": "a session more, for who proved again who they are",
    "/session/link": "the link itself is good for once",
    "/backchannel-logout": "what has ended stays so, and the token counts once",
    "/secret-keys/rotation": "one more key, which wraps the same secrets",
    "/linked-run": "it only reads",
    "/linked-question": "it only reads",
    "/linked-answer": "the same answer again is the one that was given",
    "/hooks/{slug}": "the same signature makes something once",
    "/login-links": "its answer is a secret; unused, it is over in minutes",
}


def test_whatever_creates_something_may_be_sent_again(server: HttpServer) -> None:
    posts = {
        route.path_format.removeprefix("/api/v1"): handler.opt.get("idempotent")
        for route in server.app.app.routes
        for handler in getattr(route, "route_handlers", ())
        if "POST" in handler.http_methods
    }
    assert {path for path, kind in posts.items() if kind is None} == set(WITHOUT_KEY)
    assert {kind for kind in posts.values() if kind} == {WHOLE, MASKED, ONCE}


def test_long_bodies_of_the_same_length_are_not_the_same() -> None:
    """The audit tells of them by their length only; what is compared is all of it but the secrets."""

    def body(**fields: str) -> bytes:
        return compared(json.dumps({"text": "x" * 10_000, **fields}).encode())

    assert body(password="one") == body(password="two") != body(name="one") != body(name="two")
    assert compared(b"{") == compared(b"") == b""
