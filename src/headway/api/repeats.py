"""Requests that may be sent again: ``Idempotency-Key`` names one, and it is done once.

A route says ``idempotent=WHOLE`` and does its work in one transaction that returns the answer, which
is kept. No secret is kept: of a route with one in its request (``MASKED``) what is not told to the
audit is not compared either; of one with a secret in its answer (``ONCE``) the answer is not given a
second time: who sends it again is told what was made, and makes another.
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
    """It was done before; this was the answer."""

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
        if self.kind == ONCE:
            made = answer.decode()
            raise Conflict(
                f"this was done before, and made {made}: its secret is shown only once",
                hint=f"if the answer was lost, revoke {made} and make another, with a new key",
            )
        raise Answered(answer)

    def end(self, conn: Connection[Any], team_id: int, answer: object) -> None:
        made = getattr(answer, "id", None)
        body = str(made).encode() if self.kind == ONCE else msgspec.json.encode(answer)
        idempotency.keep(conn, team_id, self.actor, self.key, body)


async def once(request: Request[Any, Any, Any], actor: str) -> Once | None:
    key = request.headers.get(HEADER)
    kind = request.route_handler.opt.get("idempotent")
    if key is None or kind is None:
        return None
    if not (1 <= len(key) <= KEY_CHARS_MAX and key.isascii() and key.isprintable()):
        raise UsageError(f"{HEADER} is a text of 1 to {KEY_CHARS_MAX} visible characters")
    body = await request.body()
    if kind == MASKED:
        body = msgspec.json.encode(record.told(body))
    asked = f"{request.method} {request.url.path}\n".encode() + body
    return Once(actor, key, sha256(asked).digest(), kind)
