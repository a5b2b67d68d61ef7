"""Starts the process that sends outbound webhooks (``headway.outbound``), once a team has one: until then it costs one
look at an index.

What a team's URL does, slow or broken, happens there. A process that died is started again, after a pause.
"""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from headway import clock
from headway.events.follower import skip
from headway.outbound.addresses import networks_from
from headway.outbound.follow import NAME
from headway.store import sending
from headway.store.transact import transact

log = logging.getLogger(__name__)

PAUSE_S: Final = 5.0  # between two starts
PATIENCE_S: Final = 5.0
LOOK_S: Final = 1.0  # a scheduler turns far more often


class Sending:
    """Call ``turn`` again and again, then ``close``. ``line``: the database's URL and the master keys after a tab."""

    def __init__(self, data: Path, line: str) -> None:
        """Raises UsageError for settings that the process could not read."""
        networks_from(os.environ)
        self.data = data
        self.line = line
        self.process: subprocess.Popen[bytes] | None = None
        self.again_at = self.look_at = float("-inf")

    def turn(self, conn: Connection[Any]) -> None:
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            if code != 0:
                log.error("the sender of outbound webhooks ended with %d; restarting it", code)
            self.close()
        if clock.monotonic() < self.look_at:
            return
        self.look_at = clock.monotonic() + LOOK_S
        if not transact(conn, sending.are_there):
            transact(conn, skip, NAME, sending.are_there)
        elif clock.monotonic() >= self.again_at:
            self.start()

    def start(self) -> None:
        self.again_at = clock.monotonic() + PAUSE_S
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headway.outbound", str(self.data)], stdin=subprocess.PIPE
        )
        assert self.process.stdin is not None
        self.process.stdin.write(f"{self.line}\n".encode())
        self.process.stdin.flush()

    def close(self) -> None:
        """End the process: what it was sending is sent again by the next one."""
        if self.process is None:
            return
        with self.process as process:  # which closes its input
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self.process = None
