"""The components of an install that work on a data directory in common, each a process of its own.

Each has a file in ``run/holders`` that says who it is, and holds it (flock) to its end. The kernel lets go of it when
the process ends, however it ends, so a file that nobody holds tells of nobody.
"""

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

import msgspec

from headway import ids

DRAFT = "."


class Holder(msgspec.Struct, frozen=True):
    """``url``: where people reach it, of an API server."""

    name: str
    pid: int
    host: str
    url: str = ""

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid} on {self.host})"


def present(folder: Path, name: str, url: str = "") -> int:
    """Say that this process is there. Returns a descriptor: it is there until that is closed. Raises OSError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / ids.run_id()
    draft = file.with_name(DRAFT + file.name)
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, msgspec.json.encode(Holder(name, os.getpid(), socket.gethostname(), url)))
        draft.rename(file)  # held by then: nobody takes it for one that was left behind
    except BaseException:
        os.close(handle)
        draft.unlink(missing_ok=True)
        raise
    return handle


def found(folder: Path) -> list[Holder]:
    """Return who is there, and remove what dead processes left behind."""
    there = []
    for file in sorted(folder.glob("[!.]*")):
        with suppress(OSError, msgspec.DecodeError):
            handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                there.append(msgspec.json.decode(os.pread(handle, 4096, 0), type=Holder))
            else:
                file.unlink()
            finally:
                os.close(handle)
    return sorted(there, key=lambda each: (each.name, each.host, each.pid))
