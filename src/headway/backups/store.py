"""Backups in a store: ``backups/NAME/`` has the dump, the list of files and, written last, the manifest.

Without its manifest a backup does not exist, so one that was cut short is never restored. ``files/`` is common to all.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from headway.backups.contents import File, files_of, is_here, place_of
from headway.blobs import s3
from headway.blobs.base import Blobs, Purpose
from headway.blobs.places import open_blobs
from headway.errors import NotFound

VARIABLE: Final = "HEADWAY_BACKUP_STORE"
BACKUPS: Final = Purpose(
    noun="backup store",
    variable=VARIABLE,
    form="s3://bucket/prefix (for other endpoints than Amazon's, set AWS_ENDPOINT_URL), or file:///folder",
    away="nothing was removed; try again when the backup store answers",
)
ROOT: Final = "backups"
MANIFEST: Final = "manifest.json"
DUMP: Final = "database.dump"
LISTED: Final = "files.jsonl"
REQUEST_S: Final = 300.0  # a part of a large dump
ENCODER: Final = msgspec.json.Encoder()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``version``: of Headway."""

    name: str
    made_at: datetime
    version: str
    dump_bytes: int
    files: int
    bytes: int


class BackupStore:
    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.url = blobs.url

    # -- writing

    def keep(
        self,
        data: Path,
        dump: Path,
        *,
        name: str,
        made_at: datetime,
        version: str,
        logs: bool,
    ) -> Manifest:
        """Store a dump and the files of the data directory: those that the newest backup has as they are, are there."""
        newest = next(iter(self.names()), None)
        known = set() if newest is None else set(self.files(newest))
        self.blobs.put_file(f"{ROOT}/{name}/{DUMP}", dump)
        kept: list[File] = []
        for file in files_of(data, logs=logs):
            if file not in known:
                try:
                    self.blobs.put_file(file.key, data / file.path)
                except FileNotFoundError:  # retention was faster
                    continue
            kept.append(file)
        text = b"".join(ENCODER.encode(file) + b"\n" for file in kept)
        self.blobs.put(f"{ROOT}/{name}/{LISTED}", text)
        manifest = Manifest(
            name=name,
            made_at=made_at,
            version=version,
            dump_bytes=dump.stat().st_size,
            files=len(kept),
            bytes=sum(file.size for file in kept),
        )
        self.blobs.put(f"{ROOT}/{name}/{MANIFEST}", msgspec.json.encode(manifest))
        return manifest

    def remove_older(self, most: int) -> list[str]:
        """Keep the newest ``most`` backups, 1 or more, and remove the others, with files that none of those has."""
        names = self.names()
        old = names[most:]
        if not old:
            return []
        # First the manifests: from then on nobody restores what is about to go.
        self.blobs.delete([f"{ROOT}/{name}/{MANIFEST}" for name in old])
        kept = {file.key for name in names[:most] for file in self.files(name)}
        gone = {file.key for name in old for file in self.files(name)} - kept
        self.blobs.delete(sorted(gone))
        self.blobs.delete([f"{ROOT}/{name}/{part}" for name in old for part in (DUMP, LISTED)])
        return old

    # -- reading

    def names(self) -> list[str]:
        """Return the names of all backups that are whole, newest first."""
        ending = f"/{MANIFEST}"
        keys = (found.key for page in self.blobs.pages(ROOT) for found in page)
        names = (
            key.removesuffix(ending).rpartition("/")[2] for key in keys if key.endswith(ending)
        )
        return sorted(names, reverse=True)

    def manifest(self, name: str | None) -> Manifest:
        """Return the manifest of a backup, by default of the newest one. Raises NotFound."""
        names = self.names()
        if not names or (name is not None and name not in names):
            there = f"the newest are: {', '.join(names[:5])}" if names else "it has no backup"
            what = "there is no backup" if name is None else f"there is no backup named {name}"
            raise NotFound(
                what, where=self.url, hint=f"{there}; to make one, run: headway backup --to"
            )
        text = self.blobs.get(f"{ROOT}/{name or names[0]}/{MANIFEST}")
        if text is None:
            raise NotFound("the backup was removed just now", where=self.url)
        return msgspec.json.decode(text, type=Manifest)

    def files(self, name: str) -> list[File]:
        lines = (self.blobs.get(f"{ROOT}/{name}/{LISTED}") or b"").splitlines()
        return [msgspec.json.decode(line, type=File) for line in lines]

    def fetch_dump(self, name: str, target: Path) -> None:
        """Write the dump to a file. Raises NotFound."""
        self._fetch(f"{ROOT}/{name}/{DUMP}", target)

    def fetch_files(self, name: str, data: Path) -> int:
        """Bring the files of a backup that are not here, with their times and modes. Returns how many there were."""
        brought = 0
        for file in self.files(name):
            place = place_of(data, file)
            if is_here(place, file):
                continue
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = place.with_name(f".{place.name}.restored")
            draft.unlink(missing_ok=True)
            self._fetch(file.key, draft)
            os.utime(draft, ns=(file.mtime_ns, file.mtime_ns))
            draft.chmod(file.mode)
            draft.replace(place)
            brought += 1
        return brought

    def lacking(self, files: Iterable[File]) -> list[str]:
        """Return the paths of the files that the store does not have."""
        there = {found.key: found.size for page in self.blobs.pages("files") for found in page}
        return [file.path for file in files if file.key not in there]

    def _fetch(self, key: str, target: Path) -> None:
        with target.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            found = self.blobs.copy(key, file)
        if not found:
            target.unlink()
            raise NotFound(f"the backup lacks {key}", where=self.url, hint="restore another backup")


def opened(url: str, environment: Mapping[str, str]) -> BackupStore:
    """Open the store without asking it anything yet. Raises UsageError."""
    variables = s3.chosen(environment, BACKUPS)
    return BackupStore(open_blobs(url, BACKUPS, variables, REQUEST_S))
