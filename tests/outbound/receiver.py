"""A server that a webhook's URL leads to: it keeps what comes, and answers as it is told."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n\r\nbroken"
WAIT_S = 30.0  # for what must come: a test that waits so long has failed


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["x-headway-delivery"]

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Receiver:
    """``answers``: one for each request, then OK. None: it says nothing until ``release``."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/events?from=headway"
        self.answers: list[bytes | None] = []
        self.came: SimpleQueue[Request] = SimpleQueue()
        self.before_answer: Callable[[], None] = lambda: None
        self.released = threading.Event()

    def next(self) -> Request:
        return self.came.get(timeout=WAIT_S)

    def all(self) -> list[Request]:
        return [self.came.get() for _ in range(self.came.qsize())]

    def release(self) -> None:
        self.released.set()

    def answer(self) -> bytes:
        self.before_answer()
        found = self.answers.pop(0) if self.answers else OK
        if found is None:
            self.released.wait(WAIT_S)
            return OK
        return found


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.came.put(Request(self.path, headers, body))
            try:
                self.wfile.write(receiver.answer())
                self.wfile.flush()
            except OSError:  # the sender has read enough, or was killed
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver = Receiver(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.release()
            server.shutdown()
            thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    """Yield a URL at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"
