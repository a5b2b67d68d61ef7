"""Requests to our own API on behalf of one request from outside: same caller, same headers, same checks."""

from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from litestar.types import ASGIApp, HTTPScope, Message, ReceiveMessage

PAGE: Final = 500  # items of one inner request
# What speaks of the body or the answer outside, not of the caller.
NOT_PASSED: Final = frozenset(
    {
        *(b"accept", b"accept-encoding", b"content-length", b"content-type", b"transfer-encoding"),
        *(b"if-none-match", b"if-match", b"idempotency-key", b"cookie"),
    }
)

# Of a browser and its page, or of another caller than who signs in.
FROM_WHERE: Final = (b"authorization", b"origin", b"sec-fetch-site")


class Problem(Exception):
    """An answer that is an error: the status and the text for people."""

    def __init__(self, status: int, detail: str, headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


class Inner:
    def __init__(self, app: ASGIApp, scope: HTTPScope) -> None:
        self.app = app
        self.scope = scope
        self.cookies: list[bytes] = []  # of the last answer
        self.session = b""  # a cookie of our own making, of a sign-in that this request is

    async def get(self, path: str, **query: object) -> Any:
        return await self.ask("GET", path, query)

    async def send(self, method: str, path: str, body: object = None) -> Any:
        return await self.ask(method, path, {}, body)

    async def ask(
        self, method: str, path: str, query: dict[str, object], body: object = None
    ) -> Any:
        """Return the decoded answer; None: it has no body. Raises Problem."""
        data = b"" if body is None else msgspec.json.encode(body)
        status, headers, answer = await self.raw(method, path, query, data)
        found = msgspec.json.decode(answer) if answer else None
        if status >= 400:
            raise problem(status, found, headers)
        return found

    async def text(self, path: str, **query: object) -> str:
        """Return an answer that is plain text. Raises Problem."""
        status, headers, answer = await self.raw("GET", path, query, b"")
        if status >= 400:
            raise problem(status, msgspec.json.decode(answer), headers)
        return answer.decode("utf-8", "replace")

    async def raw(
        self, method: str, path: str, query: dict[str, object], data: bytes
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        given = {name: text_of(value) for name, value in query.items() if value is not None}
        headers = [each for each in self.scope["headers"] if each[0].lower() not in NOT_PASSED]
        if self.session:
            headers = [each for each in headers if each[0].lower() not in FROM_WHERE]
            headers += [(b"cookie", self.session), (b"sec-fetch-site", b"same-origin")]
        if data:
            headers += [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(data)).encode()),
            ]
        inside: Any = {
            **{name: value for name, value in self.scope.items() if name in KEPT},
            "method": method,
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": urlencode(given).encode(),
            "headers": headers,
            "state": {},
        }
        status, said, chunks = 500, [], []

        async def receive() -> ReceiveMessage:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, said
            if message["type"] == "http.response.start":
                status, said = message["status"], list(message["headers"])
            elif message["type"] == "http.response.body":
                chunks.append(message["body"])

        await self.app(inside, receive, send)
        self.cookies = [value for name, value in said if name.lower() == b"set-cookie"]
        return status, said, b"".join(chunks)

    async def each(self, path: str, size: int = PAGE, /, **query: object) -> AsyncIterator[Any]:
        """Yield the items of a list, page by page."""
        cursor = None
        while True:
            found = await self.get(path, limit=size, cursor=cursor, **query)
            for item in found["items"]:
                yield item
            if (cursor := found["next_cursor"]) is None:
                return

    async def pages(self, path: str, most: int, **query: object) -> tuple[list[Any], bool]:
        """Return the first ``most`` items of a list, and whether there are more."""
        items: list[Any] = []
        cursor = None
        while len(items) < most:
            limit = min(PAGE, most - len(items))
            page = await self.get(path, limit=limit, cursor=cursor, **query)
            items += page["items"]
            if (cursor := page["next_cursor"]) is None:
                return items, False
        return items, True


KEPT: Final = frozenset(
    ("type", "asgi", "http_version", "scheme", "root_path", "client", "server", "extensions")
)


def text_of(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def problem(status: int, found: Any, headers: list[tuple[bytes, bytes]]) -> Problem:
    told = found if isinstance(found, dict) else {}
    parts = [str(told[name]) for name in ("detail", "hint") if told.get(name)]
    passed = [each for each in headers if each[0].lower() in (b"retry-after", b"www-authenticate")]
    return Problem(status, "; ".join(parts) or str(told.get("title", "error")), passed)
