"""Ask an address by HTTP within one deadline, for the triggers and watchers of Headway.

The deadline is of the whole answer, redirects and all: a server that sends a byte now and then would hold a thread
without end. Redirects are followed, and headers go along on the same host only: they may hold credentials. No address
is refused: what asks runs in an agent of the team, where the team's own code opens any connection.
"""

import http.client
import io
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import partial
from typing import IO, Any, Final
from urllib.parse import urlsplit

from headway import clock
from headway.authoring.operators.http import headers_of, origin_of, url_of
from headway.authoring.secrets import aconnection

ANSWER_S_MAX: Final = 30.0
CONNECT_S_MAX: Final = 10.0  # to one of the addresses of a host


class Deadline:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.at = clock.monotonic() + seconds

    def left_s(self) -> float:
        """Return the time that is left. Raises TimeoutError."""
        left_s = self.at - clock.monotonic()
        if left_s <= 0:
            raise TimeoutError(f"no whole answer within {self.seconds:g} s")
        return left_s


class Reader(io.RawIOBase):
    """The bytes of a socket until the deadline."""

    def __init__(self, end: socket.socket, deadline: Deadline) -> None:
        self.end = end
        self.raw: Any = end.makefile("rb", buffering=0)
        self.deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self.end.settimeout(self.deadline.left_s())
        try:
            count: int | None = self.raw.readinto(buffer)
        except TimeoutError:
            self.deadline.left_s()
            raise
        return count

    def close(self) -> None:
        self.raw.close()
        super().close()


class Until:
    """A socket as an answer is read from it."""

    def __init__(self, end: socket.socket, deadline: Deadline) -> None:
        self.end = end
        self.deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        return io.BufferedReader(Reader(self.end, self.deadline))


class Plain(http.client.HTTPConnection):
    def __init__(self, host: str, deadline: Deadline, **options: Any) -> None:
        options["timeout"] = min(deadline.left_s(), CONNECT_S_MAX)
        super().__init__(host, **options)
        self.response_class: Any = partial(read_until, deadline)


class Secure(http.client.HTTPSConnection):
    def __init__(self, host: str, deadline: Deadline, **options: Any) -> None:
        options["timeout"] = min(deadline.left_s(), CONNECT_S_MAX)
        super().__init__(host, **options)
        self.response_class: Any = partial(read_until, deadline)


def read_until(
    deadline: Deadline, end: socket.socket, *args: Any, **options: Any
) -> http.client.HTTPResponse:
    until: Any = Until(end, deadline)
    return http.client.HTTPResponse(until, *args, **options)


class HttpHandler(urllib.request.HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self.deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        made: Any = partial(Plain, deadline=self.deadline)
        return self.do_open(made, req)


class HttpsHandler(urllib.request.HTTPSHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self.deadline = deadline

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        made: Any = partial(Secure, deadline=self.deadline)
        return self.do_open(made, req)


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https only, and takes headers along on the same host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.HTTPError(req.full_url, code, msg, headers, fp)
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and origin_of(newurl) != origin_of(req.full_url):
            following.headers.clear()
        return following


def opened(url: str, headers: Mapping[str, str], seconds: float = ANSWER_S_MAX) -> Any:
    """Return the answer, whose body is still to be read, within the same time.

    Raises HTTPError for an answer other than 2xx, OSError, HTTPException, and ValueError for what HTTP does not carry.
    """
    deadline = Deadline(seconds)
    opener = urllib.request.build_opener(HttpHandler(deadline), HttpsHandler(deadline), Redirects())
    return opener.open(urllib.request.Request(url, headers=dict(headers)))


async def resolved(
    url: str, headers: Mapping[str, str], conn_id: str | None
) -> tuple[str, dict[str, str]]:
    """Return URL and headers with what a connection adds. Each look asks for it anew, and sees what has changed."""
    if conn_id is None:
        return url, dict(headers)
    found = await aconnection(conn_id)
    return url_of(url, found), {**headers_of(found), **headers}
