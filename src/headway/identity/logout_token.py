"""Logout tokens of OpenID Connect: a provider says, by itself, that somebody signed out there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from headway import clock
from headway.identity.id_token import LEEWAY_S, Refused, claims_of, signed

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
TYPES: Final = (None, "JWT", "logout+jwt")
LIFE_S_MAX: Final = 86_400  # each is remembered as long as it lasts
TEXT_CHARS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Logout:
    """The provider's session, the person, or both. ``fingerprint`` is that of the token's id."""

    sid: str | None
    subject: str | None
    fingerprint: bytes
    until: datetime


def logout_of(token: str, keys: "KeySet", *, algorithm: str, issuer: str, client_id: str) -> Logout:
    """Return what a token ends. Raises Refused."""
    header, claims = signed(token, keys, algorithm=algorithm, what="logout token")
    if header.get("typ") not in TYPES:
        raise Refused("this is another kind of token")
    essential = {"essential": True}
    claims_of(
        claims,
        "the logout token is not valid",
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        iat=essential,
        exp=essential,
        jti=essential,
    )
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise Refused("the token does not say that somebody signed out")
    if "nonce" in claims:
        raise Refused("the token has a nonce, as only ID tokens have")
    jti, life_s = text(claims, "jti"), claims["exp"] - clock.now().timestamp()
    sid, subject = text(claims, "sid"), text(claims, "sub")
    if jti is None or (sid is None and subject is None):
        raise Refused("the logout token names neither a session nor a person")
    if life_s > LIFE_S_MAX:
        raise Refused("the logout token is valid for longer than a day")
    until = datetime.fromtimestamp(claims["exp"] + LEEWAY_S, UTC)
    return Logout(sid, subject, sha256(jti.encode()).digest(), until)


def text(claims: Mapping[str, Any], name: str) -> str | None:
    """Raises Refused: the claim is not a text."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_CHARS_MAX or "\0" in value:
        raise Refused(f"the claim {name!r} of the logout token is not a text")
    return value
