"""Reading logs: ranges of bytes, the end, lines. These functions block; call them on a thread."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from headway.api.logs import lines
from headway.api.logs.lines import LineIndexes
from headway.errors import NotFound
from headway.paths import open_below

NOTHING: Final = Path(os.devnull)
LEADS_ELSEWHERE: Final = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO)
LOG_PARTS: Final = 5  # of ``headway.paths.log_path``
CHUNK_BYTES: Final = 256 * 1024
INDEXES: Final = LineIndexes()


@dataclass(frozen=True, slots=True)
class Piece:
    offset: int
    text: bytes
    size: int  # of the whole log


@dataclass(frozen=True, slots=True)
class Range:
    first: int  # the number of the first line; that of the log's first is 1
    lines: list[str]
    total: int
    size: int


@contextmanager
def opened(path: Path) -> Iterator[tuple[int, int]]:
    """Open a log and return its descriptor and size. A log that was not written yet is empty."""
    try:
        log = open_log(path)
    except FileNotFoundError:
        log = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in LEADS_ELSEWHERE:
            raise
        raise NotFound(
            "the log file was replaced by something that is not a regular file", where=path.name
        ) from error
    try:
        yield log, os.fstat(log).st_size
    finally:
        os.close(log)


def open_log(path: Path) -> int:
    """Open a log. Below the folder of all logs, where tasks may write, no component may be a link."""
    if path == NOTHING:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    last = path.parts[-LOG_PARTS:]
    parts = last[last.index("logs") + 1 :] if "logs" in last else last[-1:]
    return open_below(path.parents[len(parts) - 1], parts)


def piece(path: Path, offset: int, limit: int) -> Piece:
    with opened(path) as (log, size):
        start = min(offset, size)
        return Piece(offset, os.pread(log, limit, start), size)


def tail(path: Path, length: int) -> Piece:
    """Return the last bytes, starting at the beginning of a line if possible."""
    with opened(path) as (log, size):
        start = max(0, size - length)
        text = os.pread(log, size - start, start)
        if start:
            cut = text.find(b"\n") + 1
            start, text = start + cut, text[cut:]
        return Piece(start, text, size)


def some_lines(path: Path, first: int, count: int) -> Range:
    """Return lines. A negative ``first`` counts from the end. Long lines may make the result shorter."""
    with opened(path) as (log, size):
        index = INDEXES.of(path, log, size)
        total = index.total(log, size)
        if first < 0:
            first = max(1, total + 1 + first)
        found: list[str] = []
        length = 0
        if first <= total:
            for line in islice(lines.lines_from(log, index.offset(log, first), size), count):
                length += len(line)
                if found and length > lines.ANSWER_BYTES_MAX:
                    break
                found.append(lines.text_of(line))
        return Range(first, found, total, size)


async def chunks(path: Path) -> AsyncIterator[bytes]:
    """Yield the whole log in pieces, even if it is removed meanwhile."""
    offset = 0
    with opened(path) as (log, _):
        while part := await asyncio.to_thread(os.pread, log, CHUNK_BYTES, offset):
            offset += len(part)
            yield part
