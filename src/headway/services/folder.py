"""Which files of a DAG folder belong to it: one walk, by name and stat, nothing is opened.

Left out: hidden names, ``__pycache__``, ``*.pyc``, virtual environments, what ``.headwayignore`` names, special
files, and links that lead out of the folder. One bad file is a problem of that file; only a folder that is
too large, or cannot be read at all, is an error. ``.headwayignore``: one glob a line, ``#`` comments; with a slash
it means the path from the root, without one any name; a trailing slash means folders only.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from headway.errors import HeadwayError, NotFound

IGNORE_FILE: Final = ".headwayignore"
FILES_MAX: Final = 20_000
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
BYTES_MAX: Final = 512 * 1024 * 1024


class FolderError(HeadwayError):
    """The DAG folder as a whole cannot be taken."""


@dataclass(frozen=True, slots=True)
class Found:
    path: str  # relative, with forward slashes
    size: int
    mtime_ns: int
    inode: int
    executable: bool


@dataclass(frozen=True, slots=True)
class Listing:
    files: list[Found]  # in the order of their paths
    problems: dict[str, str]  # path: why it was left out although it was meant


@dataclass(slots=True)
class Walk:
    root: str
    patterns: list[str]
    files: list[Found] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)  # real paths, so that a ring of links ends


def scan(folder: Path) -> Listing:
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise NotFound("there is no such DAG folder", where=str(folder), hint="give it by --dags")
    walk = Walk(root, ignored(root))
    visit(walk, root, "")
    walk.files.sort(key=lambda found: found.path)
    check_size(walk.files, folder)
    return Listing(walk.files, walk.problems)


def wanted(name: str) -> bool:
    """Whether a file or folder of this name can belong to a bundle; also for the watcher."""
    return not name.startswith(".") and name != "__pycache__" and not name.endswith(".pyc")


def visit(walk: Walk, folder: str, prefix: str) -> None:
    real = os.path.realpath(folder)
    if real in walk.folders:
        return
    walk.folders.add(real)
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        if not prefix:
            raise FolderError(f"cannot be read: {error.strerror}", where=folder) from error
        walk.problems[prefix.rstrip("/")] = f"cannot be read: {error.strerror}"
        return
    for entry in entries:
        if wanted(entry.name):
            take(walk, entry, prefix + entry.name)


def take(walk: Walk, entry: os.DirEntry[str], path: str) -> None:
    if not encodable(path):
        walk.problems[path.encode("utf-8", "replace").decode()] = "its name is not UTF-8"
        return
    try:
        status = entry.stat()
        if entry.is_symlink() and not inside(walk.root, os.path.realpath(entry.path)):
            return
    except OSError:  # a link to nothing, or gone since the listing
        return
    if stat.S_ISDIR(status.st_mode):
        if not matches(walk.patterns, path, folder=True) and not is_environment(entry.path):
            visit(walk, entry.path, path + "/")
        return
    if not stat.S_ISREG(status.st_mode) or matches(walk.patterns, path, folder=False):
        return
    if status.st_size > FILE_BYTES_MAX:
        walk.problems[path] = (
            f"is larger than {FILE_BYTES_MAX >> 20} MB: keep data outside the DAG folder, "
            f"or name it in {IGNORE_FILE}"
        )
        return
    walk.files.append(
        Found(
            path=path,
            size=status.st_size,
            mtime_ns=max(status.st_mtime_ns, status.st_ctime_ns),
            inode=status.st_ino,
            executable=bool(status.st_mode & stat.S_IXUSR),
        )
    )


def check_size(files: list[Found], folder: Path) -> None:
    total = sum(found.size for found in files)
    if len(files) <= FILES_MAX and total <= BYTES_MAX:
        return
    largest = ", ".join(top_folders(files))
    raise FolderError(
        f"the DAG folder has {len(files):,} files of {total >> 20:,} MB together; "
        f"at most {FILES_MAX:,} and {BYTES_MAX >> 20} MB are taken (most: {largest})",
        where=str(folder),
        hint=f"name what is no code in {folder}/{IGNORE_FILE}",
    )


def top_folders(files: list[Found]) -> Iterator[str]:
    """Where the weight lies: the three heaviest first folders."""
    weight: dict[str, int] = {}
    for found in files:
        top = found.path.split("/", 1)[0]
        weight[top] = weight.get(top, 0) + found.size + 4096
    yield from sorted(weight, key=lambda top: -weight[top])[:3]


def ignored(root: str) -> list[str]:
    try:
        text = Path(root, IGNORE_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"cannot be read: {error}", where=f"{root}/{IGNORE_FILE}") from error
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def matches(patterns: list[str], path: str, *, folder: bool) -> bool:
    return any(match(pattern, path, folder) for pattern in patterns)


def match(pattern: str, path: str, folder: bool) -> bool:
    if pattern.endswith("/"):
        if not folder:
            return False
        pattern = pattern.rstrip("/")
    if "/" in pattern:
        return fnmatchcase(path, pattern.lstrip("/"))
    return fnmatchcase(path.rsplit("/", 1)[-1], pattern)


def is_environment(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "pyvenv.cfg"))


def inside(root: str, path: str) -> bool:
    return path == root or path.startswith(root + os.sep)


def encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
