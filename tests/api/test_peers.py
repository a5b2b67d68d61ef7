"""Who is at the other end of a connection, whatever its headers say."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from headway.api.peers import PEER, headers_of, is_loopback, noting_peers, peer_of, text_of


@pytest.mark.parametrize(("client", "peer"), [(("10.0.0.1", 7), "10.0.0.1"), (None, "")])
def test_the_peer_is_noted_before_anybody_replaces_it(client: Any, peer: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = ("203.0.113.9", 1)  # as X-Forwarded-For says
        seen.extend([scope, receive, send])

    asyncio.run(noting_peers(app)({"client": client}, "receive", "send"))
    scope, *others = seen
    request: Any = SimpleNamespace(scope=scope)
    assert (scope[PEER], peer_of(request), others) == (peer, peer, ["receive", "send"])


def test_without_a_note_nobody_is_there() -> None:
    request: Any = SimpleNamespace(scope={"client": ("10.0.0.1", 7)})
    assert peer_of(request) == ""


def test_all_headers_as_often_as_they_came() -> None:
    sent = [(b"X-User", b"ann"), (b"x-user", "Zoë".encode()), (b"X-Odd", b"\xff")]
    request: Any = SimpleNamespace(scope={"headers": sent})
    assert headers_of(request) == [("x-user", "ann"), ("x-user", "Zoë"), ("x-odd", "ÿ")]
    assert text_of(b"\xc3") == "Ã"


@pytest.mark.parametrize(
    ("peer", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("::2", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_this_machine(peer: str, is_here: bool) -> None:
    assert is_loopback(peer) is is_here
