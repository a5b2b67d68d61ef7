"""The start of the base fork server. What it writes to standard error before it can work is kept apart, so that a start
that fails is told with its cause: an import error of its environment, a missing right. Then it goes to the agent's log.
"""

import os
import subprocess
from typing import Final

DIED_S_MAX: Final = 2.0  # a process that has closed its socket is gone by then
KEPT_BYTES: Final = 1 << 16
LINE_CHARS_MAX: Final = 300


class Start:
    """Standard error of a base server, as the agent sees it."""

    def __init__(self) -> None:
        self.said = os.memfd_create("start")
        self.log = os.dup(2)
        self.killed = ""  # why the agent killed it

    def taken(self) -> None:
        """The process has its own copy of the log."""
        os.close(self.log)

    def close(self) -> None:
        os.close(self.said)

    def end(self, base: subprocess.Popen[bytes]) -> int:
        """Wait for the end of a base server that has closed its socket. Returns its wait status."""
        try:
            code = base.wait(DIED_S_MAX)
        except subprocess.TimeoutExpired:
            base.kill()
            code = base.wait()
        return -code if code < 0 else code << 8

    def text(self) -> str:
        """Return the end of what it said, also to the log; nothing, if it had begun to work."""
        size = os.fstat(self.said).st_size
        data = os.pread(self.said, KEPT_BYTES, max(0, size - KEPT_BYTES))
        if data:
            os.write(2, data)
        return data.decode(errors="replace")


def last_line(text: str) -> str:
    """Return the last line: of a traceback, the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = "".join(c if c.isprintable() else " " for c in lines[-1]) if lines else ""
    return last if len(last) <= LINE_CHARS_MAX else f"{last[: LINE_CHARS_MAX - 1]}…"


def begun(log: int) -> None:
    """The server can work: its standard error is the agent's, with what was said so far."""
    if said := os.pread(2, KEPT_BYTES, 0):
        os.write(log, said)
    os.ftruncate(2, 0)
    os.dup2(log, 2)
    os.close(log)
