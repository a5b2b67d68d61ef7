"""Addresses that triggers and watchers of Headway ask: a deadline for the whole answer, and where credentials go."""

import asyncio
import http.client
import threading
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from headway import HttpChanges, HttpReady, Run, dag, defer, task
from headway.authoring import addresses, looking, watching
from headway.authoring.run import Fail
from headway.spec.errors import BadSpec
from headway.testing import run_dag

PAUSE_S = 0.02
API = '{{"conn_type": "http", "host": "{}", "login": "ann", "password": "pw", "extra": {{"X-Team": "b"}}}}'


class Site(BaseHTTPRequestHandler):
    """``/drip/…`` sends a byte now and then, ``/to?URL`` redirects; other paths tell the headers that came."""

    over: threading.Event

    def do_GET(self) -> None:
        if self.path == "/drip/body":
            self.start(200, "Content-Length", "1000000")
            self.drip(b"x")
        elif self.path == "/drip/headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            self.drip(b"X")
        elif self.path.startswith("/to?"):
            self.start(302, "Location", self.path.partition("?")[2])
        else:
            body = f"{self.path} {self.headers.get('Authorization')} {self.headers.get('X-Team')}"
            self.start(200, "Content-Length", str(len(body)))
            self.wfile.write(body.encode())

    def start(self, code: int, name: str, value: str) -> None:
        self.send_response(code)
        self.send_header(name, value)
        self.end_headers()

    def drip(self, byte: bytes) -> None:
        try:
            while not self.over.wait(PAUSE_S):
                self.wfile.write(byte)
        except OSError:  # nobody reads any more
            return

    def log_message(self, *_: object) -> None: ...


@contextmanager
def running() -> Iterator[str]:
    over = threading.Event()
    handler = type("Handler", (Site,), {"over": over})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=partial(server.serve_forever, PAUSE_S))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            over.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def site() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture
def other() -> Iterator[str]:
    with running() as url:
        yield url


def read(url: str, seconds: float = 30.0, headers: Mapping[str, str] = {}) -> str:
    with addresses.opened(url, headers, seconds) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("path", ["/drip/body", "/drip/headers"])
def test_an_answer_that_drips_has_its_time(site: str, path: str) -> None:
    with pytest.raises(TimeoutError, match=r"no whole answer within 0\.2 s"):
        read(site + path, 0.2)
    with pytest.raises(TimeoutError):
        read(f"{site}/to?{site}{path}", 0.2)  # all redirects have the same


def test_a_look_that_gets_no_whole_answer_found_nothing(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    looking.telling.set(lambda looks, again_s, note: notes.append(note))
    monkeypatch.setattr(addresses, "opened", partial(addresses.opened, seconds=0.2))
    assert looking.ask(f"{site}/drip/body", None, "", {}) is None
    version, note = watching.ask(f"{site}/drip/body", None)
    assert version is None
    why = f"{site}/drip/body does not answer: no whole answer within 0.2 s"
    assert [*notes, note] == [why, why]


def test_headers_go_along_on_the_same_host_only(site: str, other: str) -> None:
    told = {"Authorization": "Basic x", "X-Team": "b"}
    assert read(f"{site}/a", headers=told) == "/a Basic x b"
    assert read(f"{site}/to?/b", headers=told) == "/b Basic x b"
    assert read(f"{site}/to?{other}/c", headers=told) == "/c None None"
    assert read(f"{site}/to?{other}/to?{site}/d", headers=told) == "/d None None"  # nor back again


def test_a_redirect_leads_to_http_only(site: str) -> None:
    for url in ("ftp://127.0.0.1/x", "file:///etc/passwd"):
        with pytest.raises(urllib.error.HTTPError):
            read(f"{site}/to?{url}")
    with pytest.raises((http.client.HTTPException, ValueError)):
        read(f"{site}/a b")


def waits(wait: Callable[[], Any]) -> Any:
    @dag
    def flow() -> None:
        @task
        def ready(run: Run) -> str:
            if run.found is None:
                defer(wait())
            return str(run.found["body"])

        ready()

    return run_dag(flow())["ready"]


def test_a_wait_for_an_address_names_a_connection(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_CONN_API", API.format(site))
    ready = waits(lambda: HttpReady("v1/ready", conn_id="api"))
    assert ready.value == "/v1/ready Basic YW5uOnB3 b"
    whole = waits(lambda: HttpReady(f"{site}/whole", conn_id="api", headers={"X-Team": "c"}))
    assert whole.value == "/whole Basic YW5uOnB3 c"
    lacks = waits(lambda: HttpReady("v1/ready", conn_id="nope"))
    assert "there is no connection 'nope'" in str(lacks.error)
    assert isinstance(waits(lambda: HttpReady("v1/ready")).error, Fail)
    run: Any = None
    facts = HttpReady("v1/ready", conn_id="api").deferral(run).facts
    assert facts["kwargs"] == {
        **{"url": "v1/ready", "status": None, "contains": "", "headers": {}},
        "conn_id": "api",
    }


def test_a_watcher_of_an_address_names_a_connection(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_CONN_API", API.format(site))
    spec = HttpChanges("v1/feed", conn_id="api", every=0.1).spec
    assert spec.shared
    changes = watching.answers(**spec.kwargs, cursor="sha256:before")
    ((event,), cursor) = asyncio.run(first(changes))
    assert (event.extra["url"], event.extra["version"]) == (f"{site}/v1/feed", cursor)
    assert "conn_id" not in HttpChanges(f"{site}/feed").spec.kwargs  # as those that are stored
    for conn_id in (None, "a b"):
        with pytest.raises(BadSpec):
            HttpChanges("feed", conn_id=conn_id)


async def first(changes: Any) -> Any:
    async for batch in changes:
        return batch
    raise AssertionError("it ended")
