"""The first check of every request, without a server: for whom it is, who answers it, and how long a body may take."""

import asyncio
import json
import socket
from typing import Any

import pytest
from litestar.exceptions import HTTPException

from headway.api import guard
from headway.api.guard import HEADERS, HSTS, Guard, names_of, patient

URL = "http://headway.example:8080"


class App:
    """Answers with its name and one header, and remembers what it was asked for."""

    def __init__(self, name: str, *headers: tuple[bytes, bytes]) -> None:
        self.name, self.headers = name, headers
        self.asked: list[str] = []
        self.receives: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope.get("path", scope["type"]))
        self.receives.append(receive)
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": [*self.headers]})
        await send({"type": "http.response.body", "body": self.name.encode()})


def of(
    url: str = URL, names: frozenset[str] = frozenset({"localhost"}), *headers: tuple[bytes, bytes]
) -> Any:
    found: Any = Guard(App("api", *headers), App("site"), names, url)  # type: ignore[arg-type]
    assert found.facade.has("/api/v2/dags")
    found.facade = App("facade")
    return found


async def never() -> Any:
    raise AssertionError("nobody reads")


def ask(guarded: Any, path: str = "/", host: str | None = "localhost") -> tuple[int, Any, bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    scope = {"type": "http", "path": path, "headers": headers, "method": "GET"}
    asyncio.run(guarded(scope, never, send))
    start, body = sent
    assert (start["type"], body["type"]) == ("http.response.start", "http.response.body")
    assert body.get("more_body", False) is False
    return start["status"], dict(start["headers"]), body["body"]


# -- for whom


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("localhost:8080", True),
        ("headway.example", True),
        ("Headway.Example:443", True),
        ("127.0.0.1", True),
        ("127.0.0.1:8080", True),
        ("192.168.1.7", True),
        ("[::1]", True),
        ("[::1]:8080", True),
        ("[2001:db8::7]:1", True),
        ("evil.example", False),
        ("evil.example:8080", False),
        ("localhost.evil.example", False),
        ("evil-localhost", False),
        ("localhost:8080:9", False),
        ("localhost:x", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        (":8080", False),
        ("\xe9", False),
        (None, False),
    ],
)
def test_a_request_is_for_a_name_of_ours_or_an_address(host: str | None, ours: bool) -> None:
    guarded = of()
    status, headers, body = ask(guarded, "/api/v1/dags", host)
    assert status == (200 if ours else 421)
    assert guarded.app.asked == (["/api/v1/dags"] if ours else [])
    assert headers[b"x-frame-options"] == b"DENY"
    if not ours:
        assert headers[b"content-type"] == b"application/problem+json"
        problem = json.loads(body)
        assert (problem["status"], problem["code"]) == (421, "unknown_host")


def test_without_a_name_of_ours_no_name_is_ours() -> None:
    assert ask(of(url="http://127.0.0.1:8080"), "/", "localhost")[0] == 200
    assert ask(of(url="not a url"), "/", "x")[0] == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_who_listens_on_this_machine_only_has_its_own_name(host: str) -> None:
    assert names_of(host) == {"localhost", host}


def test_who_listens_for_others_has_the_names_of_the_machine() -> None:
    found = names_of("Headway")
    assert {"localhost", "headway"} <= found
    assert found == {"localhost", "headway", socket.gethostname().lower(), socket.getfqdn().lower()}
    assert "" not in names_of("")


# -- who answers


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/", "site"),
        ("/dags/x", "site"),
        ("/apiary", "site"),
        ("/login", "site"),
        ("/api", "app"),
        ("/api/", "app"),
        ("/api/v1/dags", "app"),
        ("/healthz", "app"),
        ("/readyz", "app"),
        ("/health/scheduler", "app"),
        ("/healthz/x", "site"),
        ("/api/v2/version", "facade"),
        ("/api/v2/dags", "facade"),
    ],
)
def test_each_path_has_one_who_answers(path: str, part: str) -> None:
    guarded = of()
    assert ask(guarded, path)[0] == 200
    parts = {name: getattr(guarded, name) for name in ("app", "site", "facade")}
    assert {name: each.asked for name, each in parts.items() if each.asked} == {part: [path]}
    (receive,) = parts[part].receives
    assert (receive is never) == (part == "site"), "only what reads a body is bounded"


def test_what_begins_and_ends_is_passed_on() -> None:
    guarded = of()
    asyncio.run(guarded({"type": "lifespan"}, never, never))
    assert guarded.app.asked == ["lifespan"]


# -- what every answer says


def test_every_answer_has_our_headers_unless_it_says_otherwise() -> None:
    _, headers, _ = ask(of(), "/api/x")
    assert headers == HEADERS
    more = (b"Cache-Control", b"max-age=1"), (b"x-own", b"1")
    _, headers, _ = ask(of(URL, frozenset({"localhost"}), *more), "/api/x")
    assert headers[b"Cache-Control"] == b"max-age=1"
    assert b"cache-control" not in headers
    assert headers[b"x-own"] == b"1"
    assert len(headers) == len(HEADERS) + 1


@pytest.mark.parametrize(("url", "strict"), [("https://h", True), ("http://h", False)])
def test_behind_https_browsers_stay_there(url: str, strict: bool) -> None:
    _, headers, _ = ask(of(url), "/api/x")
    assert (HSTS in headers.items()) == strict


# -- a body


def part(more: bool) -> Any:
    return {"type": "http.request", "body": b"x", "more_body": more}


def test_a_body_has_its_time_and_what_comes_after_it_any() -> None:
    async def read() -> tuple[list[Any], bool]:
        gate = asyncio.Event()
        waiting = [part(True), part(False)]

        async def receive() -> Any:
            await asyncio.sleep(0)
            if waiting:
                return waiting.pop(0)
            await gate.wait()
            return {"type": "http.disconnect"}

        received = patient(receive)
        found = [await received(), await received()]
        last: Any = asyncio.create_task(received())  # type: ignore[arg-type]
        for _ in range(5):
            await asyncio.sleep(0)
        waits = not last.done()
        gate.set()
        return [*found, await last], waits

    found, waits = asyncio.run(read())
    assert found == [part(True), part(False), {"type": "http.disconnect"}]
    assert waits


@pytest.mark.parametrize("parts", [0, 1, 3])
def test_a_body_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    monkeypatch.setattr(guard, "BODY_S", 0.0)

    async def read() -> None:
        waiting = [part(True)] * parts

        async def receive() -> Any:
            if waiting:
                return waiting.pop(0)
            return await asyncio.Event().wait()

        received = patient(receive)
        for _ in range(parts + 1):
            await received()

    with pytest.raises(HTTPException) as caught:
        asyncio.run(read())
    assert caught.value.status_code == 408
    assert "did not arrive in time" in str(caught.value.detail)


def test_a_request_without_a_body_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_S", 0.0)
    whole, gone = {"type": "http.request", "body": b""}, {"type": "http.disconnect"}

    async def read() -> list[Any]:
        async def receive() -> Any:
            if waiting:
                return waiting.pop(0)
            await asyncio.sleep(0)
            return gone

        waiting = [whole]
        received = patient(receive)
        return [await received(), await received()]

    assert asyncio.run(read()) == [whole, gone]
