"""A child process of ``headway up``: started, looked after, started again with back-off when it dies.

Crash-only: a component may be killed at any moment and starts as if for the first time. Secrets
reach it by its environment or its standard input, never by its arguments, which all can read.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from headway import clock

BACK_OFF_S_MIN: Final = 0.25
BACK_OFF_S_MAX: Final = 10.0
STEADY_S: Final = 30.0  # alive for so long: the next death is a new story
LOG_BYTES_MAX: Final = 5_000_000


class Component:
    def __init__(
        self,
        name: str,
        module: str,
        arguments: list[str],
        secrets: Mapping[str, str],
        log: Path,
        first_line: str = "",
    ) -> None:
        self.name = name
        self.module = module
        self.arguments = arguments
        self.secrets = secrets
        self.log = log
        self.first_line = first_line
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.back_off_s = BACK_OFF_S_MIN
        self.started_at = 0.0
        self.again_at = 0.0

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    def start(self) -> None:
        command = [sys.executable, "-m", "headway.services.tether", str(os.getpid()), self.module]
        with self.log.open(
            "ab"
        ) as log:  # appending: what is cut off by ``bound_log`` stays cut off
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                env={**os.environ, **self.secrets},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends us in order
            )
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(f"{self.first_line}\n".encode())
        self.starts += 1
        self.started_at = clock.monotonic()

    def look(self, say: Callable[[str], None]) -> None:
        """One turn: start it again if it died and its time has come."""
        now = clock.monotonic()
        if self.process is None:
            if now >= self.again_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            self.bound_log()
            return
        if now - self.started_at > STEADY_S:
            self.back_off_s = BACK_OFF_S_MIN
        self.process = None
        self.again_at = now + self.back_off_s
        say(f"{self.name} {ended(code)}; it starts again in {self.back_off_s:g} s ({self.log})")
        self.back_off_s = min(self.back_off_s * 2, BACK_OFF_S_MAX)

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def is_gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def last_words(self) -> str:
        """The last line it wrote: why it cannot start, as a rule."""
        try:
            lines = self.log.read_bytes()[-4000:].decode(errors="replace").strip().splitlines()
        except FileNotFoundError:
            return ""
        return lines[-1].strip() if lines else ""

    def bound_log(self) -> None:
        """Keep the log and one before it. What is written between the two steps is lost."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.with_suffix(".log.1").write_bytes(self.log.read_bytes())
            os.truncate(self.log, 0)


def ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
