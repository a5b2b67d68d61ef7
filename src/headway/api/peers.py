"""The address at the other end of a connection, whatever its headers say: that of a proxy, if there is one."""

import ipaddress
from typing import Any, Final

from litestar.connection import ASGIConnection

PEER: Final = "headway.peer"


def noting_peers(app: Any) -> Any:
    """Keep the address of the peer before ``app`` replaces it by that of ``X-Forwarded-For``."""

    async def noting(scope: dict[str, Any], receive: Any, send: Any) -> None:
        client = scope.get("client")
        scope[PEER] = client[0] if client else ""
        await app(scope, receive, send)

    return noting


def peer_of(request: ASGIConnection[Any, Any, Any, Any]) -> str:
    fields: Any = request.scope
    return str(fields.get(PEER, ""))


def headers_of(request: ASGIConnection[Any, Any, Any, Any]) -> list[tuple[str, str]]:
    """Return all headers, as often as they came. What is not UTF-8 is read as Latin-1."""
    return [
        (name.decode("latin-1").lower(), text_of(value)) for name, value in request.scope["headers"]
    ]


def text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def is_loopback(peer: str) -> bool:
    """Return whether the other end of a connection is on this machine."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return address.is_loopback
