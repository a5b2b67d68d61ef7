"""A child process of ``headway up``: started, supervised, and restarted with back-off if it dies or hangs.

Crash-only: a component may be killed at any moment and starts as if for the first time. Secrets
reach it by its standard input, never by its arguments, which all can read, nor by its environment.
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
from headway.agent.users import PERSONAL, spawned_as

BACK_OFF_S_MIN: Final = 0.25
BACK_OFF_S_MAX: Final = 10.0
STEADY_S: Final = 30.0  # alive for so long: the next death is a new story
LOG_BYTES_MAX: Final = 5_000_000
# Without a sign of life for so long it hangs. A database that does not answer holds up a loop for a minute at most.
SILENCE_S_MAX: Final = 90.0
QUIET_S_MAX: Final = 30.0  # and after so long something is wrong with it
BEATS_MAX: Final = 65_536  # at once: all that a pipe holds


class Component:
    def __init__(
        self,
        name: str,
        module: str,
        arguments: list[str],
        environment: Mapping[str, str],
        log: Path,
        first_line: str = "",
        uid: int | None = None,
    ) -> None:
        self.name = name
        self.module = module
        self.arguments = arguments
        self.environment = environment
        self.log = log
        self.first_line = first_line
        self.uid = uid  # whom it runs as, if not as us
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.back_off_s = BACK_OFF_S_MIN
        self.started_at = 0.0
        self.heard_at = 0.0
        self.again_at = 0.0
        self.trouble = ""  # what the system refused us last
        self.ear = -1  # its signs of life (``headway.pulse``)

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    def start(self) -> None:
        """Start the process. Raises OSError if the system has no descriptors, processes or memory left."""
        self.deafen()
        self.ear, mouth = os.pipe()
        try:
            os.set_blocking(self.ear, False)
            self.process = self.launch(mouth)
        finally:
            os.close(mouth)
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(f"{self.first_line}\n".encode())
        self.starts += 1
        self.started_at = self.heard_at = clock.monotonic()

    def launch(self, mouth: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "headway.up.tether", str(os.getpid()), str(mouth)]
        with self.log.open(
            "ab"
        ) as log:  # appending: what is cut off by ``bound_log`` stays cut off
            return subprocess.Popen(
                [*command, self.module, *self.arguments],
                env=environment_of(self.uid) | dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[mouth],
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends us in order
                **spawned_as(self.uid),
            )

    def look(self, say: Callable[[str], None]) -> None:
        """Check the component once. If the system lacks resources, try again at the next turn."""
        try:
            self.attend(say)
        except OSError as error:
            self.put_off(error, say)
        else:
            self.trouble = ""

    def put_off(self, error: OSError, say: Callable[[str], None]) -> None:
        """Report a problem once, not at each turn."""
        doing = "start" if self.process is None else "be supervised"
        trouble = f"{self.name} cannot {doing} now: {error.strerror or error}"
        if trouble != self.trouble:
            say(f"{trouble}; retrying ({self.log})")
        self.trouble = trouble
        self.again_at = clock.monotonic() + self.back_off_s

    def attend(self, say: Callable[[str], None]) -> None:
        """Restart the process if it died and the back-off is over."""
        now = clock.monotonic()
        if self.process is None:
            if now >= self.again_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            self.listen(say)
            self.bound_log()
            return
        if now - self.started_at > STEADY_S:
            self.back_off_s = BACK_OFF_S_MIN
        self.process = None
        self.again_at = now + self.back_off_s
        say(f"{self.name} {ended(code)}; restarting in {self.back_off_s:g} s ({self.log})")
        self.back_off_s = min(self.back_off_s * 2, BACK_OFF_S_MAX)

    @property
    def silent_s(self) -> float:
        return clock.monotonic() - self.heard_at

    def listen(self, say: Callable[[str], None]) -> None:
        """Listen for signs of life, and kill a process that hangs, so that it is restarted."""
        with contextlib.suppress(BlockingIOError):
            if os.read(self.ear, BEATS_MAX):
                self.heard_at = clock.monotonic()
        if self.silent_s > SILENCE_S_MAX:
            say(f"{self.name} does not respond: no sign of life for {self.silent_s:.0f} s")
            self.signal(signal.SIGKILL)

    def deafen(self) -> None:
        if self.ear >= 0:
            os.close(self.ear)
            self.ear = -1

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def is_gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def state(self) -> tuple[bool, str]:
        """Return whether the component is healthy, and a description."""
        if self.is_gone():
            return False, "restarts soon"
        if self.silent_s > QUIET_S_MAX:
            return False, f"process {self.pid}, silent for {self.silent_s:.0f} s"
        return True, f"process {self.pid}"

    def last_words(self) -> str:
        """Return the last line of its log, which usually says why it cannot start."""
        try:
            lines = self.log.read_bytes()[-4000:].decode(errors="replace").strip().splitlines()
        except FileNotFoundError:
            return ""
        return lines[-1].strip() if lines else ""

    def bound_log(self) -> None:
        """Rotate the log and keep one older file. Output between the two steps is lost."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.with_suffix(".log.1").write_bytes(self.log.read_bytes())
            os.truncate(self.log, 0)


def environment_of(uid: int | None) -> dict[str, str]:
    if uid is None:
        return dict(os.environ)
    return {name: value for name, value in os.environ.items() if name not in PERSONAL}


def ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
