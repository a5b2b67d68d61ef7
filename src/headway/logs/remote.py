"""The log store: plain text objects that other tools can read, in S3 or whatever speaks its language.

Below the prefix of its URL a log is ``<team>/<run>/<task>/<map index>/<attempt>.log``, whole, once it
has ended. Until then it is parts, ``….log.parts/<offset>``, each the bytes from that offset on. Names
are made of plain names only (``headway.paths``). Every call may take its time and raises NotReachable.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar
from urllib.parse import urlsplit

from headway.errors import NotReachable, UsageError
from headway.paths import plain_name

if TYPE_CHECKING:
    from obstore.store import ObjectStore

VARIABLE: Final = "HEADWAY_LOG_STORE"
HINT: Final = (
    "s3://bucket/prefix (AWS_ENDPOINT_URL names an endpoint that is not Amazon's),"
    " or file:///folder"
)
HINT_AWAY: Final = (
    "headway doctor shows how it stands with the log store; try again when it answers"
)
CONNECT_S: Final = 3.0
REQUEST_S: Final = 30.0
RETRY_S: Final = 3.0
SINGLE_BYTES_MAX: Final = 32 * 1024 * 1024  # more than nearly every log: one request, whole or not
OWN_PREFIX: Final = (
    f"{VARIABLE}_"  # HEADWAY_LOG_STORE_AWS_ACCESS_KEY_ID goes before AWS_ACCESS_KEY_ID
)
CODE: Final = re.compile(r"<Code>(\w+)</Code>")
STATUS: Final = re.compile(r"status code: (\d{3} [A-Za-z ]+)")
WORDS: Final = {
    "AccessDenied": "it does not let us in (AccessDenied)",
    "InvalidAccessKeyId": "it does not know the access key (InvalidAccessKeyId)",
    "SignatureDoesNotMatch": "the secret key is wrong (SignatureDoesNotMatch)",
    "NoSuchBucket": "its bucket does not exist (NoSuchBucket)",
    "RequestTimeTooSkewed": "this machine's clock is wrong (RequestTimeTooSkewed)",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    offset: int
    size: int


def chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are the store's: its own, or if it has none those of everybody."""
    own = {name: value for name, value in environment.items() if name.startswith(OWN_PREFIX)}
    return own or {name: value for name, value in environment.items() if name.startswith("AWS_")}


@contextmanager
def only(variables: Mapping[str, str]) -> Iterator[None]:
    """These, as ``AWS_…``, and no others: the library reads the environment of its process."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    given = {name.removeprefix(OWN_PREFIX): value for name, value in variables.items()}
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given:
            del os.environ[name]
        os.environ.update(before)


def open_store(url: str, variables: Mapping[str, str], request_s: float = REQUEST_S) -> "Remote":
    """Asks nobody anything yet. ``request_s``: how long one request may take.

    Raises UsageError for a URL that names no store.
    """
    parts = urlsplit(url)
    named = parts.netloc if parts.scheme == "s3" else parts.path.startswith("/")
    if parts.scheme not in ("s3", "file") or not named or parts.query or parts.fragment:
        raise UsageError(f"{url!r} names no log store", where=VARIABLE, hint=HINT)
    if parts.scheme == "file" and (parts.netloc or parts.path == "/"):
        raise UsageError(f"{url!r} names no folder of this machine", where=VARIABLE, hint=HINT)

    from obstore.exceptions import BaseError
    from obstore.store import LocalStore, S3Store

    if parts.scheme == "file":
        try:
            return Remote(url, LocalStore(parts.path, mkdir=True, automatic_cleanup=True))
        except (BaseError, OSError) as error:
            raise UsageError(
                f"the folder of the log store cannot be made: {first_line(error)}",
                where=parts.path,
            ) from error
    try:
        with only(variables):
            store = S3Store.from_url(
                url,
                client_options={
                    "connect_timeout": timedelta(seconds=CONNECT_S),
                    "timeout": timedelta(seconds=request_s),
                    "allow_http": True,
                },
                retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=RETRY_S)},
            )
    except (BaseError, OSError, ValueError) as error:
        raise UsageError(
            f"the log store cannot be used: {first_line(error)}",
            where=url,
            hint="set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither",
        ) from error
    return Remote(url, store)


class Remote:
    """Its methods may be called on any thread."""

    def __init__(self, url: str, store: "ObjectStore") -> None:
        self.url = url
        self.store = store
        text = {"Content-Type": "text/plain; charset=utf-8"}
        # A file system keeps no attributes, and the library refuses them there.
        self.attributes: Any = text if url.startswith("s3:") else None

    # -- writing

    def put_part(self, name: str, offset: int, data: bytes) -> None:
        """A part that grew is put again: it takes the place of what it begins with."""
        import obstore

        path = part_name(name, offset)
        self._ask(lambda: obstore.put(self.store, path, data, attributes=self.attributes))

    def put_whole(self, name: str, log: Path) -> None:
        import obstore

        self._ask(
            lambda: obstore.put(
                self.store, name, log, attributes=self.attributes, chunk_size=SINGLE_BYTES_MAX
            )
        )

    def remove_parts(self, name: str, offsets: Sequence[int]) -> None:
        self._remove([part_name(name, offset) for offset in offsets])

    def remove(self, team: str, run_id: str, before: datetime | None = None) -> None:
        """Everything of a run, or what was put there before then. What is gone already is no error."""
        import obstore

        prefix = f"{plain_name(team)}/{plain_name(run_id)}"
        for found in self._listed(obstore.list(self.store, prefix)):
            self._remove(
                [each["path"] for each in found if before is None or each["last_modified"] < before]
            )

    # -- reading

    def parts(self, name: str) -> list[Part]:
        """In order."""
        import obstore

        found = [
            Part(int(offset), each["size"])
            for some in self._listed(obstore.list(self.store, f"{name}.parts"))
            for each in some
            if (offset := each["path"].rpartition("/")[2]).isdecimal()
        ]
        return sorted(found, key=lambda part: part.offset)

    def names(self, team: str, run_id: str) -> set[str]:
        """The logs of a run that are here, whole or in parts."""
        import obstore

        prefix = f"{plain_name(team)}/{plain_name(run_id)}"
        return {
            each["path"].partition(".parts/")[0]
            for some in self._listed(obstore.list(self.store, prefix))
            for each in some
        }

    def fetch_whole(self, name: str, file: BinaryIO) -> bool:
        """False: it is not there."""
        return self._fetch(name, file)

    def fetch_parts(self, name: str, file: BinaryIO) -> bool:
        """Joined up to the first gap. False: there is none."""
        end = 0
        for part in self.parts(name):
            if part.offset != end:
                break
            if not self._fetch(part_name(name, part.offset), file):
                break
            end = file.tell()
        return end > 0

    def check(self) -> None:
        """Raises NotReachable unless it answers and lets us in."""
        import obstore

        self._ask(lambda: next(iter(obstore.list(self.store, "headway-check")), None))

    # -- the library

    def _fetch(self, name: str, file: BinaryIO) -> bool:
        import obstore

        def copy() -> bool:
            try:
                found = obstore.get(self.store, name)
            except FileNotFoundError as error:
                if code_of(error) == "NoSuchBucket":
                    raise
                return False
            for chunk in found:
                file.write(chunk)
            return True

        return self._ask(copy)

    def _listed(self, pages: Any) -> Iterator[Sequence[Any]]:
        found = iter(pages)
        while (page := self._ask(lambda: next(found, None))) is not None:
            yield page

    def _remove(self, names: list[str]) -> None:
        """A file system stops at the first that is gone already: then one by one."""
        import obstore

        def remove(some: list[str]) -> None:
            try:
                obstore.delete(self.store, some)
            except FileNotFoundError as error:
                if code_of(error) == "NoSuchBucket":
                    raise
                for each in some if len(some) > 1 else ():
                    remove([each])

        if names:
            self._ask(lambda: remove(names))

    def _ask(self, question: Callable[[], T]) -> T:
        from obstore.exceptions import BaseError

        try:
            return question()
        except (BaseError, OSError) as error:
            raise NotReachable(
                f"the log store cannot be used: {reason_of(error)}",
                where=self.url,
                hint=HINT_AWAY,
            ) from error


def part_name(name: str, offset: int) -> str:
    return f"{name}.parts/{offset:012d}"


def code_of(error: Exception) -> str:
    """S3's own word for what is wrong; of what is missing it may be the bucket."""
    found = CODE.search(str(error))
    return found[1] if found else ""


def reason_of(error: Exception) -> str:
    """In a few words for people, without what the library says of itself."""
    code = code_of(error)
    if code:
        return WORDS.get(code, f"it answers {code}")
    if found := STATUS.search(str(error)):
        return f"it answers {found[1].strip()}"
    if "HTTP error" in str(error):
        return "it does not answer"
    return first_line(error)


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
