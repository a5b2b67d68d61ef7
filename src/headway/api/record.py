"""The audit entry of a request that changes something: who, what, on which object, from where."""

import re
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection

from headway.api.principal import Principal
from headway.store.audit import Entry

BODY_BYTES_MAX: Final = 4_000
SECRET: Final = re.compile(
    r"pass(word|wd|phrase)?|secret|token|credential|api_?key|^current$", re.I
)
MASK: Final = "***"


async def entry(request: Request[Any, Any, Any], who: Principal) -> Entry:
    handler = request.route_handler
    noun = handler.fn.__module__.rpartition(".")[2]
    asked = dict(request.query_params)
    body = told(await request.body())
    if handler.opt.get("secret") and isinstance(body, dict):
        body = {"fields": sorted(body)}  # whatever they are called, their values may be secrets
    return Entry(
        actor=who.actor,
        via=who.via,
        action=f"{noun}.{handler.fn.__name__}",
        subject="/".join(str(value) for value in request.path_params.values()),
        address=address_of(request),
        detail=({"query": masked(asked)} if asked else {})
        | ({"body": body} if body else {})
        | ({"guest": {"of": who.guest.team, "team": who.team}} if who.guest else {}),
    )


def told(body: bytes) -> Any:
    """Return a small JSON body without secrets, or the size of a large one."""
    if len(body) > BODY_BYTES_MAX:
        return {"bytes": len(body)}
    try:
        return masked(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return None


def masked(value: Any) -> Any:
    """Mask values whose names suggest a secret."""
    if isinstance(value, dict):
        return {
            key: MASK if SECRET.search(str(key)) and item is not None else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def address_of(request: ASGIConnection[Any, Any, Any, Any]) -> str:
    return request.client.host if request.client is not None else ""
