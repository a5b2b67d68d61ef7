"""A real S3 server in a process of its own: ``python -m tests.logs.s3``. It ends with its standard input.

Besides what S3 answers it can be told to answer everything with an error: ``PUT /~trouble/<status>/<code>``.
"""

import logging
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

TROUBLE: Final = "/~trouble/"
NONE: Final = "200/None"

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Troubled:
    """Passes on what it is asked, unless it is in trouble."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.status, self.code = NONE.split("/")

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(TROUBLE):
            self.status, self.code = path.removeprefix(TROUBLE).split("/")
            start("200 OK", [])
            return [b""]
        if self.status == "200":
            return self.app(environ, start)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start(f"{self.status} Trouble", [("Content-Type", "application/xml")])
        return [f"<Error><Code>{self.code}</Code></Error>".encode()]


class Store:
    """The server, seen from a test."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def put(self, path: str) -> None:
        request = urllib.request.Request(f"{self.endpoint}{path}", method="PUT")
        urllib.request.urlopen(request, timeout=30).close()

    def read(self, url: str) -> tuple[bytes, str]:
        """An object by its s3:// address, as any tool would: its bytes and type."""
        path = urllib.parse.quote(url.removeprefix("s3:/"))
        headers = {"Authorization": "AWS anybody:signature"}  # nobody checks it here
        request = urllib.request.Request(f"{self.endpoint}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read(), answer.headers["Content-Type"]

    def make_bucket(self, name: str) -> None:
        self.put(f"/{name}")

    @contextmanager
    def trouble(self, status: int, code: str) -> Iterator[None]:
        self.put(f"{TROUBLE}{status}/{code}")
        try:
            yield
        finally:
            self.put(f"{TROUBLE}{NONE}")

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "of-the-store",
            "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-store",
        }


@contextmanager
def running() -> Iterator[Store]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.logs.s3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Store(process.stdout.readline().strip())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(30)


def main() -> None:
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Troubled(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
