"""The first check of every request: is it for this server, and for the API or the web interface?

Checking the Host header stops DNS rebinding: a web page whose name was pointed at this machine
gets nothing. IP addresses are allowed, because they cannot be pointed elsewhere. Every answer gets
the headers that tell browsers not to share or embed it.
"""

import asyncio
import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

import msgspec
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import (
    HTTPResponseStartEvent,
    LifeSpanScope,
    Message,
    Receive,
    ReceiveMessage,
    Scope,
    Send,
)

from headway import wire
from headway.api.airflow.facade import Facade
from headway.api.airflow.routes import ROUTES, UNSUPPORTED
from headway.api.site import Site

POLICY: Final = (
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'"
)
HEADERS: Final = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    b"cache-control": b"no-store",
}
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
BODY_S: Final = 30.0
PROBES: Final = ("/healthz", "/readyz", "/health/scheduler")


class Guard:
    def __init__(self, app: Litestar, site: Site, names: frozenset[str], url: str) -> None:
        self.app = app
        self.site = site
        self.facade = Facade(app, ROUTES, UNSUPPORTED)
        self.names = names | {(urlsplit(url).hostname or "").lower()}
        secure = [HSTS] if url.startswith("https://") else []
        self.headers = [*HEADERS.items(), *secure]

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # what is opened and closed with the application
            await self.app(scope, receive, send)
            return

        assert scope["type"] == ScopeType.HTTP, "the server knows no other"

        async def shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self.with_ours(message)
            await send(message)

        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not self.is_ours(host):
            await refuse(shielded, wire.Problem(
                title="Misdirected Request", status=421, code="unknown_host",
                detail="the Host header does not name this server",
                hint="use localhost, an IP address, or start with --host NAME or --public-url URL",
            ))  # fmt: skip
            return
        if Facade.has(scope["path"]):
            await self.facade(scope, patient(receive), shielded)
        elif scope["path"] in PROBES or f"{scope['path']}/".startswith("/api/"):
            await self.app(scope, patient(receive), shielded)
        else:
            await self.site(scope, receive, shielded)

    def with_ours(self, message: HTTPResponseStartEvent) -> list[tuple[bytes, bytes]]:
        given = list(message["headers"])
        known = {name.lower() for name, _ in given}
        return given + [header for header in self.headers if header[0] not in known]

    def is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if name.lower() in self.names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def patient(receive: Receive) -> Receive:
    """Limit the time in which the whole body must arrive."""
    deadline = asyncio.get_running_loop().time() + BODY_S
    is_whole = False

    async def received() -> ReceiveMessage:
        nonlocal is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as error:
            raise HTTPException(
                "the request body did not arrive in time", status_code=408
            ) from error
        is_whole = not message.get("more_body", False)
        return message

    return received


def names_of(host: str) -> frozenset[str]:
    """Return the host names that a server bound to ``host`` accepts."""
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
