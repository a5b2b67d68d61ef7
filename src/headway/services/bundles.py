"""Content-addressed snapshots of a DAG folder: ``blobs/<sha256>`` and, of hard links to them, ``bundles/<version>/``.

Rule 1: what is visible is whole. Files and folders are made under a temporary name, synced, then renamed.
Rule 2: the version is a hash of paths, executable bits and contents, so equal folders are one bundle anywhere.
Rule 3: builders share a lock, ``prune`` holds it alone; so any number of loaders work on one data directory, and
what a killed one left behind is removed by the next ``prune``.
An executable file has its own blob (``<sha256>x``): hard links share the mode.
"""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway import clock, ids
from headway.config import Layout
from headway.errors import HeadwayError, StorageFull
from headway.services.folder import Found, may_define_dag, scan

VERSION_LENGTH: Final = 32
TEMPORARY: Final = ".tmp-"
READ_TRIES_MAX: Final = 5
READ_AGAIN_S: Final = 0.02
# A file changed this shortly before it was read may change again within one tick of its file system's clock.
SETTLED_NS: Final = 2_000_000_000
WRITERS: Final = 8  # a sync is waiting, not work
GRACE_S: Final = 600.0  # a bundle this young may not be registered yet


@dataclass(frozen=True, slots=True)
class Entry:
    blob: str  # sha256 of the content
    size: int
    executable: bool
    candidate: bool  # may define a DAG


@dataclass(frozen=True, slots=True)
class Bundle:
    version: str
    entries: Mapping[str, Entry]  # by path, in order
    problems: Mapping[str, str]

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries.values())

    def candidates(self) -> list[str]:
        return [path for path, entry in self.entries.items() if entry.candidate]


@dataclass(frozen=True, slots=True)
class Seen:
    found: Found
    entry: Entry


class Bundles:
    """The snapshots of one data directory. Remembers what it read, so unchanged files stay closed."""

    def __init__(self, data: Path) -> None:
        self.blobs = data / "blobs"
        self.folder = data / "bundles"
        self._seen: dict[str, Seen] = {}
        for folder in (self.blobs, self.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        Layout(data).mark()

    def path(self, version: str) -> Path:
        return self.folder / version

    def snapshot(self, dags: Path) -> Bundle:
        """Read what changed and materialise the result."""
        try:
            with self.lock(fcntl.LOCK_SH):
                bundle = self.read(dags)
                try:
                    self.materialise(bundle)
                except FileNotFoundError:  # a blob that we remember was removed
                    self._seen.clear()
                    bundle = self.read(dags)
                    self.materialise(bundle)
                return bundle
        except OSError as error:
            raise failed(error, self.folder) from error

    def read(self, dags: Path) -> Bundle:
        listing = scan(dags)
        problems = dict(listing.problems)
        seen: dict[str, Seen] = {}
        changed = []
        for found in listing.files:
            known = self._seen.get(found.path)
            if known is not None and known.found == found:
                seen[found.path] = known
            else:
                changed.append(found)
        entries = {path: known.entry for path, known in seen.items()}
        for found, result in zip(changed, self.store(dags, changed), strict=True):
            if isinstance(result, Entry):
                entries[found.path] = result
                if clock.now().timestamp() * 1e9 - found.mtime_ns > SETTLED_NS:
                    seen[found.path] = Seen(found, result)
            elif result is not None:
                problems[found.path] = result
        self._seen = seen
        ordered = dict(sorted(entries.items()))
        return Bundle(version_of(ordered), ordered, problems)

    def store(self, dags: Path, changed: list[Found]) -> list[Entry | str | None]:
        if len(changed) < WRITERS:
            results = [self.store_one(dags, found) for found in changed]
        else:
            with ThreadPoolExecutor(WRITERS) as pool:
                results = list(pool.map(lambda found: self.store_one(dags, found), changed))
        if changed:
            sync(self.blobs)
        return results

    def store_one(self, dags: Path, found: Found) -> Entry | str | None:
        """The entry; or why the file cannot be read; or None when it is gone."""
        try:
            content = read_settled(dags / found.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        entry = Entry(
            blob=hashlib.sha256(content).hexdigest(),
            size=len(content),
            executable=found.executable,
            candidate=may_define_dag(found.path, content),
        )
        self.put(entry, content)
        return entry

    def blob(self, entry: Entry) -> Path:
        return self.blobs / (entry.blob + ("x" if entry.executable else ""))

    def put(self, entry: Entry, content: bytes) -> None:
        target = self.blob(entry)
        if target.exists():
            return
        draft = self.blobs / (TEMPORARY + ids.token())
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o555 if entry.executable else 0o444)
                os.fsync(file.fileno())
            draft.rename(target)
        except OSError:
            draft.unlink(missing_ok=True)  # a full disk would stay full of drafts
            raise

    def materialise(self, bundle: Bundle) -> None:
        target = self.path(bundle.version)
        if target.is_dir():
            os.utime(target)  # in use again: young for ``prune``
            return
        draft = self.folder / (TEMPORARY + ids.token())
        draft.mkdir(mode=0o700)
        folders = {""}
        for path, entry in bundle.entries.items():
            make_parents(draft, path, folders)
            link(self.blob(entry), draft / path)
        for folder in sorted(folders, reverse=True):
            sync(draft / folder)
            os.chmod(draft / folder, 0o555)
        try:
            draft.rename(target)
        except OSError as error:
            remove(draft)
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            os.utime(target)  # another loader was first
        sync(self.folder)

    def blob_of(self, version: str, path: str) -> str | None:
        """The content hash of a file of an earlier bundle; None if it is not there."""
        try:
            return hashlib.sha256(self.path(version).joinpath(path).read_bytes()).hexdigest()
        except OSError:
            return None

    def prune(self, keep: set[str]) -> list[str]:
        """Remove all other bundles that are not brand-new, blobs nobody links to, and torn drafts."""
        removed = []
        with self.lock(fcntl.LOCK_EX):
            oldest = clock.now().timestamp() - GRACE_S
            for folder in sorted(self.folder.iterdir()):
                if folder.name.startswith(TEMPORARY):
                    remove(folder)
                elif folder.name not in keep and folder.stat().st_mtime < oldest:
                    draft = self.folder / (TEMPORARY + ids.token())
                    folder.rename(draft)  # gone at once, whatever happens to us
                    remove(draft)
                    removed.append(folder.name)
            for blob in self.blobs.iterdir():
                if blob.name.startswith(TEMPORARY) or (
                    not blob.name.startswith(".") and blob.stat().st_nlink == 1
                ):
                    blob.unlink()
        return removed

    @contextmanager
    def lock(self, kind: int) -> Iterator[None]:
        handle = os.open(self.blobs / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, kind)
            yield
        finally:
            os.close(handle)


def version_of(entries: Mapping[str, Entry]) -> str:
    """Each part ends by a byte that no path holds, so no two folders spell the same text."""
    digest = hashlib.sha256()
    for path, entry in entries.items():
        digest.update(f"{path}\0{'x' if entry.executable else '-'}{entry.blob}\n".encode())
    return digest.hexdigest()[:VERSION_LENGTH]


def read_settled(path: Path) -> bytes:
    """The content between two equal stats. A file that never settles is taken as it was last read."""
    tries = 0
    while True:
        tries += 1
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read()
            after = os.fstat(file.fileno())
        settled = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if (settled and len(content) == after.st_size) or tries == READ_TRIES_MAX:
            return content
        clock.sleep(READ_AGAIN_S)


def make_parents(root: Path, path: str, made: set[str]) -> None:
    parts = path.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        folder = "/".join(parts[:depth])
        if folder not in made:
            (root / folder).mkdir(mode=0o700)
            made.add(folder)


def link(blob: Path, target: Path) -> None:
    try:
        os.link(blob, target)
    except OSError as error:
        # A file system counts links in few bits (ext4: 65,000), and some have none at all.
        if error.errno not in (errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP):
            raise
        shutil.copy2(blob, target)


def remove(folder: Path) -> None:
    """Also what is read-only for us."""
    for parent, _, _ in os.walk(folder):
        os.chmod(parent, 0o700)
    shutil.rmtree(folder)


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def failed(error: OSError, folder: Path) -> HeadwayError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("no room left to keep a snapshot of the DAG folder", where=str(folder))
    return HeadwayError(f"the DAG folder cannot be kept: {error}", where=str(folder))
