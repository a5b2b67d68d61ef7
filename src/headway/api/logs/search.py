"""Searching logs for a limited time. A client continues from where the last search stopped."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from headway import clock
from headway.api.logs.files import INDEXES, opened
from headway.api.logs.lines import BLOCK_BYTES, lines_from, text_of

BUDGET_S: Final = 1.0
MATCHES_BYTES_MAX: Final = 1024 * 1024
LINES_A_LOOK: Final = 256  # between two looks at the clock
START_S: Final = 3.0  # for the process of an expression to start, and a little more
CPU_S: Final = 3
MEMORY_BYTES: Final = 512 * 1024 * 1024


class Query(msgspec.Struct, frozen=True):
    text: str
    regex: bool
    ignore_case: bool
    limit: int


class Place(msgspec.Struct, frozen=True):
    """A log from line ``first`` (counted from 1) on."""

    path: str
    first: int = 1


class Match(msgspec.Struct, frozen=True):
    log: int  # which of those given
    line: int
    text: str
    start: int  # in characters
    end: int


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The regular expression is invalid."""

    why: str


class Found(msgspec.Struct, frozen=True, tag=True):
    """``stopped`` is the log and line to continue from, or None if everything was searched."""

    matches: list[Match]
    stopped: tuple[int, int] | None


ANSWERS: Final[msgspec.msgpack.Decoder[Found | Refused]] = msgspec.msgpack.Decoder(Found | Refused)


def pattern_of(query: Query) -> re.Pattern[str]:
    """Compile the pattern. Raises re.error."""
    text = query.text if query.regex else re.escape(query.text)
    return re.compile(text, re.IGNORECASE if query.ignore_case else 0)


def needle_of(query: Query) -> re.Pattern[bytes] | None:
    """Return bytes that every matching block contains, or None if unknown."""
    if query.regex or (query.ignore_case and not query.text.isascii()):
        return None
    flags = re.IGNORECASE if query.ignore_case else 0
    return re.compile(re.escape(query.text.encode(errors="replace")), flags)


class Search:
    """One search through some logs, until all are searched or time or space runs out."""

    def __init__(self, query: Query, deadline: float) -> None:
        self.pattern = pattern_of(query)
        self.needle = needle_of(query)
        self.overlap = len(query.text.encode(errors="replace"))
        self.deadline = deadline
        self.matches_left = query.limit
        self.bytes_left = MATCHES_BYTES_MAX
        self.found: list[Match] = []

    def over(self) -> bool:
        return clock.monotonic() > self.deadline

    def all(self, places: Sequence[Place]) -> Found:
        for log, place in enumerate(places):
            if log and self.over():
                return Found(self.found, (log, place.first))
            stopped = self.one(log, place)
            if stopped is not None:
                return Found(self.found, (log, stopped))
        return Found(self.found, None)

    def one(self, log: int, place: Place) -> int | None:
        """Search one log. Returns the line to continue from."""
        path, done = Path(place.path), place.first - 1
        with opened(path) as (descriptor, size):
            offset = 0
            if place.first > 1:
                offset = INDEXES.of(path, descriptor, size).offset(descriptor, place.first)
            for first, last, start in self.blocks(descriptor, place.first, offset, size):
                if self.over() and first > place.first:
                    return first
                if last <= done:
                    continue
                lines = zip(
                    range(first, last + 1), lines_from(descriptor, start, size), strict=False
                )
                for line, raw in lines:
                    if line <= done:
                        continue
                    if line % LINES_A_LOOK == 0 and line > place.first and self.over():
                        return line
                    if not self.look(log, line, raw):
                        return line
                done = last
        return None

    def look(self, log: int, line: int, raw: bytes) -> bool:
        """Add a match. Returns False if the result is full."""
        text = text_of(raw)
        match = self.pattern.search(text)
        if match is None:
            return True
        if self.matches_left <= 0 or self.bytes_left <= 0:
            return False
        self.found.append(Match(log, line, text, *match.span()))
        self.matches_left -= 1
        self.bytes_left -= len(raw)
        return True

    def blocks(self, log: int, line: int, offset: int, size: int) -> Iterator[tuple[int, int, int]]:
        """Yield ranges that may contain a match: first and last line number, and the offset of the first."""
        start = offset
        while offset < size:
            data = os.pread(log, min(BLOCK_BYTES + self.overlap, size - offset), offset)
            block = data[:BLOCK_BYTES]
            ends = block.count(b"\n")
            if self.needle is None or self.needle.search(data):
                yield line, line + ends, start
            elif self.over():
                yield line, line, start
            line += ends
            offset += len(block)
            if ends:
                start = offset - len(block) + block.rfind(b"\n") + 1
            if not block:
                return


def in_thread(query: Query, places: Sequence[Place]) -> Found:
    return Search(query, clock.monotonic() + BUDGET_S).all(places)


def in_process(query: Query, places: Sequence[Place]) -> Found | Refused | None:
    """Search in a separate process, because a regular expression may take forever to compile or
    match and only a process can be stopped.

    Returns None if it took too long.
    """
    question = msgspec.msgpack.encode((query, places))
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "headway.api.logs.search"],
            input=question,
            capture_output=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            timeout=BUDGET_S + START_S,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return ANSWERS.decode(answer.stdout)


def main() -> None:
    """Read the search from stdin and write the result to stdout."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    question = sys.stdin.buffer.read()
    query, places = msgspec.msgpack.decode(question, type=tuple[Query, list[Place]])
    answer: Found | Refused
    try:
        answer = in_thread(query, places)
    except (re.error, RecursionError, OverflowError) as error:
        answer = Refused(str(error))
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()
