"""Lines of a log by number, for logs of any size.

A sparse index holds how many lines end before each block: 8 bytes for 256 kB. It grows with its
file and is rebuilt if the file was replaced. Finding a line then takes reading one block.
"""

import os
import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

BLOCK_BYTES: Final = 256 * 1024
LINE_BYTES_MAX: Final = 16 * 1024 + 64  # what an agent writes, its stamp included
ANSWER_BYTES_MAX: Final = 2 * 1024 * 1024
INDEXES_MAX: Final = 256


class LineIndex:
    def __init__(self) -> None:
        self.ended = array("Q", [0])  # lines that end before block n

    @property
    def counted(self) -> int:
        """Bytes."""
        return (len(self.ended) - 1) * BLOCK_BYTES

    def grow(self, log: int, size: int) -> None:
        while self.counted + BLOCK_BYTES <= size:
            block = os.pread(log, BLOCK_BYTES, self.counted)
            self.ended.append(self.ended[-1] + block.count(b"\n"))

    def total(self, log: int, size: int) -> int:
        """Return the number of lines, including an unfinished last line."""
        blocks = min(len(self.ended) - 1, size // BLOCK_BYTES)  # it may have grown meanwhile
        rest = os.pread(log, size - blocks * BLOCK_BYTES, blocks * BLOCK_BYTES)
        last = rest or os.pread(log, 1, max(0, size - 1))
        return self.ended[blocks] + rest.count(b"\n") + (not last.endswith(b"\n") if last else 0)

    def offset(self, log: int, line: int) -> int:
        """Return the offset of a line. The first line is 1; a line after the last is at the end."""
        before = line - 1  # so many lines end before it
        if before == 0:
            return 0
        block = bisect_left(self.ended, before) - 1
        data = os.pread(log, BLOCK_BYTES, block * BLOCK_BYTES)
        parts = data.split(b"\n", before - self.ended[block])
        if len(parts) <= before - self.ended[block]:
            return block * BLOCK_BYTES + len(data)
        return block * BLOCK_BYTES + len(data) - len(parts[-1])


class LineIndexes:
    """A cache of indexes of recently read logs. Safe to call from any thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[Path, tuple[int, LineIndex]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: Path, log: int, size: int) -> LineIndex:
        inode = os.fstat(log).st_ino
        with self._lock:
            known, index = self._known.pop(path, (inode, LineIndex()))
            if known != inode or index.counted > size:
                index = LineIndex()
            index.grow(log, size)
            self._known[path] = (inode, index)
            while len(self._known) > INDEXES_MAX:
                self._known.popitem(last=False)
            return index


def lines_from(log: int, offset: int, size: int) -> Iterator[bytes]:
    """Yield lines without line ends. Long lines are cut, with a note of how much is missing."""
    head, left_out = b"", 0
    while offset < size and (data := os.pread(log, min(BLOCK_BYTES, size - offset), offset)):
        offset += len(data)
        first, *more = data.split(b"\n")
        head, left_out = shortened(head + first, left_out)
        for part in more:
            yield marked(head, left_out)
            head, left_out = shortened(part, 0)
    if head:
        yield marked(head, left_out)


def shortened(line: bytes, left_out: int) -> tuple[bytes, int]:
    if len(line) <= LINE_BYTES_MAX:
        return line, left_out
    return line[:LINE_BYTES_MAX], left_out + len(line) - LINE_BYTES_MAX


def marked(line: bytes, left_out: int) -> bytes:
    return line + f" … {left_out:,} more bytes".encode() if left_out else line


def text_of(line: bytes) -> str:
    return line.decode(errors="replace")
