"""The interface of byte stores; ``local`` and ``s3`` implement it.

A key is made of plain names with slashes between them, and a prefix ends where a name does: ``a/b``
is a prefix of ``a/b/c``, not of ``a/bc``. A put is atomic: a reader gets the bytes of one put,
whole. Nothing is found again that a delete has removed. Every call may take its time, may be made on
any thread, and raises NotReachable, which says what is wrong and what to do.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar

from headway.blobs.trouble import code_of, is_beyond_end, reason_of
from headway.errors import NotReachable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SINGLE_BYTES_MAX: Final = 32 * 1024 * 1024  # more than nearly every file: one request, whole or not
BYTES: Final = "application/octet-stream"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Purpose:
    """The purpose of a store, for its error messages."""

    noun: str  # "log store"
    variable: str  # the environment variable that holds its URL; the store's own begin with it
    form: str  # what its URL looks like
    away: str  # what to do while it does not answer


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of a listing."""

    key: str
    size: int  # bytes
    changed_at: datetime


class Blobs:
    """One store. ``keeps_types``: it remembers of what type the bytes are."""

    def __init__(
        self, url: str, purpose: Purpose, store: "ObjectStore", *, keeps_types: bool
    ) -> None:
        self.url = url
        self.purpose = purpose
        self.store = store
        self.keeps_types = keeps_types

    def put(self, key: str, data: bytes, media_type: str = BYTES) -> None:
        """Store bytes, in place of what the key had."""
        self._put(key, data, media_type)

    def put_file(self, key: str, file: Path, media_type: str = BYTES) -> None:
        """Store what the file holds. A large one travels in pieces and appears when all are there."""
        self._put(key, file, media_type)

    def get(self, key: str) -> bytes | None:
        """Return the whole content, or None if the key does not exist."""
        return self._read(key, lambda: bytes(self._library().get(self.store, key).bytes()))

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Up to ``length`` bytes (1 or more) from ``start`` on; None: there is no such key."""
        from obstore.exceptions import BaseError

        def part() -> bytes:
            wanted = {"range": (start, start + length)}
            try:
                return bytes(self._library().get(self.store, key, options=wanted).bytes())
            except BaseError as error:
                if is_beyond_end(error):
                    return b""
                raise

        return self._read(key, part)

    def copy(self, key: str, file: BinaryIO) -> bool:
        """Append its bytes to a file, a piece at a time. False: there is no such key."""

        def pieces() -> bool:
            for piece in self._library().get(self.store, key):
                file.write(piece)
            return True

        return self._read(key, pieces) or False

    def pages(self, prefix: str) -> Iterator[list[Found]]:
        """List what lies below a prefix, in no order."""
        found = iter(self._library().list(self.store, prefix))
        while (page := self._ask(lambda: next(found, None))) is not None:
            yield [Found(each["path"], each["size"], each["last_modified"]) for each in page]

    def delete(self, keys: Collection[str]) -> None:
        """Remove the objects. Missing ones are not an error."""
        if keys:
            self._ask(lambda: self._delete(list(keys)))

    def check(self) -> None:
        """Ask whether it answers and lets us in."""
        self._ask(lambda: next(iter(self._library().list(self.store, "headway-check")), None))

    def _library(self) -> Any:
        """Imported when it is first needed: most processes never do."""
        import obstore

        return obstore

    def _put(self, key: str, data: bytes | Path, media_type: str) -> None:
        # A file system keeps no attributes, and the library refuses them there.
        attributes = {"Content-Type": media_type} if self.keeps_types else None
        self._ask(
            lambda: self._library().put(
                self.store, key, data, attributes=attributes, chunk_size=SINGLE_BYTES_MAX
            )
        )

    def _read(self, key: str, read: Callable[[], T]) -> T | None:
        def found() -> T | None:
            try:
                return read()
            except FileNotFoundError as error:
                if code_of(error) == "NoSuchBucket":
                    raise
                return None

        return self._ask(found)

    def _delete(self, keys: list[str]) -> None:
        """A file system stops at the first that is gone already: then one by one."""
        try:
            self._library().delete(self.store, keys)
        except FileNotFoundError as error:
            if code_of(error) == "NoSuchBucket":
                raise
            for each in keys if len(keys) > 1 else ():
                self._delete([each])

    def _ask(self, question: Callable[[], T]) -> T:
        from obstore.exceptions import BaseError

        try:
            return question()
        except (BaseError, OSError) as error:
            raise NotReachable(
                f"cannot use the {self.purpose.noun}: {reason_of(error)}",
                where=self.url,
                hint=self.purpose.away,
            ) from error
