"""Sign in by OpenID Connect: the authorization code flow with PKCE, for browsers.

A browser begins with a random *ticket*, which it keeps in a cookie. State, nonce and PKCE verifier are made of it: no
server keeps anything, any API server can end what another began, and what comes back is believed in that browser only.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

from headway.core.role_map import Rule
from headway.errors import HeadwayError
from headway.identity import external, sections
from headway.identity.base import Ask, Given, Proof, Renewed, nobody
from headway.identity.external import GROUPS_MAX, Told
from headway.identity.id_token import Refused, UnknownKey, verified
from headway.identity.logout_token import Logout, logout_of
from headway.identity.provider import AGAIN_S, Provider, Tokens
from headway.secrets.keys import seal, unseal
from headway.store.browser_sessions import Provided

NO_REFRESH: Final = (
    "the provider sent no refresh token: add offline_access to scopes, or remove refresh-minutes"
)

T = TypeVar("T")


class Oidc:
    begins: Final = "redirect"
    refusal: Final = (
        "the identity provider did not sign you in, or the role map gives you no role in any team",
        "try again; an admin finds the reason with: headway audit --action session.refused",
    )

    def __init__(self, name: str, oidc: sections.Oidc, secret: str, rules: Sequence[Rule]) -> None:
        self.name = name
        self.label = oidc.label
        self.oidc = oidc
        self.provider = Provider(name, oidc, secret)
        self.rules = rules
        # Of refresh tokens: only who knows the client's secret could use them anyway.
        self.sealing = hmac.digest(secret.encode(), b"headway refresh tokens", "sha256")
        self.needs_groups = any(rule.group is not None for rule in rules)

    async def start(self, ticket: str, back: str) -> str:
        """Return the address at the provider where the browser goes. ``back`` is where it comes back to."""
        endpoint = (await self.provider.metadata()).authorization_endpoint
        challenge = urlsafe_b64encode(sha256(self.made("verifier", ticket).encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.oidc.client_id,
            "redirect_uri": back,
            "scope": " ".join(dict.fromkeys(("openid", *self.oidc.scopes))),
            "state": self.made("state", ticket),
            "nonce": self.made("nonce", ticket),
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return joined(endpoint, query)

    async def leave(self, back: str) -> str | None:
        """Return the address at the provider where a browser signs out, if it should. Raises NotReachable."""
        if not self.oidc.end_session:
            return None
        endpoint = (await self.provider.metadata()).end_session_endpoint
        if endpoint is None:
            return None
        return joined(
            endpoint, {"client_id": self.oidc.client_id, "post_logout_redirect_uri": back}
        )

    def made(self, what: str, ticket: str) -> str:
        digest = sha256(f"{what} {self.name} {ticket}".encode()).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")

    async def prove(self, given: Given, ask: Ask) -> Proof:
        try:
            told, provided = await self.told(given)
        except Refused as error:
            return Proof(nobody, reason=str(error))
        find = partial(external.admit, told=told, rules=self.rules)
        lifetime_s = self.oidc.session_hours * 3600.0
        return Proof(find, reason="no role", lifetime_s=lifetime_s, provided=provided)

    async def told(self, given: Given) -> tuple[Told, Provided]:
        """Raises Refused. NotReachable: the provider does not answer."""
        came = given.returned
        if came is None or not came.ticket:
            raise Refused("the browser did not begin this sign-in, or too long ago")
        if not hmac.compare_digest(
            came.state.encode(errors="replace"), self.made("state", came.ticket).encode()
        ):
            raise Refused("the state is not of a sign-in that this browser began")
        metadata = await self.provider.metadata()
        if came.issuer != metadata.issuer and (
            came.issuer is not None or metadata.authorization_response_iss_parameter_supported
        ):
            raise Refused(f"the answer is of the issuer {came.issuer!r}")
        verifier = self.made("verifier", came.ticket)
        tokens = await self.provider.exchange(given.secret, verifier, came.back)
        if tokens.id_token is None:
            raise Refused("the provider sent no ID token")
        nonce = self.made("nonce", came.ticket)
        claims = await self.checked(partial(verified, tokens.id_token, nonce=nonce))
        sid = claims.get("sid")
        return (
            self.person(await self.whole(claims, claims["sub"], tokens)),
            self.provided(sid if isinstance(sid, str) else None, tokens),
        )

    def provided(self, sid: str | None, tokens: Tokens) -> Provided:
        """Return what the session is at the provider. Raises Refused: it cannot be refreshed as the settings ask."""
        minutes = self.oidc.refresh_minutes
        if minutes is None:
            return Provided(self.name, sid)
        if tokens.refresh_token is None:
            raise Refused(NO_REFRESH)
        return Provided(self.name, sid, self.sealed(tokens.refresh_token), minutes * 60.0)

    async def renew(self, sealed: bytes, subject: str) -> Renewed:
        """Ask the provider whether a session goes on. Raises Refused: it does not. NotReachable."""
        try:
            token = unseal(self.sealing, sealed, self.name.encode()).decode()
        except HeadwayError:  # the secret of the client is another one
            raise Refused("the refresh token cannot be decrypted") from None
        tokens = await self.provider.refresh(token)
        claims: Mapping[str, Any] = {}
        if tokens.id_token is not None:
            claims = await self.checked(partial(verified, tokens.id_token, nonce=None))
            if claims["sub"] != subject:
                raise Refused("the provider refreshed the session of somebody else")
        told = self.person(await self.whole(claims, subject, tokens))
        # A provider that changes its refresh tokens sends the next one.
        sealed = self.sealed(tokens.refresh_token or token)
        return Renewed(told, self.rules, sealed, (self.oidc.refresh_minutes or 1) * 60.0)

    async def logout(self, token: str) -> Logout:
        """Return what a logout token ends. Raises Refused: it is not of this provider. NotReachable."""
        return await self.checked(partial(logout_of, token))

    async def whole(
        self, claims: Mapping[str, Any], subject: str, tokens: Tokens
    ) -> Mapping[str, Any]:
        """Return the claims of a person, with those that only the user info has. Raises Refused."""
        wanted = {self.oidc.groups_claim, self.oidc.user_claim, "sub"}
        if wanted <= claims.keys():
            return claims
        more = await self.provider.userinfo(tokens.access_token)
        if more and more.get("sub") != subject:
            raise Refused("the provider's user info is of somebody else")
        return {**more, **claims, "sub": subject}

    async def checked(self, check: Callable[..., T]) -> T:
        """Check a token by the provider's keys, which may have changed. Raises Refused."""
        wanted = {
            "algorithm": self.oidc.algorithm,
            "issuer": self.oidc.issuer,
            "client_id": self.oidc.client_id,
        }
        try:
            return check(keys=await self.provider.keys(), **wanted)
        except UnknownKey:
            return check(keys=await self.provider.keys(older_than_s=AGAIN_S), **wanted)

    def sealed(self, token: str) -> bytes:
        return seal(self.sealing, token.encode(), self.name.encode())

    def person(self, claims: Mapping[str, Any]) -> Told:
        """Raises Refused: there is no name, or groups cannot be told."""
        user = claims.get(self.oidc.user_claim)
        if not isinstance(user, str) or not user:
            raise Refused(f"the claim {self.oidc.user_claim!r} has no name")
        if self.oidc.user_claim == "email" and claims.get("email_verified") is not True:
            raise Refused("the e-mail address is not verified")
        shown = claims.get(self.oidc.name_claim)
        told = external.told(
            self.name,
            claims["sub"],
            self.groups(claims),
            shown if isinstance(shown, str) else "",
            user,
        )
        if isinstance(told, str):
            raise Refused(told)
        return told

    def groups(self, claims: Mapping[str, Any]) -> list[str]:
        """Missing groups are not none: a rule that denies would be passed by."""
        name = self.oidc.groups_claim
        groups = claims.get(name)
        if groups is None:
            if self.needs_groups:
                raise Refused(
                    f"the claim {name!r} is missing; the provider must send it, empty too"
                )
            return []
        listed = [groups] if isinstance(groups, str) else groups
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise Refused(f"the claim {name!r} is not a list of names")
        if len(listed) > GROUPS_MAX:
            raise Refused(f"the claim {name!r} has more than {GROUPS_MAX:,} groups")
        return listed


def joined(endpoint: str, query: Mapping[str, str]) -> str:
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"
