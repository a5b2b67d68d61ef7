"""Signed requests between Headway and other systems, and what a received one means. Pure.

A signature is HMAC-SHA256. Headway's own header names the time that is signed with the body; GitHub's signs the body
alone, so that the same body is the same delivery, however often it comes.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

SIGNATURE: Final = "x-headway-signature"  # t=<seconds since 1970>,v1=<hex>
DELIVERY: Final = "x-headway-delivery"
GITHUB_SIGNATURE: Final = "x-hub-signature-256"  # sha256=<hex>
GITHUB_DELIVERY: Final = "x-github-delivery"
WINDOW: Final = timedelta(minutes=5)  # between the time in a signature and ours
BODY_BYTES_MAX: Final = 64 * 1024
ID_CHARS_MAX: Final = 200
FIELDS_MAX: Final = 50
PATH_CHARS_MAX: Final = 250
WHOLE: Final = "."  # the path of the whole body
MISSING: Final = object()


class Refused(StrEnum):
    """Why a request is refused. Who sent it is told none of these, but for what only the holder of the secret hears."""

    UNSIGNED = "it has no signature that can be read"
    WRONG = "its signature is wrong"
    LATE = "the time in its signature is more than 5 minutes from now"
    DISABLED = "the webhook is disabled"


@dataclass(frozen=True, slots=True)
class Proof:
    """A request that the holder of a secret signed. ``digest`` is of the signature: the same one comes once.

    ``is_timed``: it says when it was signed, so that it is good for minutes only.
    """

    digest: bytes
    delivery: str | None
    is_timed: bool = True


def sign(secret: str, at: datetime, body: bytes) -> str:
    """Return the value of ``X-Headway-Signature``."""
    moment = int(at.timestamp())
    return f"t={moment},v1={mac(secret, b'%d.' % moment + body)}"


def mac(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime
) -> Proof | Refused:
    """Return the proof that one of the secrets signed the body, or why there is none. Names of headers are lower case.

    Every secret is tried, so that the time it takes does not tell which is right.
    """
    if (own := headers.get(SIGNATURE)) is not None:
        parts = dict(part.strip().partition("=")[::2] for part in own.split(","))
        moment, given = parts.get("t", ""), parts.get("v1", "")
        if not (moment.isascii() and moment.isdigit() and len(moment) <= 12 and given):
            return Refused.UNSIGNED
        signed, delivery = f"{moment}.".encode() + body, headers.get(DELIVERY)
        is_timed, late = True, abs(now.timestamp() - int(moment)) > WINDOW.total_seconds()
    elif (theirs := headers.get(GITHUB_SIGNATURE)) is not None:
        kind, _, given = theirs.partition("=")
        if kind != "sha256" or not given:
            return Refused.UNSIGNED
        signed, delivery = body, headers.get(GITHUB_DELIVERY)
        is_timed, late = False, False
    else:
        return Refused.UNSIGNED
    right = [is_same(mac(secret, signed), given) for secret in secrets]
    if not any(right):
        return Refused.WRONG
    if late:
        return Refused.LATE
    return Proof(hashlib.sha256(signed).digest(), delivery, is_timed)


def is_same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


def at_path(body: Any, path: str) -> Any:
    """Return the value at ``a.b.0`` of a JSON body, or ``MISSING``."""
    if path == WHOLE:
        return body
    found = body
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isascii() and part.isdigit() and len(part) < 7:
            found = found[int(part)] if int(part) < len(found) else MISSING
        else:
            return MISSING
        if found is MISSING:
            return MISSING
    return found


def picked(fields: Mapping[str, str], body: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the values of the fields, by name, and the paths that the body does not have."""
    found = {name: at_path(body, path) for name, path in fields.items()}
    absent = [fields[name] for name, value in found.items() if value is MISSING]
    return {name: value for name, value in found.items() if value is not MISSING}, absent


def word_at(body: Any, path: str) -> str | None:
    """Return the text or number at a path, as text; None: there is none."""
    found = at_path(body, path)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found)
