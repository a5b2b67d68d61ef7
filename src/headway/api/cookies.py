"""The cookie of a browser's session. Its name prefix makes the browser keep it to this host.

Behind https only the name with the prefix counts: another host of the same domain could set the other one, and people
would go on as somebody else.
"""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

NAME: Final = "headway_session"
SECURE_NAME: Final = f"__Host-{NAME}"  # only over https, from no other host

TICKET: Final = "headway_sign_in"  # of a sign-in that has begun at a provider
SECURE_TICKET: Final = f"__Host-{TICKET}"
TICKET_S: Final = 900

Connection = ASGIConnection[Any, Any, Any, Any]


def secret_of(connection: Connection, *, secure: bool) -> str | None:
    return connection.cookies.get(SECURE_NAME if secure else NAME)


def cookie(secret: str, lifetime_s: int, *, secure: bool) -> Cookie:
    """Return the session cookie. An empty one without lifetime deletes it."""
    return strict(SECURE_NAME if secure else NAME, secret, lifetime_s, secure=secure)


def ticket_of(connection: Connection, *, secure: bool) -> str:
    return connection.cookies.get(SECURE_TICKET if secure else TICKET, "")


def ticket(secret: str, *, secure: bool) -> Cookie:
    """Return the cookie of a sign-in that begins elsewhere; an empty one deletes it.

    The browser comes back from another site to our page, and that page sends it: it can be strict, too.
    """
    name = SECURE_TICKET if secure else TICKET
    return strict(name, secret, TICKET_S if secret else 0, secure=secure)


def strict(name: str, value: str, lifetime_s: int, *, secure: bool) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=lifetime_s,
        httponly=True,
        secure=secure,
        samesite="strict",
    )
