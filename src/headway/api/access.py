"""Access rules: every route declares the role it needs, ``@get(…, needs=Role.VIEWER)``, or the server does not start.

``needs=PUBLIC`` is only for routes that must answer before anyone has signed in. A bearer
token (of the data directory, or of a user) or the cookie of a browser's session identifies the
caller. If a request has a token, only the token counts. ``needs=PLATFORM`` is for what concerns all teams.
"""

import hmac
from collections.abc import Iterable, Iterator
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute
from psycopg import Connection as Database

from headway.api import cookies, origins
from headway.api.door import Door
from headway.api.principal import LOCAL, SESSION, Principal, chosen, principal
from headway.api.rates import Rate
from headway.core.roles import Role, allows
from headway.errors import NotAllowed, NotAuthenticated
from headway.identity.accounts import TOKEN_PREFIX, fingerprint
from headway.store import api_tokens, browser_sessions, people

PUBLIC: Final = "public"
PLATFORM: Final = "platform admin"
TEAM: Final = "headway-team"

Connection = ASGIConnection[Any, Any, Any, Any]


class Admission:
    """Checks each request before its route is entered and before its body is read."""

    def __init__(self, door: Door, token: str, admin: Principal, rate: Rate) -> None:
        self.door = door
        self.expected = f"Bearer {token}".encode()
        self.admin = admin
        self.rate = rate

    async def admit(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Leave the principal in the scope.

        Raises:
            NotAuthenticated: no valid credentials. NotAllowed: the role is too low, or the request
                comes from another site. RateLimited: too many requests.
        """
        refuse_other_sites(connection)
        needed = needs_of(handler)
        if needed == PUBLIC:
            return
        who = await self.authenticate(connection)
        if who is None:
            raise NotAuthenticated(
                "you are not signed in, or your session has expired",
                hint="sign in, or send 'Authorization: Bearer …' with a token from: headway token create",
            )
        if who.via != LOCAL:
            self.rate.take((who.person_id, who.credential))
        check_right(who, needed)
        connection.scope["user"] = who

    async def authenticate(self, connection: Connection) -> Principal | None:
        given = [value for name, value in connection.scope["headers"] if name == b"authorization"]
        wanted = connection.headers.get(TEAM)
        if given:
            return await self.bearer(given, wanted)
        secret = cookies.secret_of(connection)
        if secret is None:
            return None
        return await self.door.call(of_session, fingerprint(secret), wanted)

    async def bearer(self, given: list[bytes], wanted: str | None) -> Principal | None:
        """Return the caller of a bearer token. Two tokens count as none, because a proxy might pick the other one."""
        if len(given) != 1:
            return None
        if hmac.compare_digest(given[0], self.expected):
            if wanted is None:
                return self.admin
            return await self.door.call(of_person, self.admin.person_id, wanted)
        kind, _, secret = given[0].decode("latin-1").partition(" ")
        if kind.lower() != "bearer" or not secret.startswith(TOKEN_PREFIX):
            return None
        return await self.door.call(of_token, fingerprint(secret), wanted)


def check_right(who: Principal, needed: str) -> None:
    """Raise NotAllowed if the caller may not enter a route with this need."""
    if needed == PLATFORM:
        if not who.is_platform_admin:
            raise NotAllowed(
                "this needs a platform admin", hint="ask a platform admin, such as the local admin"
            )
    elif not allows(who.role, Role(needed)):
        raise NotAllowed(
            f"this needs the role {needed}; your role in this team is {who.role}",
            hint="ask an admin of the team for it",
        )


def of_session(conn: Database[Any], hashed: bytes, wanted: str | None) -> Principal | None:
    session = browser_sessions.identify(conn, hashed)
    if session is None or not (teams := people.standing(conn, session.person_id)):
        return None
    where = chosen(teams, wanted)
    return principal(
        *(where, session.person_id, SESSION, session.session_id), expires_at=session.expires_at
    )


def of_token(conn: Database[Any], hashed: bytes, wanted: str | None) -> Principal | None:
    """Return the principal of a token. A token belongs to one team and ends with its owner's membership."""
    token = api_tokens.identify(conn, hashed)
    if token is None:
        return None
    teams = [s for s in people.standing(conn, token.person_id) if s.team_id == token.team_id]
    if not teams:
        return None
    via, where = f"token:{token.token_id}", chosen(teams, wanted)
    return principal(
        *(where, token.person_id, via, token.token_id, Role(token.role), token.expires_at)
    )


def of_person(conn: Database[Any], person_id: int, wanted: str) -> Principal:
    return principal(chosen(people.standing(conn, person_id), wanted), person_id, LOCAL)


def refuse_other_sites(connection: Connection) -> None:
    """Refuse changes that come from other sites' pages. A request with a token is not from a page."""
    headers = connection.headers
    if connection.scope.get("method") in origins.SAFE:
        return
    if origins.has_foreign_body(headers):
        raise HTTPException("send JSON, with Content-Type: application/json", status_code=415)
    if "authorization" in headers:
        return
    by_cookie = cookies.secret_of(connection) is not None
    if not origins.is_from_here(headers, unknown=not by_cookie):
        raise NotAllowed(
            "the request came from a page of another site", hint="use Headway's own web interface"
        )


def needs_of(handler: BaseRouteHandler) -> str:
    """Return the role that a route declares. OPTIONS, answered by the framework, needs none."""
    declared = handler.opt.get("needs")
    if declared is None and is_options(handler):
        return Role.VIEWER
    assert declared is not None, f"{handler} declares no needs"
    return str(declared)


def declared(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str, str]]:
    """Return method, path and required role of every route.

    Raises:
        AssertionError: a route declares no role, or is of a kind that is not guarded.
    """
    for route in routes:
        assert isinstance(route, HTTPRoute), f"{route.path}: only HTTP routes are guarded"
        for handler in route.route_handlers:
            need = needs_of(handler)
            assert need in (PUBLIC, PLATFORM, *Role), f"{route.path} needs {need!r}"
            yield from ((method, route.path_format, need) for method in handler.http_methods)


def is_options(handler: BaseRouteHandler) -> bool:
    return isinstance(handler, HTTPRouteHandler) and handler.http_methods == {"OPTIONS"}
