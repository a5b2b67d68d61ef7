"""The work of watchers inside of a triggerer: their code is found by its name, and each event that it tells is stored.

A watcher waits until what it told is stored, so it is never ahead of the database, and goes on from the cursor that was
stored with its last events.
"""

import asyncio
import errno
import glob
import http.client
import inspect
import os
import re
import stat
import urllib.error
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from headway.authoring import addresses
from headway.authoring.looking import Facts, looked, named
from headway.authoring.values import restore, to_json
from headway.authoring.watchers import WatcherEvent
from headway.core.watchers import BATCH_MAX
from headway.core.words import counted
from headway.spec.assets import flaw_of_partition

FILES_MAX: Final = 10_000  # that one pattern may match: the cursor has a mark of each
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
VERSION_MAX: Final = 1_000  # characters; the extra of an event has two

Tell = Callable[[Sequence[WatcherEvent], Any], Awaitable[None]]


class Watched(NamedTuple):
    """A watcher that begins. ``cursor``: what it stored last. ``tell`` returns when events and cursor are stored."""

    facts: Facts
    cursor: Any
    tell: Tell


class Batch(NamedTuple):
    """Events that are stored at once, with the cursor behind them."""

    events: Sequence[WatcherEvent]
    cursor: Any


async def watched(given: Watched) -> None:
    """Run a watcher until it ends. Raises whatever it raises."""
    facts = given.facts
    code = named(facts.trigger)
    kwargs: Any = dict(restore(facts.kwargs))  # type: ignore[call-overload]
    if takes_cursor(code):
        kwargs["cursor"] = given.cursor
    if facts.every_s is not None and not isinstance(code, type):
        await polled(given, code, kwargs, facts.every_s)
        return
    work = code(**kwargs).run() if isinstance(code, type) else code(**kwargs)
    if not isinstance(work, AsyncIterator):
        if inspect.iscoroutine(work):
            work.close()
        raise TypeError(
            f"{facts.trigger.rpartition(':')[2]} yields no events; write yield in it, or give the watcher every=…"
        )
    async for found in work:
        if isinstance(found, Batch):
            await given.tell(found.events, found.cursor)
        else:
            event = event_of(found)
            await given.tell([event], event.cursor)


def takes_cursor(code: Any) -> bool:
    try:
        return "cursor" in inspect.signature(code).parameters
    except (TypeError, ValueError):
        return False


def event_of(found: object) -> WatcherEvent:
    """Return what a watcher yielded as an event: other things than mappings go with it as ``found``."""
    if isinstance(found, WatcherEvent):
        return found
    if isinstance(found, Mapping):
        return WatcherEvent(found)
    return WatcherEvent({} if found is None else {"found": found})


async def polled(given: Watched, look: Any, kwargs: dict[str, Any], every_s: float) -> None:
    """Call ``look`` again and again. What it finds is an event if it is true and other than what it found before."""
    last = (given.cursor or {}).get("last") if isinstance(given.cursor, dict) else None
    looks = 0
    while True:
        found = await look(**kwargs)
        mark = sha256(to_json(found)).hexdigest() if found else None
        if mark != last:
            await given.tell([event_of(found)] if found else [], {"last": mark})
            last = mark
        looks += 1
        looked(looks=looks, again_s=every_s)
        await asyncio.sleep(every_s)


# -- files


class File(NamedTuple):
    path: str
    size: int
    modified_ns: int

    @property
    def name(self) -> str:
        return self.path

    def mark(self) -> str:
        return mark_of(f"{self.modified_ns}:{self.size}:{self.path}")

    def extra(self) -> dict[str, Any]:
        modified = datetime.fromtimestamp(self.modified_ns / 1e9, UTC).isoformat()
        return {"path": self.path, "size": self.size, "modified": modified}


class Thing(Protocol):
    """A file or an object that may arrive."""

    @property
    def name(self) -> str: ...
    def mark(self) -> str: ...
    def extra(self) -> dict[str, Any]: ...


def mark_of(text: str) -> str:
    """Return a short name of a thing as it is now. The cursor has one for each that was told of."""
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=9).hexdigest()


def found_files(path: str) -> list[File]:
    """Return the files that are there, the oldest first. Raises ValueError: they are too many."""
    files = []
    for each in paths_of(path):
        try:
            found = os.stat(each)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):  # gone, or a link that leads to itself
                continue
            raise
        if not stat.S_ISDIR(found.st_mode):
            files.append(File(each, found.st_size, found.st_mtime_ns))
    if len(files) > FILES_MAX:
        raise ValueError(
            f"{len(files):,} files match {path}; the limit is {FILES_MAX:,}: move those that are done elsewhere"
        )
    return sorted(files, key=lambda file: (file.modified_ns, file.path))


def paths_of(path: str) -> Iterable[str]:
    """Return what matches. ``**`` follows no link to a folder: two that lead upwards make billions of paths."""
    if not glob.has_magic(path):
        return [path]
    if "**" not in path.split("/"):
        return glob.glob(path)
    parts = [part if part == "**" else part.replace("**", "*") for part in path.split("/")]
    pattern = "/".join([*parts, "*"] if parts[-1] == "**" else parts).lstrip("/")
    shown = "/." in path
    found = map(str, Path("/").glob(pattern))
    return [each for each in found if shown or "/." not in each]


async def files(
    path: str, every_s: float, existing: bool, partition: str | None, cursor: Any
) -> AsyncIterator[Batch]:
    """Tell of each file that has arrived, once it rests from one look to the next."""
    find = partial(found_files, path)
    arriving = Arriving("file", find, every_s, existing, partition, rests=True)
    async for batch in arriving.batches(cursor):
        yield batch


class Arriving:
    """A place that is looked at again and again. ``rests``: a thing counts once it is the same in two looks."""

    def __init__(
        self,
        noun: str,
        find: Callable[[], Sequence[Thing]],
        every_s: float,
        existing: bool,
        partition: str | None,
        *,
        rests: bool,
    ) -> None:
        self.noun = noun
        self.find = find
        self.every_s = every_s
        self.existing = existing
        self.pattern = None if partition is None else re.compile(partition)
        self.rests = rests

    async def batches(self, cursor: Any) -> AsyncIterator[Batch]:
        """Yield what has arrived. ``cursor``: the marks of what was told and is still there."""
        told: set[str] | None = None if cursor is None else set(cursor)
        before: set[str] = set()
        looks = 0
        while True:
            there = await asyncio.to_thread(self.find)
            marks = {thing.mark(): thing for thing in there}
            if told is None:
                told = set() if self.existing else set(marks)
                yield Batch([], sorted(told))
            fresh = [(mark, thing) for mark, thing in marks.items() if mark not in told]
            rested = [(mark, thing) for mark, thing in fresh if mark in before or not self.rests]
            for start in range(0, len(rested), BATCH_MAX):
                few = rested[start : start + BATCH_MAX]
                told = (told & marks.keys()) | {mark for mark, _ in few}
                yield Batch([self.event_of(thing) for _, thing in few], sorted(told))
            before = {mark for mark, _ in fresh}
            looks += 1
            looked(self.note_of(there), looks=looks, again_s=self.every_s)
            await asyncio.sleep(self.every_s)

    def event_of(self, thing: Thing) -> WatcherEvent:
        return WatcherEvent(thing.extra(), self.partition_of(thing))

    def partition_of(self, thing: Thing) -> str | None:
        """Return the partition that the name tells. None: it tells none that can be; the thing counts all the same."""
        match = None if self.pattern is None else self.pattern.search(thing.name)
        found = None if match is None else match[1]
        return found if found is not None and flaw_of_partition(found) is None else None

    def note_of(self, there: Sequence[Thing]) -> str:
        note = f"{counted(len(there), self.noun)} there"
        if self.pattern is None:
            return note
        odd = [thing.name for thing in there if self.partition_of(thing) is None]
        return f"{note}; {odd[0]!a} names no partition" if odd else note


# -- addresses


class Answer(NamedTuple):
    """The answer of an address. ``version`` is None if it does not count, for the reason in ``note``."""

    version: str | None
    note: str


def ask(url: str, version: str | None, headers: Mapping[str, str] = {}) -> Answer:
    """Ask once. ``version``: the one that is known, so that an address may say that nothing has changed."""
    shown = url.partition("?")[0]
    headers = dict(headers)
    if version is not None and version.startswith("etag:"):
        headers["If-None-Match"] = version.removeprefix("etag:")
    try:
        with addresses.opened(url, headers) as answer:
            return Answer(version_of(answer), f"{shown} answered {answer.status}")
    except urllib.error.HTTPError as error:
        with error:
            same = version if error.code == 304 else None
            return Answer(same, f"{shown} answered {error.code}")
    except (OSError, http.client.HTTPException) as error:
        return Answer(None, f"{shown} does not answer: {error or type(error).__name__}")


def version_of(answer: Any) -> str:
    """Return what names the version of an answer. Raises ValueError: the body is too long to be compared."""
    for kind, header in {"etag": "ETag", "modified": "Last-Modified"}.items():
        if found := answer.headers.get(header):
            return (
                f"{kind}:{found}"
                if usable(found)
                else f"sha256:{sha256(found.encode('utf-8', 'surrogateescape')).hexdigest()}"
            )
    body = answer.read(ANSWER_BYTES_MAX + 1)
    if len(body) > ANSWER_BYTES_MAX:
        raise ValueError(
            f"the answer has no ETag and more than {ANSWER_BYTES_MAX:,} bytes, which are not compared"
        )
    return f"sha256:{sha256(body).hexdigest()}"


def usable(version: str) -> bool:
    """Return whether an event can have it, and a request ask with it. A server may send anything."""
    return len(version) <= VERSION_MAX and version.isascii() and version.isprintable()


async def answers(
    url: str, every_s: float, cursor: Any, conn_id: str | None = None
) -> AsyncIterator[Batch]:
    """Tell of each change of what an address answers."""
    known: str | None = cursor
    looks = 0
    while True:
        where, headers = await addresses.resolved(url, {}, conn_id)
        found = await asyncio.to_thread(ask, where, known, headers)
        if found.version is not None and found.version != known:
            extra = {"url": where.partition("?")[0], "version": found.version, "before": known}
            yield Batch([] if known is None else [WatcherEvent(extra)], found.version)
            known = found.version
        looks += 1
        looked(found.note, looks=looks, again_s=every_s)
        await asyncio.sleep(every_s)
