"""Requests that may be sent again: ``Idempotency-Key`` names one, and it is done once.

A route says ``idempotent=True`` and does its work in one transaction that returns the answer. A
route whose answer holds a secret does not: answers are kept.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from litestar import Request
from psycopg import Connection

from headway.errors import Conflict, UsageError
from headway.store import idempotency

HEADER: Final = "Idempotency-Key"
KEY_CHARS_MAX: Final = 200


class Answered(Exception):
    """It was done before; this was the answer."""

    def __init__(self, body: bytes) -> None:
        super().__init__("answered before")
        self.body = body


@dataclass(frozen=True, slots=True)
class Once:
    actor: str
    key: str
    fingerprint: bytes

    def begin(self, conn: Connection[Any], team_id: int) -> None:
        """Raises Answered, or Conflict when the key was another request's."""
        known = idempotency.claim(conn, team_id, self.actor, self.key, self.fingerprint)
        if known is None:
            return
        fingerprint, answer = known
        if fingerprint != self.fingerprint:
            raise Conflict(
                f"the {HEADER} {self.key!r} was used for another request",
                hint="take a new key for each request, and the same only to send it again",
            )
        raise Answered(answer)

    def end(self, conn: Connection[Any], team_id: int, answer: object) -> None:
        body = msgspec.json.encode(answer)
        idempotency.keep(conn, team_id, self.actor, self.key, body)


async def once(request: Request[Any, Any, Any], actor: str) -> Once | None:
    key = request.headers.get(HEADER)
    if key is None or not request.route_handler.opt.get("idempotent"):
        return None
    if not (1 <= len(key) <= KEY_CHARS_MAX and key.isascii() and key.isprintable()):
        raise UsageError(f"{HEADER} is a text of 1 to {KEY_CHARS_MAX} visible characters")
    asked = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return Once(actor, key, sha256(asked).digest())
