"""The cookie of a browser's session. Its name prefix makes the browser keep it to this host."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

NAME: Final = "headway_session"
SECURE_NAME: Final = f"__Host-{NAME}"  # only over https, from no other host

Connection = ASGIConnection[Any, Any, Any, Any]


def secret_of(connection: Connection) -> str | None:
    return connection.cookies.get(SECURE_NAME) or connection.cookies.get(NAME)


def cookie(secret: str, lifetime_s: int, *, secure: bool) -> Cookie:
    """Return the session cookie. An empty one without lifetime deletes it."""
    return Cookie(
        key=SECURE_NAME if secure else NAME,
        value=secret,
        path="/",
        max_age=lifetime_s,
        httponly=True,
        secure=secure,
        samesite="strict",
    )
