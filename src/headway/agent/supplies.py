"""Bundles and results that are files, on their way to an agent that shares no file system with the server.

They come over the agent's connection and are kept in its own data directory. A bundle comes as its list and the
contents that are not here yet; each is compared with its hash, and the list with the version, so who sent it does
not matter. Results never change: a repeated attempt writes another file.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from headway import bundle
from headway.agent.errands import Download, Errands
from headway.agent.protocol import WantBundle, WantResult, XComRef
from headway.bundle import Entry

BATCH_BYTES: Final = 1024 * 1024  # of contents that travel together
BATCH_BLOBS: Final = 256
BLOB_MODE: Final = 0o444
DAMAGED: Final = "the files of the bundle were damaged on their way"

Done = Callable[[str], None]  # told why something could not be had, or nothing


class Supplies:
    def __init__(self, data: Path, errands: Errands) -> None:
        self.data = data
        self.errands = errands
        self.ready: set[str] = set()  # versions of which everything is here
        self.waiting: dict[
            str, list[Done]
        ] = {}  # by what comes: a version, or the path of a result
        for folder in ("bundles", "blobs"):
            (data / folder).mkdir(mode=0o700, parents=True, exist_ok=True)

    # -- bundles

    def bring_bundle(self, version: str, done: Done) -> None:
        if version in self.ready:
            done("")
        elif self.wait_for(version, done):
            text = bytearray()
            Download(
                self.errands,
                lambda offset: WantBundle(0, version, offset=offset),
                text.extend,
                lambda why: self.listed(version, bytes(text), why),
            )

    def listed(self, version: str, text: bytes, why: str) -> None:
        entries = bundle.parsed(text)
        if why or bundle.version_of(entries) != version:
            self.came(version, why or DAMAGED)
            return
        missing = {e.blob: e for e in entries.values() if not self.has(e)}
        batches = list(batches_of(missing.values()))
        left = len(batches)

        def stored(why: str) -> None:
            nonlocal left
            left -= 1
            if why:
                self.came(version, why)
            elif left == 0:
                self.complete(version, text)

        for batch in batches:
            self.bring_blobs(version, batch, stored)
        if not batches:
            self.complete(version, text)

    def has(self, entry: Entry) -> bool:
        """Return whether a content is here, as it was written. What was changed is noticed when it is read."""
        return bundle.is_untouched(f"{self.data}/blobs/{entry.blob}", entry, BLOB_MODE)

    def bring_blobs(self, version: str, batch: list[Entry], done: Done) -> None:
        names = [entry.blob for entry in batch]
        content = bytearray()
        Download(
            self.errands,
            lambda offset: WantBundle(0, version, names, offset),
            content.extend,
            lambda why: done(why or self.store(batch, bytes(content))),
        )

    def store(self, batch: list[Entry], content: bytes) -> str:
        start = 0
        for entry in batch:
            part = content[start : start + entry.size]
            start += entry.size
            if sha256(part).hexdigest() != entry.blob:
                return DAMAGED
            try:
                put_in_place(self.data / "blobs", entry.blob, part, BLOB_MODE)
            except OSError as error:
                return f"the agent cannot store the files of the bundle: {error.strerror}"
        return ""

    def complete(self, version: str, text: bytes) -> None:
        place = bundle.list_file(self.data, version)
        try:
            put_in_place(place.parent, place.name, text, BLOB_MODE)
        except OSError as error:
            self.came(version, f"the agent cannot store the list of the bundle: {error.strerror}")
            return
        self.ready.add(version)
        self.came(version, "")

    # -- results

    def bring_result(self, run_id: str, ref: XComRef, path: Path, done: Done) -> None:
        if path.exists():
            done("")
        elif self.wait_for(str(path), done):
            draft = path.with_name(f".{path.name}")
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = draft.open("wb")
            except OSError as error:
                self.came(str(path), f"the agent cannot store a result: {error.strerror}")
                return

            def over(why: str) -> None:
                file.close()
                if why:
                    draft.unlink(missing_ok=True)
                else:
                    draft.replace(path)
                self.came(str(path), why)

            def took(data: bytes) -> None:
                file.write(data)

            Download(self.errands, lambda offset: WantResult(0, run_id, ref, offset), took, over)

    # -- who waits

    def wait_for(self, what: str, done: Done) -> bool:
        """Return whether nobody waits for it yet."""
        self.waiting.setdefault(what, []).append(done)
        return len(self.waiting[what]) == 1

    def came(self, what: str, why: str) -> None:
        for done in self.waiting.pop(what, ()):
            done(why)


def batches_of(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Put small contents together: each request costs a round trip."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (size + entry.size > BATCH_BYTES or len(batch) == BATCH_BLOBS):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch


def put_in_place(folder: Path, name: str, content: bytes, mode: int) -> None:
    """Write a file that is seen whole or not at all. Raises OSError."""
    draft = bundle.draft_in(folder)
    try:
        bundle.write(str(draft), content, mode)
        draft.replace(folder / name)
    finally:
        draft.unlink(missing_ok=True)
