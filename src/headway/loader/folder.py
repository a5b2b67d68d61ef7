"""Lists the files that belong to a DAG folder, in one walk by name and stat, without opening files.

Skipped silently: hidden names, ``__pycache__``, ``*.pyc``, virtual environments, what ``.headwayignore`` names,
and data directories of Headway. Links are followed, wherever they lead. What was meant and cannot be taken (a link to
nothing, a ring, a pipe, what is too large) is a problem of its path; only a folder that is too large, or cannot be
read at all, is an error. ``.headwayignore``: one glob a line, ``#`` comments; with a slash it means the path from the
root, without one any name; a trailing slash means folders only.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from headway import frontends
from headway.config import DATA_MARK
from headway.errors import NotFound, UsageError

IGNORE_FILE: Final = ".headwayignore"
FILES_MAX: Final = 20_000
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
BYTES_MAX: Final = 512 * 1024 * 1024
DEPTH_MAX: Final = 100  # folders in each other
PATTERNS_MAX: Final = 1_000
IGNORE_BYTES_MAX: Final = 64 * 1024
KINDS: Final = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
KERNEL: Final = ("/proc", "/sys", "/dev")  # some of their files never end, some are credentials


class FolderError(UsageError):
    """The DAG folder as a whole cannot be used."""


class TooMuch(Exception):
    """The target of a link exceeds the limits."""


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
    folders: int = 0
    size: int = 0
    links: list[tuple[str, str]] = field(default_factory=list)  # for later: their place and path
    above: list[str] = field(default_factory=list)  # real paths of the folders that we are in
    following: bool = False
    file_bytes_max: int | None = None  # the limit of the team


def scan(folder: Path, file_bytes_max: int | None = None) -> Listing:
    """List the files of ``folder``. Larger ones than ``file_bytes_max`` are left out, and said to be.

    Raises NotFound and FolderError.
    """
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise NotFound(
            "the DAG folder does not exist", where=str(folder), hint="set it with --dags"
        )
    refuse_inside(folder, data_directory(root))
    walk = Walk(root, ignored(root), file_bytes_max=file_bytes_max)
    visit(walk, root, "")
    check_size(walk.files, folder)
    walk.following = True  # the folder's own files first: links share what room is left
    for place, path in sorted(walk.links):
        follow_outermost(walk, place, path)
    walk.files.sort(key=lambda found: found.path)
    return Listing(walk.files, walk.problems)


def wanted(name: str) -> bool:
    """Return whether a file or folder with this name can belong to a DAG folder."""
    if name.startswith("."):
        return name in frontends.ignore_files()
    return name != "__pycache__" and not name.endswith(".pyc")


def matters(root: str, path: str) -> bool:
    """Return whether a changed ``path``, reported by a watcher of ``root``, can belong to the DAG folder."""
    if not inside(root, path):
        return True
    parts = path[len(root) :].strip(os.sep).split(os.sep)
    if not all(map(wanted, parts)) and parts[-1] != IGNORE_FILE:
        return False
    parents = (os.sep.join([root, *parts[:depth]]) for depth in range(1, len(parts)))
    return not any(map(is_data_directory, parents))


# -- data directories


def is_data_directory(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, DATA_MARK))


def data_directory(path: str) -> str | None:
    """Return the Headway data directory that a real path is or is inside of."""
    while not is_data_directory(path):
        path, below = os.path.dirname(path), path
        if path == below:
            return None
    return path


def refuse_inside(dags: Path, data: Path | str | None) -> None:
    """Raise FolderError if a DAG folder is a data directory or inside one."""
    if data is not None and inside(os.path.realpath(data), os.path.realpath(dags)):
        raise FolderError(
            f"the DAG folder is inside Headway's data directory {data}",
            where=str(dags),
            hint="choose another folder with --dags, or another data directory with --data (the "
            "data directory may be inside the DAG folder)",
        )


# -- the walk


def visit(walk: Walk, folder: str, prefix: str) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        if not prefix:
            raise FolderError(f"cannot be read: {error.strerror}", where=folder) from error
        leave_out(walk, prefix.rstrip("/"), f"it cannot be read: {error.strerror}")
        return
    if any(entry.name == DATA_MARK for entry in entries):
        return
    walk.folders += 1
    check_room(walk)
    walk.above.append(os.path.realpath(folder))
    for entry in entries:
        if wanted(entry.name):
            take(walk, entry.path, prefix + entry.name, is_link=entry.is_symlink())
    walk.above.pop()


def take(walk: Walk, place: str, path: str, *, is_link: bool) -> None:
    if not encodable(path):
        leave_out(walk, path.encode("utf-8", "replace").decode(), "its name is not UTF-8")
    elif is_link and not walk.following:
        walk.links.append((place, path))
    elif is_link:
        follow(walk, place, path)
    else:
        add(walk, place, path)


def add(walk: Walk, place: str, path: str) -> None:
    try:
        status = os.stat(place)
    except FileNotFoundError:  # since the listing
        return
    except OSError as error:
        leave_out(walk, path, f"it cannot be read: {error.strerror}")
        return
    is_folder = stat.S_ISDIR(status.st_mode)
    if matches(walk.patterns, path, folder=is_folder):
        return
    if is_folder:
        if path.count("/") >= DEPTH_MAX:
            leave_out(walk, path, f"it lies in more than {DEPTH_MAX} folders")
        elif not is_environment(place):
            visit(walk, place, path + "/")
    elif not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "a device")
        leave_out(walk, path, f"it is {kind}, not a file")
    elif status.st_size > FILE_BYTES_MAX:
        limit = FILE_BYTES_MAX >> 20
        leave_out(walk, path, f"it is larger than {limit} MB; keep data outside the DAG folder")
    elif walk.file_bytes_max is not None and status.st_size > walk.file_bytes_max:
        size, most = status.st_size, walk.file_bytes_max
        why = f"it has {size:,} bytes; the limit of this team is {most:,} (dag_file_bytes)"
        leave_out(walk, path, why)
    else:
        add_file(walk, path, status)


def add_file(walk: Walk, path: str, status: os.stat_result) -> None:
    found = Found(
        path=path,
        size=status.st_size,
        mtime_ns=max(status.st_mtime_ns, status.st_ctime_ns),
        inode=status.st_ino,
        executable=bool(status.st_mode & stat.S_IXUSR),
    )
    walk.files.append(found)
    walk.size += found.size
    check_room(walk)


def check_room(walk: Walk) -> None:
    full = len(walk.files) > FILES_MAX or walk.size > BYTES_MAX or walk.folders > FILES_MAX
    if walk.following and full:
        raise TooMuch


def leave_out(walk: Walk, path: str, why: str) -> None:
    if not any(matches(walk.patterns, path, folder=folder) for folder in (True, False)):
        hint = f"list it in {IGNORE_FILE} if it should not be part of the DAG folder"
        walk.problems[path] = f"skipped: {why}; {hint}"


# -- links


def follow_outermost(walk: Walk, place: str, path: str) -> None:
    """Skip a link as a whole if its target exceeds the limits, including links inside the target."""
    before = (len(walk.files), walk.folders, walk.size, dict(walk.problems))
    walk.above = [walk.root, os.path.realpath(os.path.dirname(place))]
    try:
        follow(walk, place, path)
    except TooMuch:
        files, walk.folders, walk.size, walk.problems = before
        del walk.files[files:]
        most = f"{FILES_MAX:,} files and {BYTES_MAX >> 20} MB"
        leave_out(walk, path, f"{link(place)}, which would exceed {most}")


def follow(walk: Walk, place: str, path: str) -> None:
    real = os.path.realpath(place)
    try:
        is_folder = stat.S_ISDIR(os.stat(place).st_mode)
    except OSError as error:
        reasons = {errno.ENOENT: "which does not exist", errno.ELOOP: "which points back to itself"}
        why = reasons.get(error.errno or 0, f"which cannot be read: {error.strerror}")
        leave_out(walk, path, f"{link(place)}, {why}")
        return
    if data_directory(real) is not None:
        leave_out(walk, path, f"{link(place)}, in a data directory of Headway")
    elif any(inside(folder, real) for folder in KERNEL):
        leave_out(walk, path, f"{link(place)}, which belongs to the kernel")
    elif is_folder and any(inside(real, folder) for folder in walk.above):
        leave_out(walk, path, f"{link(place)}, a folder that contains the link itself")
    else:
        add(walk, place, path)


def link(place: str) -> str:
    """Describe a link with its target, readable whatever bytes it has."""
    target = os.fsencode(os.readlink(place)).decode("utf-8", "backslashreplace")
    return f"it is a link to {target}"


# -- sizes, and what is ignored


def check_size(files: list[Found], folder: Path) -> None:
    total = sum(found.size for found in files)
    if len(files) <= FILES_MAX and total <= BYTES_MAX:
        return
    largest = ", ".join(top_folders(files))
    raise FolderError(
        f"the DAG folder has {len(files):,} files of {total >> 20:,} MB together; "
        f"the limit is {FILES_MAX:,} files and {BYTES_MAX >> 20} MB (largest: {largest})",
        where=str(folder),
        hint=f"list everything that is not code in {folder}/{IGNORE_FILE}",
    )


def top_folders(files: list[Found]) -> Iterator[str]:
    """Return the three largest top-level folders."""
    weight: dict[str, int] = {}
    for found in files:
        top = found.path.split("/", 1)[0]
        weight[top] = weight.get(top, 0) + found.size + 4096
    yield from sorted(weight, key=lambda top: -weight[top])[:3]


def ignored(root: str) -> list[str]:
    """Return the patterns of the ignore file. Raises FolderError: each is compared with each path."""
    try:
        with Path(root, IGNORE_FILE).open("rb") as file:
            text = file.read(IGNORE_BYTES_MAX + 1).decode("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise FolderError(f"cannot be read: {error}", where=f"{root}/{IGNORE_FILE}") from error
    lines = (line.strip() for line in text.splitlines())
    found = [line for line in lines if line and not line.startswith("#")]
    if len(found) > PATTERNS_MAX or len(text) > IGNORE_BYTES_MAX:
        raise FolderError(
            f"it has more than {PATTERNS_MAX:,} patterns or {IGNORE_BYTES_MAX >> 10} kB",
            where=f"{root}/{IGNORE_FILE}",
            hint="name whole folders instead of their files",
        )
    return found


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
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
