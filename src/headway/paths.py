"""Paths of an attempt's files below the data directory.

Ids come from users: every part is percent-encoded so that it is one plain name, never a way out.
"""

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2s
from pathlib import Path
from typing import Final
from urllib.parse import quote

NAME_BYTES_MAX: Final = 200  # a file system allows 255, endings are added
SPOOL_BYTES_MAX: Final = 240


@lru_cache(4096)
def plain_name(part: str) -> str:
    """``part`` as one file name: reversible as long as it is short, unique in any case."""
    name = quote(part, safe="@+=, ").replace(" ", "%20")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) <= NAME_BYTES_MAX:
        return name or "%"
    digest = blake2s(part.encode(), digest_size=8).hexdigest()
    return f"{name[: NAME_BYTES_MAX - 17]}~{digest}"


def make_private(folder: Path) -> None:
    """Nobody else enters it, whatever lies below; also one that an earlier version made for all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if (
        status.st_mode & 0o077 and status.st_uid == os.geteuid()
    ):  # else it is the server's: see ``up.isolation``
        folder.chmod(0o700)


def open_below(folder: Path, parts: Sequence[str], flags: int = os.O_RDONLY) -> int:
    """Open a regular file below ``folder``, to read unless ``flags`` say more: no link leads out, and nothing waits.

    Whose processes write there may be another user, who could not read what a link leads to. Raises OSError.
    """
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts:
        kind = flags | os.O_NONBLOCK if part is parts[-1] else os.O_RDONLY | os.O_DIRECTORY
        try:
            inner = os.open(part, kind | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
        finally:
            os.close(place)
        place = inner
    if not stat.S_ISREG(os.fstat(place).st_mode):
        os.close(place)
        raise OSError(errno.ELOOP, "it is not a regular file", str(folder))
    return place


def folder_below(folder: Path, parts: Sequence[str]) -> int:
    """Open a folder below ``folder``, and make it where there is none: no link leads out. Raises OSError.

    Where the users of teams make folders of their own, others may go on making theirs in what is made here.
    """
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    shared = os.fstat(place).st_mode & stat.S_ISVTX
    for part in parts:
        try:
            with suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=place)
                if shared:
                    os.chmod(part, 0o1733, dir_fd=place, follow_symlinks=False)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, flags, dir_fd=place)
        finally:
            os.close(place)
        place = inner
    return place


def log_path(run_id: str, task_id: str, map_index: int, number: int) -> str:
    """Relative to the data directory."""
    return f"logs/{plain_name(run_id)}/{plain_name(task_id)}/{map_index}/{number}.log"


def stored_log(team: str, log: str) -> str:
    """Return the name of a log in a log store, below the store's prefix; ``log`` as from ``log_path``."""
    return f"{plain_name(team)}/{log.removeprefix('logs/')}"


def spool_name(stored: str) -> str:
    """``stored`` as one name, for the folder of logs that are on their way to a log store.

    No plain name holds a ``!``. What is too long for one name goes on in a folder.
    """
    flat = stored.replace("/", "!")
    return "/".join(
        flat[start : start + SPOOL_BYTES_MAX] for start in range(0, len(flat), SPOOL_BYTES_MAX)
    )


def stored_of(spool_name: str) -> str:
    return spool_name.replace("/", "").replace("!", "/")


def rendered_of(log: str) -> tuple[str, str]:
    """The file that says what the attempts of its run got, and what an attempt is called in it.

    No task's folder has the name: no id begins so.
    """
    run, task_id, map_index, number = log.removesuffix(".log").rsplit("/", 3)
    return f"{run}/~rendered.jsonl", f"{task_id}/{map_index}/{number}"


def xcom_path(run_id: str, task_id: str, map_index: int, number: int) -> str:
    """Relative to the data directory and without its ending: ``[.key].json``."""
    return f"xcom/{plain_name(run_id)}/{plain_name(task_id)}/{map_index}-{number}"


def xcom_ending(key: str) -> str:
    return ".json" if key == "return_value" else f".{plain_name(key)}.json"


def bundle_root(data: Path, version: str) -> Path:
    return data / "bundles" / plain_name(version)
