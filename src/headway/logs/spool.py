"""The spool: a second name (a hard link) of each log that the store does not have whole yet.

An agent makes it and holds a lock on the log for as long as it writes; so a log here is *live* while it is
locked, *finished* when it is read-only, and otherwise *left* by an agent that died.
"""

import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from headway import clock
from headway.agent.logs import FINISHED, stamp_of
from headway.paths import stored_of

WRITABLE: Final = 0o222
REASON: Final = b"headway: lost: the agent ended before this log was closed\n"

State = Literal["live", "finished", "left"]


class Seen(NamedTuple):
    state: State
    size: int


def names(folder: Path) -> Iterator[str]:
    """Relative to the spool; longer ones lie in folders of it."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from (f"{entry.name}/{name}" for name in names(folder / entry.name))
        elif entry.is_file(follow_symlinks=False):
            yield entry.name


def remove(folder: Path, prefix: str, before: datetime | None) -> None:
    """Remove logs in the spool below ``prefix``; with ``before``, only those last written before it."""
    for name in list(names(folder)):
        if stored_of(name).startswith(prefix):
            log = folder / name
            if before is None or log.stat().st_mtime < before.timestamp():
                log.unlink()


def look(log: Path) -> Seen:
    descriptor = os.open(log, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        free = is_free(descriptor)  # first: what it was when it was let go of does not change
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if not free:
        return Seen("live", status.st_size)
    return Seen("left" if status.st_mode & WRITABLE else "finished", status.st_size)


def is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def finish(log: Path) -> Seen:
    """End an abandoned log with a line that says why. Safe to repeat after a crash."""
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(log, flags)
    try:
        size = os.fstat(descriptor).st_size
        end = os.pread(descriptor, len(REASON), max(0, size - len(REASON)))
        if end != REASON:
            new_line = b"" if not end or end.endswith(b"\n") else b"\n"
            os.write(descriptor, new_line + stamp_of(clock.now()) + REASON)
        os.fchmod(descriptor, FINISHED)
        return Seen("finished", os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
