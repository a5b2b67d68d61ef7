"""One version of a DAG folder as it lies on disk: a list of its files, their contents, and the copy that is run.

Rule 1: ``bundles/<version>.files`` has each path, executable bit and hash, and the version is the hash of those; a
blob is named by the hash of its content. So what is read can be verified, and is: nobody is trusted not to write.
Rule 2: ``bundles/<version>/`` is only a copy. ``occupy`` makes it what the list says, whatever became of it.
Rule 3: no file of it is another name for a blob or for a file of another version: a write in it reaches neither.
Every file of ours has one time, of long ago. One that still has it, and its size and mode, was not written since; that
is cheap to see. Any other is compared by its content.
"""

import fcntl
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from headway.errors import HeadwayError, NotFound
from headway.paths import bundle_root

VERSION_LENGTH: Final = 32
TEMPORARY: Final = ".tmp-"
LIST: Final = ".files"
LONG_AGO_NS: Final = 946_684_800 * 1_000_000_000  # 2000-01-01: archives know no time before 1980
LINE: Final = re.compile(rb"([^\0]+)\0([x-])([0-9a-f]{64}) (\d+)\n")
READ_BYTES: Final = 1 << 20
CACHE: Final = "__pycache__"
TOLD_MAX: Final = 5


class Entry(NamedTuple):
    blob: str  # sha256 of the content
    size: int
    executable: bool

    @property
    def mode(self) -> int:
        return 0o555 if self.executable else 0o444


class Lost(HeadwayError):
    """The content of a file is gone or another, so the version cannot be had any more."""


def version_of(entries: Mapping[str, Entry]) -> str:
    """Return the hash of a folder: no two spell the same text, as each part ends with a byte that no path holds."""
    digest = sha256()
    for path, entry in entries.items():
        digest.update(f"{path}\0{'x' if entry.executable else '-'}{entry.blob}\n".encode())
    return digest.hexdigest()[:VERSION_LENGTH]


def text_of(entries: Mapping[str, Entry]) -> bytes:
    """Return the text of a list, with entries in the order of their paths."""
    lines = (
        f"{path}\0{'x' if entry.executable else '-'}{entry.blob} {entry.size}\n"
        for path, entry in entries.items()
    )
    return "".join(lines).encode()


def list_file(data: Path, version: str) -> Path:
    root = bundle_root(data, version)
    return root.with_name(root.name + LIST)


def read_list(data: Path, version: str) -> dict[str, Entry]:
    """The files of a version by their paths. Raises NotFound when it is gone, or its list is another's."""
    try:
        text = list_file(data, version).read_bytes()
    except FileNotFoundError:
        text = None
    entries = parsed(text or b"")
    if text is None or version_of(entries) != version:
        raise NotFound(
            "the files of this version were removed",
            hint="a bundle is kept as long as a run or a DAG refers to it",
        )
    return entries


def parsed(text: bytes) -> dict[str, Entry]:
    """The entries of a list. Whether it is that of its version is not looked at."""
    return {
        path.decode(): Entry(blob.decode(), int(size), kind == b"x")
        for path, kind, blob, size in LINE.findall(text)
    }


def read_blob(data: Path, path: str, entry: Entry) -> bytes:
    """The content of ``path``. Raises Lost."""
    try:
        content = contents(f"{data}/blobs/{entry.blob}")
    except FileNotFoundError:
        content = b""
    if sha256(content).hexdigest() != entry.blob:
        raise Lost(
            f"the content of {path} is lost: it was removed or changed in {data / 'blobs'}",
            hint="for new runs, save the file again; for old runs, restore blobs/ from a backup",
        )
    return content


def contents(place: str) -> bytes:
    """Return the content of a file, without the layers of ``open``: there are thousands of files."""
    handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(handle, READ_BYTES):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(handle)


@contextmanager
def locked(data: Path, kind: int) -> Iterator[None]:
    """The lock of all bundles: who writes shares it, who removes has it alone."""
    place = data / "blobs" / ".lock"
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)


def occupy(root: Path) -> int:
    """Make the copy right and hold it: ``prune`` leaves it alone until the descriptor is closed.

    A copy without a list is of an earlier Headway, and one that is mounted read-only was made right before: both are
    taken as they are. So is one of another user's, whom we cannot write to: that user keeps it right, and nobody else
    changes it. Raises NotFound and Lost.
    """
    data, version = root.parent.parent, root.name
    if not os.access(data / "blobs", os.R_OK | os.X_OK) and (data / "bundles").is_dir():
        return held(root)
    with locked(data, fcntl.LOCK_SH):
        there = root.is_dir()
        sealed = there and bool(os.statvfs(root).f_flag & os.ST_RDONLY)
        if not sealed and (not there or list_file(data, version).exists()):
            mend(data, version, read_list(data, version))
        handle = held(root)
        if not sealed:
            os.utime(handle)  # young, for ``prune``
    return handle


def held(root: Path) -> int:
    try:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError) as error:
        raise NotFound(
            f"the files of this version cannot be read: {error.strerror}",
            hint="restart `headway up`: it makes them again for the runs that need them",
        ) from error
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def is_occupied(root: Path) -> bool:
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


# -- making and mending; under the shared lock


def mend(data: Path, version: str, entries: Mapping[str, Entry]) -> None:
    """Restore changed files one by one, so that processes in the copy never miss a file."""
    root = bundle_root(data, version)
    if not root.is_dir():
        make(data, version, entries)
        return
    folders = folders_of(entries)
    strays = list(strays_in(root, "", entries, folders))
    if strays:
        unseal(root, folders)
        for path in strays:
            remove(root / path)
    wrong = [path for path, entry in entries.items() if not is_untouched(f"{root}/{path}", entry)]
    if wrong:
        unseal(root, folders)
        for folder in sorted(folders - {""}):
            (root / folder).mkdir(mode=0o700, exist_ok=True)
    changed = [path for path in wrong if restore(data, root, path, entries[path])]
    seal(root, folders)
    tell(version, [path for path in [*strays, *changed] if CACHE not in path.split("/")])


def make(data: Path, version: str, entries: Mapping[str, Entry]) -> None:
    """A whole copy, visible at once. Somebody else may be first."""
    root, draft = bundle_root(data, version), draft_in(data / "bundles")
    folders = folders_of(entries)
    try:
        for folder in sorted(folders):
            (draft / folder).mkdir(mode=0o700)
        for path, entry in entries.items():
            write(f"{draft}/{path}", read_blob(data, path, entry), entry.mode)
        seal(draft, folders)
        draft.rename(root)
    except OSError:
        if not root.is_dir():
            raise
    finally:
        remove(draft)  # a full disk would stay full of drafts


def restore(data: Path, root: Path, path: str, entry: Entry) -> bool:
    """Restore a file if needed. Returns whether its content differed, not only its times."""
    target = root / path
    status = target.lstat() if os.path.lexists(target) else None
    single = status is not None and stat.S_ISREG(status.st_mode) and status.st_nlink == 1
    if single and sha256(contents(str(target))).hexdigest() == entry.blob:
        target.chmod(entry.mode)
        os.utime(target, ns=(LONG_AGO_NS, LONG_AGO_NS))
        return False
    draft = draft_in(root.parent)
    write(str(draft), read_blob(data, path, entry), entry.mode)
    draft.replace(target)
    return True


def write(target: str, content: bytes, mode: int, *, sync: bool = False) -> None:
    """A new file."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fchmod(handle, mode)
        os.utime(handle, ns=(LONG_AGO_NS, LONG_AGO_NS))
        if sync:
            os.fsync(handle)
    finally:
        os.close(handle)


def is_untouched(place: str, entry: Entry, mode: int | None = None) -> bool:
    try:
        status = os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return False
    expected = (stat.S_IFREG | (entry.mode if mode is None else mode), 1, entry.size, LONG_AGO_NS)
    return (status.st_mode, status.st_nlink, status.st_size, status.st_mtime_ns) == expected


def folders_of(paths: Iterable[str]) -> set[str]:
    folders = {""}
    for path in paths:
        while path := path.rpartition("/")[0]:
            folders.add(path)
    return folders


def strays_in(
    root: Path, folder: str, entries: Mapping[str, Entry], folders: set[str]
) -> Iterator[str]:
    """Yield entries that do not belong to the bundle, or have the wrong kind (file or folder)."""
    with os.scandir(root / folder) as found:  # closed though the caller may stop at the first
        for entry in found:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if path in folders:
                    yield from strays_in(root, path, entries, folders)
                else:
                    yield path
            elif path not in entries:
                yield path


def unseal(root: Path, folders: Iterable[str]) -> None:
    for folder in folders:
        if os.path.isdir(root / folder):
            os.chmod(root / folder, 0o755)


def seal(root: Path, folders: Iterable[str]) -> None:
    for folder in folders:
        if stat.S_IMODE(os.lstat(root / folder).st_mode) != 0o555:
            os.chmod(root / folder, 0o555)


def draft_in(folder: Path) -> Path:
    from headway import ids  # seldom needed, and not cheap to have in each child

    return folder / (TEMPORARY + ids.token())


def remove(place: Path) -> None:
    """Remove a tree, including what is read-only for us."""
    if not place.is_dir() or place.is_symlink():
        place.unlink(missing_ok=True)
        return
    import shutil  # as above

    for parent, _, _ in os.walk(place):
        os.chmod(parent, 0o700)
    shutil.rmtree(place)


def tell(version: str, changed: list[str]) -> None:
    """Into the component's log."""
    if changed:
        more = f" and {len(changed) - TOLD_MAX} more" if len(changed) > TOLD_MAX else ""
        names = ", ".join(sorted(changed)[:TOLD_MAX])
        sys.stderr.write(f"bundle {version}: restored changed files: {names}{more}\n")
        sys.stderr.flush()
