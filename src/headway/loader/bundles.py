"""Content-addressed snapshots of a DAG folder: blobs, and a list and a copy of each version (``headway.bundle``).

Rule 1: whatever is visible is complete. Files and folders are written under a temporary name, then renamed; blobs
and lists, from which everything else can be rebuilt, are synced before.
Rule 2: the version is a hash of paths, executable bits and contents, so equal folders give the same bundle anywhere.
Rule 3: builders share a lock, ``prune`` holds it alone; so several loaders can use one data directory, and the
next ``prune`` removes what a killed one left behind.
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway import bundle as files
from headway import clock, frontends
from headway.bundle import LIST, TEMPORARY, Entry, Lost, locked, version_of
from headway.config import Layout
from headway.errors import HeadwayError, StorageFull
from headway.frontends.base import FrontEnd
from headway.loader.folder import Found, scan

READ_TRIES_MAX: Final = 5
READ_AGAIN_S: Final = 0.02
# A file changed this shortly before it was read may change again within one tick of its file system's clock.
SETTLED_NS: Final = 2_000_000_000
WRITERS: Final = 8  # a sync is waiting, not work
BLOB_MODE: Final = 0o444
SHARED: Final = 0o100  # the mark of a list whose copy is that of several teams
GRACE_S: Final = 600.0  # a bundle this young may not be registered yet


@dataclass(frozen=True, slots=True)
class Bundle:
    version: str
    entries: Mapping[str, Entry]  # by path, in order
    problems: Mapping[str, str]
    defining: frozenset[str]  # the files that may define a DAG

    @property
    def sizes(self) -> list[int]:
        return [entry.size for entry in self.entries.values()]

    def candidates(self) -> list[str]:
        return sorted(self.defining)


@dataclass(frozen=True, slots=True)
class Seen:
    found: Found
    entry: Entry
    claimed: FrontEnd | None


class Bundles:
    """The snapshots of one data directory. Remembers what it read, so that it does not open unchanged files again."""

    def __init__(self, data: Path, group: int | None = None) -> None:
        self.data = data
        self.group = group  # of the team whose processes only read the copies
        self.blobs = data / "blobs"
        self.folder = data / "bundles"
        self._seen: dict[str, Seen] = {}
        for folder in (self.blobs, self.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        Layout(data).mark()

    def path(self, version: str) -> Path:
        return self.folder / version

    def entries(self, version: str) -> dict[str, Entry]:
        """Return the entries of an earlier bundle, or none if it was removed."""
        try:
            return files.read_list(self.data, version)
        except HeadwayError:
            return {}

    def snapshot(self, dags: Path, file_bytes_max: int | None = None) -> Bundle:
        """Read what changed and write the new bundle. ``file_bytes_max``: the limit of the team."""
        try:
            with locked(self.data, fcntl.LOCK_SH):
                bundle = self.read(dags, file_bytes_max)
                try:
                    self.materialise(bundle)
                except Lost:  # a blob that we remember was removed, or changed
                    self._seen.clear()
                    bundle = self.read(dags, file_bytes_max)
                    self.materialise(bundle)
                return bundle
        except OSError as error:
            raise failed(error, self.folder) from error

    def read(self, dags: Path, file_bytes_max: int | None = None) -> Bundle:
        listing = scan(dags, file_bytes_max)
        problems = dict(listing.problems)
        seen: dict[str, Seen] = {}
        changed = []
        for found in listing.files:
            known = self._seen.get(found.path)
            if known is not None and known.found == found:
                seen[found.path] = known
            else:
                changed.append(found)
        taken = dict(seen)
        for found, result in zip(changed, self.store(dags, changed), strict=True):
            if isinstance(result, Seen):
                taken[found.path] = result
                if clock.now().timestamp() * 1e9 - found.mtime_ns > SETTLED_NS:
                    seen[found.path] = result
            elif result is not None:
                problems[found.path] = result
        self._seen = seen
        entries = {path: taken[path].entry for path in sorted(taken)}
        return Bundle(version_of(entries), entries, problems, self.defining(taken))

    def defining(self, taken: Mapping[str, Seen]) -> frozenset[str]:
        def read(path: str) -> str | None:
            one = taken.get(path)
            if one is None:
                return None
            return (self.blobs / one.entry.blob).read_text(errors="replace")

        claims = {path: one.claimed for path, one in taken.items() if one.claimed}
        return frozenset(frontends.defining(claims, read))

    def store(self, dags: Path, changed: list[Found]) -> list[Seen | str | None]:
        if len(changed) < WRITERS:
            results = [self.store_one(dags, found) for found in changed]
        else:
            with ThreadPoolExecutor(WRITERS) as pool:
                results = list(pool.map(lambda found: self.store_one(dags, found), changed))
        if changed:
            sync(self.blobs)
        return results

    def store_one(self, dags: Path, found: Found) -> Seen | str | None:
        """Store the content of a file. Returns what it saw, or why the file cannot be read, or None if it
        no longer exists.
        """
        try:
            content = read_settled(dags / found.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        blob = hashlib.sha256(content).hexdigest()
        entry = Entry(blob, len(content), found.executable)
        self.put(entry, content)
        return Seen(found, entry, frontends.claimant(found.path, content))

    def put(self, entry: Entry, content: bytes) -> None:
        target = self.blobs / entry.blob
        if not files.is_untouched(str(target), entry, BLOB_MODE):
            self.write(target, content)

    def write(self, target: Path, content: bytes) -> None:
        draft = files.draft_in(target.parent)
        try:
            files.write(str(draft), content, BLOB_MODE, sync=True)
            draft.rename(target)
        except OSError:
            draft.unlink(missing_ok=True)  # a full disk would stay full of drafts
            raise

    def materialise(self, bundle: Bundle) -> None:
        """Write the bundle's list, then its copy. If they exist, renew their age for ``prune``."""
        listed = files.list_file(self.data, bundle.version)
        text = files.text_of(bundle.entries)
        if not listed.exists() or listed.read_bytes() != text:
            self.write(listed, text)
            sync(self.folder)
        files.mend(self.data, bundle.version, bundle.entries)
        self.grant(bundle.version)
        os.utime(listed)
        os.utime(self.path(bundle.version))

    def grant(self, version: str) -> None:
        """Let the team read the copy, and no other user. A copy of the same content may serve several teams."""
        if self.group is None:
            return
        root, listed = self.path(version), files.list_file(self.data, version)
        status = listed.stat()
        if status.st_gid == os.getegid() and not status.st_mode & SHARED:
            os.chown(listed, -1, self.group)
        elif status.st_gid != self.group:
            listed.chmod(BLOB_MODE | SHARED)
        if listed.stat().st_mode & SHARED:
            root.chmod(0o555)
        else:
            os.chown(root, -1, self.group)
            root.chmod(0o550)

    def restore(self, version: str) -> None:
        """Make a copy that is gone: a user who only reads it cannot do it when it is needed."""
        with locked(self.data, fcntl.LOCK_SH):
            files.mend(self.data, version, files.read_list(self.data, version))
            self.grant(version)

    def prune(self, keep: set[str], active: set[str], compared: Collection[str] = ()) -> list[str]:
        """Remove old bundles that are not in ``keep`` or ``compared``, copies that are not ``active``, incomplete
        drafts, and blobs that no list names. Returns the removed versions.
        """
        with locked(self.data, fcntl.LOCK_EX):
            doomed = list(self.folder.glob(TEMPORARY + "*"))
            gone = []
            for listed in sorted(self.folder.glob(f"[!.]*{LIST}")):
                version = listed.name.removesuffix(LIST)
                if version not in keep and version not in compared and is_old(listed):
                    listed.unlink()
                    gone.append(version)
            for copy in sorted(self.folder.glob("[!.]*")):
                needed = copy.name in active or not copy.is_dir() or is_granted(copy, keep)
                if not needed and is_old(copy) and not files.is_occupied(copy):
                    draft = files.draft_in(self.folder)
                    copy.rename(draft)  # gone at once, whatever happens to us
                    doomed.append(draft)
            if gone or any(self.blobs.glob(TEMPORARY + "*")):
                self.sweep()
        for draft in doomed:
            files.remove(draft)
        return gone

    def sweep(self) -> None:
        used = {".lock"}
        for listed in self.folder.glob(f"[!.]*{LIST}"):
            used |= {entry.blob for entry in self.entries(listed.name.removesuffix(LIST)).values()}
        for blob in self.blobs.iterdir():
            if blob.name not in used:
                blob.unlink()


def is_granted(copy: Path, keep: set[str]) -> bool:
    """Return whether a team with a user of its own reads the copy: it cannot make it again."""
    listed = copy.with_name(copy.name + LIST)
    return copy.name in keep and listed.exists() and listed.stat().st_gid != os.getegid()


def is_old(place: Path) -> bool:
    return place.stat().st_mtime < clock.now().timestamp() - GRACE_S


def read_settled(path: Path) -> bytes:
    """Read a file until its stat is equal before and after. A file that keeps changing is taken as last read."""
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


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def failed(error: OSError, folder: Path) -> HeadwayError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(
            "the disk is full: cannot store a snapshot of the DAG folder", where=str(folder)
        )
    return HeadwayError(f"cannot store a snapshot of the DAG folder: {error}", where=str(folder))
