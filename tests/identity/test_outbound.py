"""An identity provider that answers as an attacker would: where we go, how much we read, how long we wait."""

import asyncio
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from headway.errors import NotReachable
from headway.identity import provider
from headway.identity.provider import BYTES_MAX, WELL_KNOWN, Provider
from headway.identity.sections import Oidc


class Hostile(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []
    answer: ClassVar[Callable[[Any], None] | None] = None

    def do_GET(self) -> None:
        self.asked.append(self.path)
        try:
            assert self.answer is not None
            self.answer()
        except OSError:
            return  # the other side had enough

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def url() -> Iterator[str]:
    Hostile.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def of(issuer: str) -> Provider:
    settings = Oidc(
        issuer=issuer, client_id="headway", client_secret_file="unread", label="Company"
    )
    return Provider("company", settings, "s3cret")


def asked(issuer: str) -> str:
    """Ask for the provider's document. Returns why there is none."""
    one = of(issuer)
    with pytest.raises(NotReachable) as told:
        asyncio.run(one.metadata())
    return str(told.value.message)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "place", ["/internal", "http://169.254.169.254/latest", "file:///etc/passwd"]
)
def test_a_redirect_is_followed_nowhere(
    url: str, monkeypatch: pytest.MonkeyPatch, status: int, place: str
) -> None:
    monkeypatch.setattr(Hostile, "answer", lambda self: self.say(status, Location=place))
    assert f"answered {status}" in asked(url)
    assert Hostile.asked == [WELL_KNOWN]


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "gopher://127.0.0.1/x", "http://127.0.0.1:1"]
)
def test_a_document_that_leads_elsewhere_is_refused(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """With an issuer of https, whose document names other schemes."""
    document = {
        "issuer": "https://idp.example",
        "authorization_endpoint": "https://idp.example/a",
        "token_endpoint": place,
        "jwks_uri": "https://idp.example/k",
    }

    async def answer(*_: object, **__: object) -> bytes:
        return json.dumps(document).encode()

    monkeypatch.setattr(Provider, "ask", answer)
    assert "is not an https address" in asked("https://idp.example")


def test_an_answer_without_an_end_is_cut_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(self: Any) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b" " * 65_536)

    monkeypatch.setattr(Hostile, "answer", endless)
    assert f"longer than {BYTES_MAX:,} bytes" in asked(url)


def test_a_bomb_of_gzip_is_not_unpacked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b" " * 64_000_000)
    assert len(bomb) < BYTES_MAX
    accepted: list[str | None] = []

    def answer(self: Any) -> None:
        accepted.append(self.headers["Accept-Encoding"])
        self.say(200, bomb, Content_Encoding="gzip")

    monkeypatch.setattr(Hostile, "answer", answer)
    assert "what is not understood" in asked(url)
    assert accepted == ["identity"]


def test_who_answers_a_byte_at_a_time_is_not_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def slow(self: Any) -> None:
        self.send_response(200)
        self.end_headers()
        while not gate.wait(0.01):
            self.wfile.write(b" ")

    monkeypatch.setattr(Hostile, "answer", slow)
    monkeypatch.setattr(provider, "TIME_OUT_S", 0.2)
    monkeypatch.setattr(provider, "BYTES_MAX", 10**9)
    try:
        assert "TimeoutError" in asked(url)
    finally:
        gate.set()


def test_keys_that_are_no_json_are_a_provider_that_cannot_be_used(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {
        "issuer": url,
        "authorization_endpoint": url,
        "token_endpoint": url,
        "jwks_uri": f"{url}/keys",
    }
    monkeypatch.setattr(
        Hostile,
        "answer",
        lambda self: self.say(
            200, b"<html>" if self.path == "/keys" else json.dumps(document).encode()
        ),
    )
    one = of(url)
    with pytest.raises(NotReachable, match="what is not understood"):
        asyncio.run(one.keys())
