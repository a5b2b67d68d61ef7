"""Who may do what: every route declares it, ``@get(…, needs=Role.VIEWER)``; nothing starts otherwise.

``needs=PUBLIC`` is for what must answer before anybody has signed in, and for nothing else. Who
asks is told by a bearer token (that of the data directory, or one of a person's) or by the cookie
of a browser's session; a request that has a token is judged by that alone.
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
TEAM: Final = "headway-team"

Connection = ASGIConnection[Any, Any, Any, Any]


class Admission:
    """Asked before each route is entered, with a body unread."""

    def __init__(self, door: Door, token: str, admin: Principal, rate: Rate) -> None:
        self.door = door
        self.expected = f"Bearer {token}".encode()
        self.admin = admin
        self.rate = rate

    async def admit(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Leave the principal in the scope.

        Raises:
            NotAuthenticated: nobody known. NotAllowed: the role does not allow it, or another
                site asks. RateLimited: too often.
        """
        refuse_other_sites(connection)
        needed = needs_of(handler)
        if needed == PUBLIC:
            return
        who = await self.authenticate(connection)
        if who is None:
            raise NotAuthenticated(
                "nobody is signed in, or no longer",
                hint="sign in, or send 'Authorization: Bearer …' with a token: headway token create",
            )
        if who.via != LOCAL:
            self.rate.take((who.person_id, who.credential))
        if not allows(who.role, Role(needed)):
            raise NotAllowed(
                f"this needs the role {needed}; you are {who.role} here",
                hint="ask an admin of the team",
            )
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
        """Two tokens are none: a proxy and we could each believe another one."""
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


def of_session(conn: Database[Any], hashed: bytes, wanted: str | None) -> Principal | None:
    session = browser_sessions.identify(conn, hashed)
    if session is None or not (teams := people.standing(conn, session.person_id)):
        return None
    where = chosen(teams, wanted)
    return principal(
        *(where, session.person_id, SESSION, session.session_id), expires_at=session.expires_at
    )


def of_token(conn: Database[Any], hashed: bytes, wanted: str | None) -> Principal | None:
    """A token is of one team, and dies with its owner's membership there."""
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
    """What changes something must come from our own pages, unless a token shows that it is no page."""
    headers = connection.headers
    if connection.scope.get("method") in origins.SAFE:
        return
    if origins.has_foreign_body(headers):
        raise HTTPException("send JSON, with Content-Type: application/json", status_code=415)
    if "authorization" in headers:
        return
    by_cookie = cookies.secret_of(connection) is not None
    if not origins.is_from_here(headers, unknown=not by_cookie):
        raise NotAllowed("a page of another site asked for this", hint="use Headway's own pages")


def needs_of(handler: BaseRouteHandler) -> str:
    """What a route declares. OPTIONS, which the framework answers, tells only its methods."""
    declared = handler.opt.get("needs")
    if declared is None and is_options(handler):
        return Role.VIEWER
    assert declared is not None, f"{handler} declares no needs"
    return str(declared)


def declared(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str, str]]:
    """Method, path and need of every route there is.

    Raises:
        AssertionError: one declares nothing known, or is of a kind that admits without asking.
    """
    for route in routes:
        assert isinstance(route, HTTPRoute), f"{route.path}: only HTTP routes are guarded"
        for handler in route.route_handlers:
            need = needs_of(handler)
            assert need == PUBLIC or need in list(Role), f"{route.path} needs {need!r}"
            yield from ((method, route.path_format, need) for method in handler.http_methods)


def is_options(handler: BaseRouteHandler) -> bool:
    return isinstance(handler, HTTPRouteHandler) and handler.http_methods == {"OPTIONS"}
