"""The files of a data directory that belong to a backup, and how they come back.

Each has one key in the store, whatever the number of backups: contents of DAG files, lists of bundles and results never
change. A log grows, and the store has its latest text. Not in a backup: master keys, tokens, and what is made anew.
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from headway.bundle import LIST
from headway.errors import Conflict

LOGS: Final = "logs"
SERVER_LOGS: Final = "logs/server"
FILES: Final = "files"


class File(msgspec.Struct, frozen=True, array_like=True):
    """``path``: below the data directory."""

    path: str
    size: int
    mtime_ns: int
    mode: int

    @property
    def key(self) -> str:
        return f"{FILES}/{self.path}"


def files_of(data: Path, *, logs: bool) -> Iterator[File]:
    """Yield all files that a backup has. What is being written has a name that begins with a point."""
    yield from below(data, "blobs")
    yield from (each for each in below(data, "bundles", deep=False) if each.path.endswith(LIST))
    yield from below(data, "xcom")
    if logs:
        yield from (
            each for each in below(data, LOGS) if not each.path.startswith(f"{SERVER_LOGS}/")
        )


def below(data: Path, folder: str, *, deep: bool = True) -> Iterator[File]:
    """Yield the files of a folder. What vanishes meanwhile was removed by retention."""
    try:
        entries = sorted(os.scandir(data / folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        path = f"{folder}/{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if deep:
                yield from below(data, path)
        elif entry.is_file(follow_symlinks=False):
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue
            yield File(path, status.st_size, status.st_mtime_ns, status.st_mode & 0o777)


def place_of(data: Path, file: File) -> Path:
    """Return where a file belongs. Raises Conflict for a path that leads out of the data directory."""
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
        raise Conflict(
            f"the list of the backup names the file {file.path!r}, which is not one of Headway's",
            hint="nothing was written there; restore another backup",
        )
    return data / path


def is_here(place: Path, file: File) -> bool:
    try:
        return place.stat().st_size == file.size
    except OSError:
        return False
