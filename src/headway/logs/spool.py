"""The spools: a second name (a hard link) of each log that the store does not have whole yet.

An agent makes it and holds a lock on the log for as long as it writes; so a log here is *live* while it is
locked, *finished* when it is read-only, and otherwise *left* by an agent that died. Where teams have user ids of
their own each has a spool, in which it may put anything: only its own logs are taken, without following a link.
"""

import errno
import fcntl
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, Literal, NamedTuple

from headway import clock
from headway.agent.logs import FINISHED, stamp_of
from headway.config import Layout
from headway.paths import open_below, stored_of

WRITABLE: Final = 0o222
REASON: Final = b"headway: lost: the agent ended before this log was closed\n"
DEPTH_MAX: Final = 8  # of folders, where a name is too long for one
ENTRIES_MAX: Final = 20_000  # of a team, at a look
LOG_BYTES_MAX: Final = 256 * 1024 * 1024  # more than any agent of ours writes
# Run, task, map index and attempt. No name begins with a dot.
LOG: Final = re.compile(r"(?:[\w%~@+=,-][\w%~@+=,.-]*/){2}-?\d{1,10}/\d{1,10}\.log", re.ASCII)

State = Literal["live", "finished", "left"]


class Seen(NamedTuple):
    state: State
    size: int


@dataclass(frozen=True, slots=True)
class Spool:
    """``team``: whose processes alone write here; empty: it is the server's."""

    folder: Path
    team: str = ""

    def names(self) -> Iterator[str]:
        """Yield the names of logs, relative to the spool; longer ones lie in folders of it."""
        with suppress(OSError):
            place = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                yield from self.few(walk(place, "", DEPTH_MAX))
            finally:
                os.close(place)

    def few(self, names: Iterator[str]) -> Iterator[str]:
        """Leave out what a team has too much of: whatever it put into its own spool, and its logs in the server's."""
        if self.team:
            yield from filter(self.is_ours, islice(names, ENTRIES_MAX))
            return
        seen: Counter[str] = Counter()
        for name in names:
            seen[team_of(name)] += 1
            if seen[team_of(name)] <= ENTRIES_MAX:
                yield name

    def is_ours(self, name: str) -> bool:
        team, _, log = stored_of(name).partition("/")
        return not self.team or (team == self.team and LOG.fullmatch(log) is not None)

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Open a log. Raises OSError, also for what the team made of another's file."""
        log = open_below(self.folder, name.split("/"), flags)
        try:
            if self.team:
                self.check(os.fstat(log))
        except OSError:
            os.close(log)
            raise
        return log

    def check(self, log: os.stat_result) -> None:
        if log.st_uid != self.folder.stat().st_uid:
            raise PermissionError(errno.EPERM, "it belongs to another user")
        if log.st_size > LOG_BYTES_MAX:
            raise OSError(errno.EFBIG, f"it has more than {LOG_BYTES_MAX:,} bytes")

    def unlink(self, name: str) -> None:
        """Take a log out of the spool, without following a link."""
        *folders, last = name.split("/")
        with suppress(FileNotFoundError):
            place = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                for folder in folders:
                    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                    inner = os.open(folder, flags, dir_fd=place)
                    os.close(place)
                    place = inner
                os.unlink(last, dir_fd=place)
            finally:
                os.close(place)

    def remove(self, prefix: str, before: datetime | None) -> None:
        """Remove the logs below ``prefix``; with ``before``, only those last written before it."""
        for name in list(self.names()):
            if stored_of(name).startswith(prefix):
                with suppress(OSError):  # what cannot be looked at is nobody's log
                    if before is None or self.changed_at(name) < before.timestamp():
                        self.unlink(name)

    def changed_at(self, name: str) -> float:
        log = self.open(name)
        try:
            return os.fstat(log).st_mtime
        finally:
            os.close(log)


def team_of(name: str) -> str:
    return stored_of(name).partition("/")[0]


def walk(place: int, above: str, depth: int) -> Iterator[str]:
    """Yield the names of the files below an open folder."""
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield above + entry.name
            elif depth and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                    inner = os.open(entry.name, flags, dir_fd=place)
                    try:
                        yield from walk(inner, f"{above}{entry.name}/", depth - 1)
                    finally:
                        os.close(inner)


def every(layout: Layout) -> list[Spool]:
    """Return the spool of the server, and those of the teams that have user ids of their own."""
    found = [Spool(layout.spool)]
    with suppress(OSError):
        folders = sorted(layout.team_spools.iterdir())
        found += [Spool(each, each.name) for each in folders if each.is_dir()]
    return found


def look(spool: Spool, name: str) -> Seen:
    descriptor = spool.open(name)
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


def finish(spool: Spool, name: str) -> Seen:
    """End an abandoned log with a line that says why. Safe to repeat after a crash."""
    descriptor = spool.open(name, os.O_RDWR | os.O_APPEND)
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
