"""Who may do what: every route declares it, ``@get(…, needs=Role.VIEWER)``; nothing starts otherwise.

``needs=PUBLIC`` is for what must answer before anybody has signed in, and for nothing else.
"""

import hmac
from collections.abc import Iterable, Iterator
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute

from headway.api.principal import LOCAL_ADMIN, Principal
from headway.core.roles import Role, allows
from headway.errors import NotAllowed, NotAuthenticated

PUBLIC: Final = "public"

Connection = ASGIConnection[Any, Any, Any, Any]


class Admission:
    """Asked before each route is entered, with a body unread."""

    def __init__(self, token: str) -> None:
        self.expected = f"Bearer {token}".encode()

    async def admit(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Leave the principal in the scope.

        Raises:
            NotAuthenticated: nobody known. NotAllowed: the role does not allow it.
        """
        needed = needs_of(handler)
        if needed == PUBLIC:
            return
        principal = self.authenticate(connection)
        if principal is None:
            raise NotAuthenticated(
                "the token is missing or wrong",
                hint="send 'Authorization: Bearer …' with the token of run/server.json",
            )
        if not allows(principal.role, Role(needed)):
            raise NotAllowed(
                f"this needs the role {needed}; you are {principal.role} here",
                hint="ask an admin of the team",
            )
        connection.scope["user"] = principal

    def authenticate(self, connection: Connection) -> Principal | None:
        given = [value for name, value in connection.scope["headers"] if name == b"authorization"]
        if len(given) == 1 and hmac.compare_digest(given[0], self.expected):
            return LOCAL_ADMIN
        return None


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
