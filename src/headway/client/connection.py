"""One kept-alive connection to a server, and what every question has in common.

A read that met a closed connection is asked once more; a change is not, for it may have been made.
"""

import http.client
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from email.message import Message
from typing import Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from headway import wire
from headway.errors import HeadwayError, NotReachable, UsageError

T = TypeVar("T")

TIMEOUT_S: Final = 30.0
WAIT_S: Final = 30.0  # of one long poll
PAGE: Final = 1000
PART_BYTES: Final = 64 * 1024


def is_over(idle: socket.socket) -> bool:
    """Return whether the server has closed an idle connection: only its end can be read there."""
    poll = select.poll()
    poll.register(idle, select.POLLIN)
    return bool(poll.poll(0))


class Connection:
    def __init__(self, url: str, token: str | Callable[[], str], team: str | None = None) -> None:
        """``token`` is called for a token that ends soon, now and when it has ended."""
        self.url = url
        self._connection = opened(url)
        self._sign_in = None if isinstance(token, str) else token
        given = token if isinstance(token, str) else token()
        self._headers = {"Authorization": f"Bearer {given}", "Content-Type": "application/json"}
        if team is not None:
            self._headers["Headway-Team"] = team

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str, shape: type[T], query: Mapping[str, object] | None = None) -> T:
        answer, _ = self.ask("GET", path, None, query or {})
        return msgspec.json.decode(answer, type=shape)

    def post(self, path: str, request: msgspec.Struct | None, shape: type[T]) -> T:
        body = None if request is None else msgspec.json.encode(request)
        answer, _ = self.ask("POST", path, body, {})
        return msgspec.json.decode(answer, type=shape)

    def all_pages(
        self, path: str, item: type[T], query: Mapping[str, object] | None = None
    ) -> Iterator[T]:
        cursor: str | None = None
        while True:
            asked = {"limit": PAGE, **(query or {}), "cursor": cursor}
            page: wire.Page[T] = self.get(path, wire.Page[item], asked)  # type: ignore[valid-type]
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def ask(
        self, method: str, path: str, body: bytes | None, query: Mapping[str, object]
    ) -> tuple[bytes, Message]:
        """One request; the answer's body and headers."""
        given = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in query.items()
            if value is not None
        }
        target = f"/api/v1{path}" + (f"?{urlencode(given)}" if given else "")
        response, content = self._exchange(method, target, body)
        if response.status == 401 and self._sign_in is not None:
            self._headers["Authorization"] = f"Bearer {self._sign_in()}"
            # The first was refused before it did anything.
            response, content = self._exchange(method, target, body)
        if response.status >= 400:
            raise refusal(response, content)
        return content, response.headers

    def parts(self, path: str, query: Mapping[str, object]) -> Iterator[bytes]:
        """Yield a long answer in parts, over a connection of its own. Raises NotReachable if it breaks off."""
        target = f"/api/v1{path}?{urlencode(query)}"
        try:
            with closing(opened(self.url)) as connection:
                connection.request("GET", target, None, self._headers)
                response = connection.getresponse()
                if response.status >= 400:
                    raise refusal(response, response.read())
                while part := response.read(PART_BYTES):
                    yield part
        except (http.client.HTTPException, OSError) as error:
            raise NotReachable(f"the server at {self.url} broke off its answer") from error

    def _exchange(
        self, method: str, target: str, body: bytes | None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        # A change is not asked twice, so it is not sent where nobody reads any more.
        if self._connection.sock is not None and is_over(self._connection.sock):
            self._connection.close()
        reused = self._connection.sock is not None
        try:
            return self._once(method, target, body)
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            if reused and method == "GET" and not isinstance(error, TimeoutError):
                return self._exchange(method, target, body)  # it was closed while idle
            raise NotReachable(
                f"the server at {self.url} does not answer: {error or type(error).__name__}",
                hint="start one with headway up, or find the cause with headway doctor",
            ) from error

    def _once(
        self, method: str, target: str, body: bytes | None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, target, body, self._headers)
        response = self._connection.getresponse()
        return response, response.read()


def opened(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname is not None, url
    timeout_s = TIMEOUT_S + WAIT_S
    if parts.scheme == "https":
        name = parts.hostname  # that of the certificate
        return http.client.HTTPSConnection(name, parts.port, timeout=timeout_s)
    # localhost may mean ::1 first, where nobody listens.
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)


def segment(text: str) -> str:
    """One segment of a path, whatever a person typed. Raises UsageError: without it the path is another's."""
    if not text or text in (".", ".."):
        raise UsageError(
            f"there is no DAG or run {text!r}",
            hint="to list DAGs: headway ls; to list runs: headway ls runs",
        )
    return quote(text, safe="@")


def refusal(response: http.client.HTTPResponse, content: bytes) -> HeadwayError:
    try:
        problem = msgspec.json.decode(content, type=wire.Problem)
    except msgspec.MsgspecError:
        return NotReachable(f"the server answered {response.status} {response.reason}")
    return wire.error_of(problem)
