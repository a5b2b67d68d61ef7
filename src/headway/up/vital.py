"""The health of a component that nobody supervises: ``GET /healthz`` on a port of its own.

It answers 200 for as long as the main loop gives signs of life (``pulse``), so that what restarts a process that hangs
learns of it. A process that only answers on another thread is not alive.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from headway import clock, pulse
from headway.errors import UsageError
from headway.up.component import BEATS_MAX, SILENCE_S_MAX

REQUEST_S: Final = 5.0


class Vital:
    """``silence_s``: without a sign of life for so long it hangs."""

    def __init__(self, silence_s: float = SILENCE_S_MAX) -> None:
        self.silence_s = silence_s
        self.heard_at = clock.monotonic()
        self._ear, mouth = os.pipe()
        os.set_blocking(self._ear, False)
        pulse.tell_to(mouth)
        self._one_at_a_time = threading.Lock()
        self.also: Callable[[], str] = lambda: ""  # more that may be wrong with it

    def trouble(self) -> str:
        """Return why it is not healthy, or nothing."""
        with self._one_at_a_time:
            with suppress(BlockingIOError):
                if os.read(self._ear, BEATS_MAX):
                    self.heard_at = clock.monotonic()
            silent_s = clock.monotonic() - self.heard_at
        return f"no sign of life for {silent_s:.0f} s" if silent_s > self.silence_s else self.also()


def answer_on(port: int, trouble: Callable[[], str]) -> ThreadingHTTPServer:
    """Answer on a thread of its own. Raises UsageError if the port cannot be used."""

    class Answer(BaseHTTPRequestHandler):
        timeout = REQUEST_S

        def do_GET(self) -> None:
            found = "not found" if self.path != "/healthz" else trouble()
            status = 404 if self.path != "/healthz" else 503 if found else 200
            body = (found or "ok").encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    try:
        server = ThreadingHTTPServer(("", port), Answer)
    except OSError as error:
        raise UsageError(
            f"cannot answer on port {port}: {error.strerror}", hint="choose another --health-port"
        ) from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
