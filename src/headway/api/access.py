"""Access rules: every route declares the verb it needs, ``@get(…, needs=Verb.RUN_READ)``, or the server does not start.

``needs=MEMBER`` is for what every member of a team may do; ``needs=Role.ADMIN`` means all verbs of that role.

``needs=PUBLIC`` is only for routes that must answer before anyone has signed in. A bearer
token (of the data directory, or of a user) or the cookie of a browser's session identifies the
caller. If a request has a token, only the token counts. ``needs=PLATFORM`` is for what concerns all teams.
``guests=True`` opens a route to members of another team, as far as a grant goes (``api/guests``).
"""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute
from psycopg import Connection as Database

from headway.api import cookies, guests, origins, scopes
from headway.api.door import Door
from headway.api.principal import LOCAL, SESSION, NotAMember, Principal
from headway.api.rates import Rate
from headway.api.refused import ASKER, Asker
from headway.api.renewal import Renewal
from headway.api.team_rates import TeamRates
from headway.core.roles import BUILT_IN, Role, Verb, known, least, missing
from headway.errors import NotAllowed, NotAuthenticated
from headway.identity.accounts import SESSION_PREFIX, TOKEN_PREFIX, fingerprint
from headway.store import api_tokens, browser_sessions, people, roles

PUBLIC: Final = "public"
MEMBER: Final = "member"
PLATFORM: Final = "platform admin"
TEAM: Final = "headway-team"

Connection = ASGIConnection[Any, Any, Any, Any]


class Admission:
    """Checks each request before its route is entered and before its body is read."""

    def __init__(
        self,
        door: Door,
        token: str,
        admin: Principal,
        rate: Rate,
        renewal: Renewal,
        *,
        is_secure: bool,
    ) -> None:
        self.door = door
        self.renewal = renewal
        self.expected = f"Bearer {token}".encode()
        self.admin = admin
        self.rate = rate
        self.is_secure = is_secure
        self.teams = TeamRates(door)

    async def admit(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Leave the principal in the scope.

        Raises:
            NotAuthenticated: no valid credentials. NotAllowed: a verb is missing, or the request
                comes from another site. RateLimited: too many requests.
        """
        needed = needs_of(handler)
        is_open, heeds_cookies = needed == PUBLIC, not handler.opt.get("no_browser")
        if heeds_cookies or not is_open:  # what is neither tells of its refusals itself
            asks(connection, Asker(self.admin.team_id, is_open=is_open))
        if heeds_cookies:
            refuse_other_sites(connection, secure=self.is_secure)
        if is_open:
            return
        try:
            who = await self.authenticate(connection)
        except NotAMember as error:
            if error.home is not None:
                asks(connection, Asker(error.home.team_id, f"user:{error.home.name}"))
            raise error.refusal from None
        if who is None:
            raise NotAuthenticated(
                "you are not signed in, or your session has expired",
                hint="sign in, or send 'Authorization: Bearer …' with a token from: headway token create",
            )
        asks(connection, Asker(who.own_team_id, who.actor, who.via, who.role))
        if who.via != LOCAL:
            self.rate.take((who.person_id, who.credential))
            await self.teams.take(who.own_team_id)
        if who.guest is not None:
            connection.scope["user"] = await self.welcomed(who, connection, handler)
            return
        check_right(who, needed)
        if who.dag_ids is not None and not handler.opt.get("any_token"):
            asked = scopes.named(connection, handler)
            await self.door.of(who.team_id).call(scopes.check, who.dag_ids, asked)
        connection.scope["user"] = who

    async def welcomed(
        self, who: Principal, connection: Connection, handler: BaseRouteHandler
    ) -> Principal:
        """Return the guest with what they may do here. Raises NotAllowed."""
        needed = needs_of(handler)
        if not handler.opt.get("guests") or needed == PLATFORM:
            raise guests.refusal(who.team)
        asked = scopes.named(connection, handler)
        door = self.door.of(who.team_id).in_lane(who.own_team_id)
        return await door.call(guests.narrowed, who, asked, verbs_needed(needed))

    async def authenticate(self, connection: Connection) -> Principal | None:
        given = [value for name, value in connection.scope["headers"] if name == b"authorization"]
        # Streams and downloads of a browser carry no header of our own: the same name is a parameter of theirs.
        wanted = connection.headers.get(TEAM) or connection.query_params.get(TEAM)
        if given:
            return await self.bearer(given, wanted)
        secret = cookies.secret_of(connection, secure=self.is_secure)
        if secret is None:
            return None
        return await self.session(fingerprint(secret), wanted)

    async def session(self, hashed: bytes, wanted: str | None) -> Principal | None:
        door = self.door.in_lane(hashed)
        who, is_due = await door.call(of_session, hashed, wanted)
        if is_due:
            await self.renewal.renew(door, hashed)
            who, _ = await door.call(of_session, hashed, wanted)
        return who

    async def bearer(self, given: list[bytes], wanted: str | None) -> Principal | None:
        """Return the caller of a bearer token. Two tokens count as none, because a proxy might pick the other one."""
        if len(given) != 1:
            return None
        if hmac.compare_digest(given[0], self.expected):
            if wanted is None:
                return self.admin
            return await self.door.call(of_person, self.admin.person_id, wanted)
        kind, _, secret = given[0].decode("latin-1").partition(" ")
        if kind.lower() == "bearer" and secret.startswith(SESSION_PREFIX):
            return await self.session(fingerprint(secret), wanted)
        if kind.lower() != "bearer" or not secret.startswith(TOKEN_PREFIX):
            return None
        hashed = fingerprint(secret)
        return await self.door.in_lane(hashed).call(of_token, hashed, wanted)


def asks(connection: Connection, asker: Asker) -> None:
    """Leave who asks to the audit, in case that the request is refused."""
    connection.scope["state"][ASKER] = asker


def check_right(who: Principal, needed: str) -> None:
    """Raise NotAllowed if the caller may not enter a route with this need."""
    if needed == PLATFORM:
        if not who.is_platform_admin:
            raise NotAllowed(
                "this needs a platform admin", hint="ask a platform admin, such as the local admin"
            )
    elif lacking := missing(who.verbs, verbs_needed(needed)):
        raise NotAllowed(
            f"this needs the role {least(lacking[0])}, or another role with {lacking[0]}; "
            f"{who.what_it_has}",
            hint="ask an admin of the team for it; to see what you may do: headway whoami",
        )


def verbs_needed(needed: str) -> frozenset[Verb]:
    """Return the verbs that a declared need stands for. Raises ValueError for any other text."""
    if needed == MEMBER:
        return frozenset()
    return BUILT_IN[Role(needed)] if needed in list(Role) else frozenset({Verb(needed)})


def of_session(
    conn: Database[Any], hashed: bytes, wanted: str | None
) -> tuple[Principal | None, bool]:
    """Return the principal, and whether the session's provider must be asked first."""
    session = browser_sessions.identify(conn, hashed)
    if session is None or session.is_due:
        return None, session is not None
    if not (teams := people.standing(conn, session.person_id)):
        return None, False
    found = guests.principal_of(
        *(conn, teams, wanted, partial(verbs_in, conn), session.person_id, SESSION),
        credential=session.session_id,
        expires_at=session.expires_at,
    )
    return found, False


def of_token(conn: Database[Any], hashed: bytes, wanted: str | None) -> Principal | None:
    """Return the principal of a token. A token belongs to one team and ends with its owner's membership."""
    token = api_tokens.identify(conn, hashed)
    if token is None:
        return None
    teams = [s for s in people.standing(conn, token.person_id) if s.team_id == token.team_id]
    if not teams:
        return None
    (where,) = teams
    owned = verbs_in(conn, where)
    allowed = roles.verbs_of(conn, where.team_id, token.role)
    is_lesser = not missing(owned, allowed)
    verbs = owned & allowed if token.verbs is None else owned & allowed & known(token.verbs)
    return guests.principal_of(
        conn,
        [replace(where, role=token.role) if is_lesser else where],
        wanted,
        lambda _: verbs,
        *(token.person_id, f"token:{token.token_id}"),
        credential=token.token_id,
        expires_at=token.expires_at,
        dag_ids=None if token.dag_ids is None else frozenset(token.dag_ids),
    )


def of_person(conn: Database[Any], person_id: int, wanted: str) -> Principal:
    teams = people.standing(conn, person_id)
    return guests.principal_of(conn, teams, wanted, partial(verbs_in, conn), person_id, LOCAL)


def verbs_in(conn: Database[Any], where: people.Standing) -> frozenset[Verb]:
    return roles.verbs_of(conn, where.team_id, where.role)


def refuse_other_sites(connection: Connection, *, secure: bool) -> None:
    """Refuse changes that come from other sites' pages. A request with a token is not from a page."""
    headers = connection.headers
    if connection.scope.get("method") in origins.SAFE:
        return
    if origins.has_foreign_body(headers):
        raise HTTPException("send JSON, with Content-Type: application/json", status_code=415)
    if "authorization" in headers:
        return
    by_cookie = cookies.secret_of(connection, secure=secure) is not None
    if not origins.is_from_here(headers, unknown=not by_cookie):
        raise NotAllowed(
            "the request came from a page of another site", hint="use Headway's own web interface"
        )


def needs_of(handler: BaseRouteHandler) -> str:
    """Return what a route declares that it needs. OPTIONS, answered by the framework, is for every member."""
    declared = handler.opt.get("needs")
    if declared is None and is_options(handler):
        return MEMBER
    assert declared is not None, f"{handler} declares no needs"
    return str(declared)


def declared(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str, str]]:
    """Return method, path and need of every route.

    Raises:
        AssertionError: a route declares no need, or is of a kind that is not guarded.
    """
    for route in routes:
        assert isinstance(route, HTTPRoute), f"{route.path}: only HTTP routes are guarded"
        for handler in route.route_handlers:
            need = needs_of(handler)
            assert need in (PUBLIC, MEMBER, PLATFORM, *Role, *Verb), f"{route.path} needs {need!r}"
            yield from ((method, route.path_format, need) for method in handler.http_methods)


def is_options(handler: BaseRouteHandler) -> bool:
    return isinstance(handler, HTTPRouteHandler) and handler.http_methods == {"OPTIONS"}
