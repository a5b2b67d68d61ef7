"""Ports for servers that are told theirs: nobody else has one by the time its server starts."""

import fcntl
import os
import random
import socket
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from typing import IO, Final

# Below those that systems hand out to whoever asks for any, as each connection does.
RANGE: Final = range(20_000, 32_000)

held: list[IO[str]] = []  # until this process ends


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free, and that no other process of the tests is given."""
    locks = Path(gettempdir()) / f"headway-test-ports-{os.getuid()}"
    locks.mkdir(exist_ok=True)
    while True:
        port = random.SystemRandom().choice(RANGE)
        lock = (locks / str(port)).open("w")
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            socket.create_server(("127.0.0.1", port)).close()
            held.append(lock)
            return port
        lock.close()
