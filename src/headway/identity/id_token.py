"""ID tokens of OpenID Connect: the signature, and whether the token is meant for us, now, and for this sign-in.

The algorithm is that of the settings, whatever a token says of itself; a key comes from the provider's key set only.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from headway import clock

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

LEEWAY_S: Final = 10


class Refused(Exception):
    """A sign-in that is not accepted. The text is the reason for the audit."""


class UnknownKey(Refused):
    """No key of the set made the signature: the provider may have changed its keys."""


def key_set(document: Any) -> "KeySet":
    """Return the keys of a JWKS document that can check signatures; kinds that we do not know are left out."""
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

    kinds: dict[Any, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    found: list[Any] = []
    listed = document.get("keys") if isinstance(document, dict) else None
    for each in listed if isinstance(listed, list) else ():
        kind = kinds.get(each.get("kty")) if isinstance(each, dict) else None
        if kind is None or each.get("use", "sig") != "sig":
            continue
        try:
            found.append(kind.import_key(each))
        except (JoseError, ValueError, TypeError):
            continue  # a curve of tomorrow must not lock everybody out
    return KeySet(found)


def verified(
    token: str, keys: "KeySet", *, algorithm: str, issuer: str, client_id: str, nonce: str | None
) -> Mapping[str, Any]:
    """Return the claims of a token; ``nonce`` is None for one of a refresh. Raises Refused."""
    _, claims = signed(token, keys, algorithm=algorithm, what="ID token")
    essential = {"essential": True}
    now = claims_of(
        claims,
        "the ID token is not for this sign-in",
        iss={"essential": True, "value": issuer},
        sub=essential,
        aud={"essential": True, "value": client_id},
        exp=essential,
        iat=essential,
        **({} if nonce is None else {"nonce": {"essential": True, "value": nonce}}),
    )
    if claims["iat"] > now + LEEWAY_S:
        raise Refused("the ID token is from the future: compare the clocks")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise Refused("the ID token was made for another client")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise Refused("the ID token names nobody")
    return claims


def signed(
    token: str, keys: "KeySet", *, algorithm: str, what: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return header and claims of a token that a key of the set signed. Raises Refused."""
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError

    try:
        found = jwt.decode(token, keys, algorithms=[algorithm])
    except InvalidKeyIdError as error:
        raise UnknownKey(
            f"the {what} is signed by a key that the provider does not have"
        ) from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Refused(f"the {what} is not signed as {algorithm} by the provider") from error
    return found.header, found.claims


def claims_of(claims: Mapping[str, Any], otherwise: str, **wanted: Any) -> int:
    """Return the time by which the claims are as wanted. Raises Refused."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    now = int(clock.now().timestamp())
    try:
        jwt.JWTClaimsRegistry(now=now, leeway=LEEWAY_S, **wanted).validate(dict(claims))
    except (JoseError, ValueError, TypeError) as error:
        raise Refused(f"{otherwise}: {error}") from error
    return now
