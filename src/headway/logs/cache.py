"""Logs that were read from the store lately, as files: bounded, the longest unread go first.

A whole log does not change any more. What was joined from parts is looked for anew after ``FRESH_S``: the rest of
it may have come. Its methods may be called on any thread, take their time and raise NotReachable.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2s
from pathlib import Path
from typing import BinaryIO, Final

from headway import clock
from headway.agent.logs import stamp_of
from headway.errors import NotReachable
from headway.logs.remote import HINT_AWAY, Remote

BYTES_MAX: Final = 256 * 1024 * 1024
FILES_MAX: Final = 4096
FRESH_S: Final = 2.0


class LogCache:
    def __init__(self, remote: Remote, folder: Path, bytes_max: int = BYTES_MAX) -> None:
        self.remote = remote
        self.folder = folder
        self.bytes_max = bytes_max

    def known(self, name: str, end: str) -> Path | None:
        """Return a cached log, without asking the store. ``end`` is the text where a log breaks off."""
        whole, joined = self.places(name, end)
        with contextlib.suppress(FileNotFoundError):
            os.utime(whole)
            return whole
        with contextlib.suppress(FileNotFoundError):
            if clock.now().timestamp() - joined.stat().st_mtime < FRESH_S:
                return joined
        return None

    def fetch(self, name: str, end: str, ended_at: datetime | None = None) -> Path | None:
        """Fetch a log. None: the store does not have it."""
        whole, joined = self.places(name, end)
        with self.draft(whole) as (draft, file):
            if self.remote.fetch_whole(name, file):
                target = whole
            elif self.remote.fetch_parts(name, file):
                breaks_off(file, end, ended_at or clock.now())
                target = joined
            elif self.remote.fetch_whole(name, file):  # it became whole between our questions
                target = whole
            else:
                return None
            file.close()
            draft.replace(target)
        self.make_room()
        return target

    def places(self, name: str, end: str) -> tuple[Path, Path]:
        return self.folder / f"{digest(name)}.log", self.folder / f"{digest(name, end)}.joined"

    @contextlib.contextmanager
    def draft(self, place: Path) -> Iterator[tuple[Path, BinaryIO]]:
        """Open a draft, which gets its name when it is complete."""
        path = place.with_suffix(f".{threading.get_ident()}.new")
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            file = path.open("w+b")
        except OSError as error:
            raise NotReachable(
                f"cannot cache a log from the log store: {error.strerror}",
                where=str(self.folder),
                hint=HINT_AWAY,
            ) from error
        try:
            with file:
                yield path, file
        finally:
            path.unlink(missing_ok=True)

    def make_room(self) -> None:
        found = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime, status.st_size, entry.path))
        found.sort(reverse=True)
        total = 0
        for place, (_, size, path) in enumerate(found):
            total += size
            if place and (total > self.bytes_max or place >= FILES_MAX):
                Path(path).unlink(missing_ok=True)


def digest(*words: str) -> str:
    return blake2s("\0".join(words).encode(), digest_size=16).hexdigest()


def breaks_off(file: BinaryIO, end: str, at: datetime) -> None:
    file.seek(-1, os.SEEK_END)
    new_line = b"" if file.read(1) == b"\n" else b"\n"
    file.write(new_line + stamp_of(at) + f"headway: {end}\n".encode())
