"""Under which names the API answers: those that are this machine's.

The Host header is checked so that a web page whose name was pointed at this machine (DNS rebinding)
gets nothing. An address is no name: it cannot be pointed elsewhere.
"""

import ipaddress
import socket

import msgspec
from litestar import Litestar
from litestar.types import LifeSpanScope, Receive, Scope, Send

from headway import wire


class Guard:
    def __init__(self, app: Litestar, names: frozenset[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # what is opened and closed with the application
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not self.is_ours(headers.get(b"host", b"").decode("latin-1")):
            await refuse(send, wire.Problem(
                title="Misdirected Request", status=421, code="unknown_host",
                detail="the Host header names no host of this server",
                hint="use localhost, an IP address, or start with --host NAME",
            ))  # fmt: skip
            return
        await self.app(scope, receive, send)

    def is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if name.lower() in self.names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def names_of(host: str) -> frozenset[str]:
    """The names under which a server bound to ``host`` may be called."""
    names = {"localhost", host.lower()}
    if host not in ("127.0.0.1", "localhost", "::1"):
        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return frozenset(names - {""})


async def refuse(send: Send, problem: wire.Problem) -> None:
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send(
        {"type": "http.response.body", "body": msgspec.json.encode(problem), "more_body": False}
    )
