"""The paths of Airflow's REST API v2 that are answered here, and ``/auth/token``.

Each is one or a few requests to our own API as the same caller: rights, teams, rates and the audit are those of that
API, and nothing here reads the store. Callers send a bearer token; cookies are not heeded.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from http.cookies import SimpleCookie
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from litestar.types import ASGIApp, HTTPScope, Receive, Send

from headway import ids
from headway.api import cookies, site
from headway.api.airflow.inner import Inner, Problem

logger = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 8 * 1024 * 1024
TOKEN: Final = "Airflow's REST API"  # what the tokens of sign-ins are called, and an id
TOKENS_MAX: Final = 100  # of one person: the next sign-in ends the oldest
LOOKED_AT: Final = 10_000  # of the newest tokens: an admin sees those of all
NUMBER_CHARS_MAX: Final = 20
WITH_BODY: Final = ("POST", "PATCH", "PUT")
GUIDE: Final = "docs/from-airflow.md lists what Headway answers of Airflow's API"


class Asked(NamedTuple):
    """``names``: the parts of the path. ``body``: decoded JSON, or an empty dict."""

    inner: Inner
    names: dict[str, str]
    query: dict[str, list[str]]
    body: dict[str, Any]

    def first(self, name: str, default: str | None = None) -> str | None:
        return self.query.get(name, [default])[0]

    def number(self, name: str, default: int, most: int) -> int:
        text = self.first(name)
        if text is not None and not (text.isdecimal() and len(text) <= NUMBER_CHARS_MAX):
            raise Problem(422, f"{name} must be a whole number, not {text[:40]!r}", [])
        return default if text is None else min(int(text), most)

    def wants(self, name: str, default: bool = False) -> bool:
        """Return a yes or no of the body. Raises Problem: it is neither."""
        value = self.body.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise Problem(422, f"{name} must be true or false", [])
        return value


class Answer(NamedTuple):
    """``lines``: of a body that is sent bit by bit, each a JSON object."""

    body: Any
    status: int = 200
    lines: AsyncIterator[Any] | None = None


Handler = Callable[[Asked], Awaitable[Answer]]


class Route(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    query: frozenset[str]


def route(method: str, path: str, handler: Handler, *query: str) -> Route:
    """``{name}`` in ``path`` is one part of it. ``query``: the parameters that it heeds; any other is refused."""
    return Route(method, pattern_of(path), handler, frozenset(query))


class Refused(NamedTuple):
    """A request that Airflow answers and Headway does not. ``why``: one sentence."""

    method: str
    pattern: re.Pattern[str]
    why: str


def pattern_of(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


class Facade:
    def __init__(
        self, app: ASGIApp, routes: tuple[Route, ...], unsupported: tuple[Refused, ...] = ()
    ) -> None:
        self.app = app
        self.routes = routes
        self.unsupported = unsupported

    @staticmethod
    def has(path: str) -> bool:
        return path == "/auth/token" or f"{path}/".startswith("/api/v2/")

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        try:
            answer = await self.answered(scope, receive)
            headers: list[tuple[bytes, bytes]] = []
        except Problem as error:
            answer, headers = Answer({"detail": error.detail}, error.status), error.headers
        except Exception as error:  # of a program that knows one form of errors only
            logger.exception("%s %s failed", scope["method"], scope["path"])
            detail = (
                f"internal error: {type(error).__name__}; the details are in logs/server/api.log"
            )
            answer, headers = Answer({"detail": detail}, 500), []
        if answer.lines is not None:
            await stream(send, receive, answer.lines)
            return
        data = b"" if answer.body is None else msgspec.json.encode(answer.body)
        kind = (b"content-type", b"application/json")
        await site.answer(send, answer.status, [*headers, kind], data)

    async def answered(self, scope: HTTPScope, receive: Receive) -> Answer:
        path, method = scope["path"], str(scope["method"])
        for refused, pattern, why in self.unsupported:
            if refused == method and pattern.fullmatch(path):
                raise Problem(501, f"{why}; {GUIDE}", [])
        found = [(each, match) for each in self.routes if (match := each.pattern.fullmatch(path))]
        for each, match in found:
            if each.method == method:
                body = decoded(await whole(receive)) if method in WITH_BODY else {}
                query = queried(scope["query_string"].decode("latin-1"))
                if unknown := query.keys() - each.query:
                    raise Problem(501, f"Headway has no {min(unknown)} here; {GUIDE}", [])
                asked = Asked(Inner(self.app, scope), match.groupdict(), query, body)
                return await each.handler(asked._replace(body=masked(body, query)))
        status = 405 if found else 404
        raise Problem(status, f"Headway does not answer {method} {path}; {GUIDE}", [])


async def stream(send: Send, receive: Receive, lines: AsyncIterator[Any]) -> None:
    """Send line by line, until there is no more or the caller has gone. As Airflow's, it has no content type."""
    gone = asyncio.ensure_future(disconnected(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            following = asyncio.ensure_future(anext(lines, None))
            await asyncio.wait({following, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                following.cancel()
                return
            if (line := told(following)) is None:
                break
            data = msgspec.json.encode(line) + b"\n"
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


async def disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def told(line: asyncio.Future[Any]) -> Any:
    """Return a line; of an error, which comes too late for a status, its text."""
    try:
        return line.result()
    except Problem as error:
        return {"detail": error.detail}


async def whole(receive: Receive) -> bytes:
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Problem(400, "the request ended before its body", [])
        data += message["body"]
        if len(data) > BODY_BYTES_MAX:
            raise Problem(413, f"the body has more than {BODY_BYTES_MAX:,} bytes", [])
        if not message["more_body"]:
            return bytes(data)


def decoded(data: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data) if data else {}
    except (msgspec.DecodeError, RecursionError) as error:
        raise Problem(400, f"the body is not valid JSON: {error}", []) from None
    if not isinstance(found, dict):
        raise Problem(422, "the body must be a JSON object", [])
    return found


def masked(body: dict[str, Any], query: dict[str, list[str]]) -> dict[str, Any]:
    """Return the fields that ``update_mask`` names; without it, all."""
    if not (mask := query.get("update_mask")):
        return body
    return {name: value for name, value in body.items() if name in mask}


def queried(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


async def sign_in(asked: Asked) -> Answer:
    """Give a token for name and password: one of the person in the team, for a day, as ``headway token`` shows it."""
    inner = asked.inner
    given = {"name": asked.body.get("username"), "password": asked.body.get("password")}
    who = await inner.send("POST", "/api/v1/session", given)
    inner.session = session_in(inner.cookies)
    try:
        await make_room(inner, who["user"]["name"])
        # Of one name a person has one token, and each sign-in is to have its own.
        wanted = {"name": f"{TOKEN} {ids.run_id()}", "expires_in_days": 1}
        made = await inner.send("POST", "/api/v1/tokens", wanted)
    finally:
        await inner.send("DELETE", "/api/v1/session")
    return Answer({"access_token": made["token"]}, 201)


async def make_room(inner: Inner, name: str) -> None:
    """Revoke the oldest tokens of the sign-ins of a person, so that they have ``TOKENS_MAX`` with the next one."""
    found, _ = await inner.pages("/api/v1/tokens", LOOKED_AT)
    mine = [
        each["id"]
        for each in found
        if each["user"] == name and each["name"].startswith(TOKEN) and each["revoked_at"] is None
    ]
    for token_id in mine[TOKENS_MAX - 1 :]:
        await inner.send("DELETE", f"/api/v1/tokens/{token_id}")


def session_in(lines: list[bytes]) -> bytes:
    for line in lines:
        jar = SimpleCookie(line.decode("latin-1"))
        for name in (cookies.SECURE_NAME, cookies.NAME):
            if name in jar:
                return f"{name}={jar[name].value}".encode()
    raise Problem(500, "the session has no cookie", [])
