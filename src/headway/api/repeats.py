"""Repeatable requests: ``Idempotency-Key`` identifies a request, which is executed once.

A route with ``idempotent=WHOLE`` works in one transaction that also stores the answer. Secrets are
never stored. For a request with a secret (``MASKED``), fields that the audit masks are not compared.
For an answer with a secret (``ONCE``), neither are they, and a repeated request is told what was
created, without the secret.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from litestar import Request
from psycopg import Connection

from headway.api import record
from headway.errors import Conflict, UsageError
from headway.store import idempotency

HEADER: Final = "Idempotency-Key"
WHOLE: Final = "whole"
MASKED: Final = "masked"
ONCE: Final = "once"
KEY_CHARS_MAX: Final = 200


class Answered(Exception):
    """The request was executed before; holds the stored answer."""

    def __init__(self, body: bytes) -> None:
        super().__init__("answered before")
        self.body = body


@dataclass(frozen=True, slots=True)
class Once:
    actor: str
    key: str
    fingerprint: bytes
    kind: str = WHOLE

    def begin(self, conn: Connection[Any], team_id: int) -> None:
        """Raise Answered if the request was executed before, Conflict if another request used the key."""
        known = idempotency.claim(conn, team_id, self.actor, self.key, self.fingerprint)
        if known is None:
            return
        fingerprint, answer = known
        if fingerprint != self.fingerprint:
            raise Conflict(
                f"the {HEADER} {self.key!r} was already used for a different request",
                hint="use a new key for each request; reuse a key only to repeat the same request",
            )
        if self.kind == ONCE:
            made = answer.decode()
            raise Conflict(
                f"this request was executed before and created {made}, whose secret is shown only once",
                hint=f"if you lost the answer, revoke {made} and create another one with a new key",
            )
        raise Answered(answer)

    def end(self, conn: Connection[Any], team_id: int, answer: object) -> None:
        made = getattr(answer, "id", None)
        body = str(made).encode() if self.kind == ONCE else msgspec.json.encode(answer)
        idempotency.keep(conn, team_id, self.actor, self.key, body)


def compared(body: bytes) -> bytes:
    """Return a body without the fields that the audit masks; one of any length, for others are not the same."""
    try:
        return msgspec.json.encode(record.masked(msgspec.json.decode(body)))
    except msgspec.DecodeError:  # it is refused, as often as it comes
        return b""


async def once(request: Request[Any, Any, Any], actor: str) -> Once | None:
    key = request.headers.get(HEADER)
    kind = request.route_handler.opt.get("idempotent")
    if key is None or kind is None:
        return None
    if not (1 <= len(key) <= KEY_CHARS_MAX and key.isascii() and key.isprintable()):
        raise UsageError(f"{HEADER} must have 1 to {KEY_CHARS_MAX} visible characters")
    body = await request.body()
    if kind in (MASKED, ONCE):
        body = compared(body)
    asked = f"{request.method} {request.url.path}\n".encode() + body
    return Once(actor, key, sha256(asked).digest(), kind)
