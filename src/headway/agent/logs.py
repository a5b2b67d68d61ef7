"""The log of an attempt: one file, written by the agent, made at the first output.

Each line is ``2026-11-20T16:44:06.123Z text`` in UTF-8: invalid bytes replaced, NUL shown as ␀, ANSI sequences kept,
lines longer than 16 kB split. Bounded: the first 10 MB as they come, of the rest the last 2 MB, with a line between
that says how much was left out. Secrets are masked before anything is written. What a full disk does not take is left
out too, and the end of the file says so: an attempt never fails because of its log. The logs of a team may be limited
by the minute (``agent.budget``): output beyond that is left out until the minute is over, and the log says so.

Where logs are shipped (``headway.logs``) it gets a second name in the spool. It is locked while it is written, and
made read-only when it has been closed in order; so who ships it sees whether more comes, and whether its agent died.
"""

import codecs
import contextlib
import fcntl
import os
import re
from collections import deque
from datetime import datetime
from typing import Final

from headway import clock
from headway.agent.budget import LogBudget
from headway.agent.masking import Masker

HEAD_BYTES_MAX: Final = 10 * 1024 * 1024
TAIL_BYTES_MAX: Final = 2 * 1024 * 1024
LINE_BYTES_MAX: Final = 16 * 1024
STAMP_BYTES: Final = len("2026-11-20T16:44:06.123Z ")
# Of one process, in the file: the head, one more read of newlines alone, each with a time, and the tail, whose bytes
# may each become a character of three. A server takes no more from agents elsewhere.
FILE_BYTES_MAX: Final = 20 * 1024 * 1024
FINISHED: Final = 0o440  # the mode of a log to which nothing will be added
DECODER: Final = codecs.getincrementaldecoder("utf-8")
TOO_LONG: Final = re.compile(rb"([^\n]{%d})(?=[^\n])" % LINE_BYTES_MAX)


def stamp_of(now: datetime) -> bytes:
    return now.strftime("%Y-%m-%dT%H:%M:%S.").encode() + b"%03dZ " % (now.microsecond // 1000)


def stamped_bytes(data: bytes) -> int:
    """Return the size of output with the times of its lines."""
    return len(data) + STAMP_BYTES * data.count(b"\n")


class AttemptLog:
    def __init__(
        self, path: str, masker: Masker, spooled: str = "", budget: LogBudget | None = None
    ) -> None:
        self.budget = budget or LogBudget()
        self.path = path
        self.spooled = spooled  # its second name, where there is a log store
        self.masker = masker
        self.fd = -1
        self.written = 0
        self.pending = b""  # may be the beginning of a secret
        self.line_bytes = 0  # of the line that is not finished
        self.decoder = DECODER("replace")
        self.tail: deque[tuple[bytes, bytes]] = deque()
        self.tail_bytes = 0
        self.left_out = 0
        self.gap = 0  # bytes left out since the budget was spent, until output goes on
        self.skip = (
            0  # bytes to leave out yet, before output goes on; below 0: the rest of the line first
        )
        self.refused_bytes = 0  # by the file system
        self.refusal = ""

    def write(self, data: bytes) -> None:
        stamp = stamp_of(clock.now())
        if self.written >= HEAD_BYTES_MAX:
            self.keep(stamp, data)
        elif self.budget.take(len(data)):
            self.take(stamp, data)
        else:
            self.leave_out(stamp, data)

    def take(self, stamp: bytes, data: bytes) -> None:
        masked, self.pending = self.masker.split(self.pending + data)
        self.append(stamp, self.after_gap(stamp, masked) if self.gap else masked)

    def note(self, text: str) -> None:
        """Write a line by Headway itself, which no budget leaves out."""
        stamp = stamp_of(clock.now())
        line = (b"\n" if self.line_bytes else b"") + f"headway: {text}\n".encode()
        if self.gap:
            self.append(stamp, self.masker.mask(line))
        elif self.written >= HEAD_BYTES_MAX:
            self.keep(stamp, line)
        else:
            self.take(stamp, line)

    def close(self) -> None:
        if self.written == 0 and not self.pending and not self.tail:
            return
        stamp = stamp_of(clock.now())
        if self.tail:
            self.write_tail(stamp)
        rest = self.masker.mask(self.pending)
        self.append(stamp, self.after_gap(stamp, rest) if self.gap else rest)
        self.append(stamp, self.decoder.decode(b"", True).encode())
        if self.gap:
            self.end_gap(stamp)
        self.end_line()
        if self.fd >= 0:
            if self.refused_bytes:
                self.write_refusal(stamp)
            if self.spooled:
                with contextlib.suppress(OSError):
                    os.fchmod(self.fd, FINISHED)
            os.close(self.fd)
            self.fd = -1

    def keep(self, stamp: bytes, data: bytes) -> None:
        """Keep only the last output unprocessed, so that discarded output costs nothing."""
        self.tail.append((stamp, data))
        self.tail_bytes += stamped_bytes(data)
        while self.tail_bytes - (first := stamped_bytes(self.tail[0][1])) > TAIL_BYTES_MAX:
            self.tail_bytes -= first
            self.left_out += len(self.tail.popleft()[1])

    def leave_out(self, stamp: bytes, data: bytes) -> None:
        """Drop output, and what was held back: nothing of a secret may stay that is cut off."""
        if not self.gap:
            self.decoder.reset()
            self.end_line()
            self.append(
                stamp,
                f"headway: the logs of this team reached {self.budget.limit:,} bytes in a minute, the limit of this "
                "agent (log_bytes_per_minute): output is left out until the minute is over\n".encode(),
            )
        self.gap += len(self.pending) + len(data)
        self.pending, self.skip = b"", -1

    def after_gap(self, stamp: bytes, masked: bytes) -> bytes:
        """Return what is written of the first output after a gap. A secret may begin in what is gone: the rest of the
        line goes with it, and as much as the longest secret has.
        """
        before = len(masked)
        if self.skip < 0:
            _, found, masked = masked.partition(b"\n")
            self.skip = self.masker.longest if found else -1
        cut = masked[max(self.skip, 0) :]
        if self.skip > 0:
            self.skip -= len(masked) - len(cut)
        self.gap += before - len(cut)
        if cut:
            self.end_gap(stamp)
        return cut

    def end_gap(self, stamp: bytes) -> None:
        self.end_line()
        self.append(stamp, b"headway: %d bytes were left out here\n" % self.gap)
        self.gap = 0

    def write_tail(self, stamp: bytes) -> None:
        self.budget.spend(sum(len(data) for _, data in self.tail))
        self.left_out, self.gap = self.left_out + self.gap, 0
        if self.left_out:
            # A secret may begin in what is gone: the first line of the rest goes with it.
            cut = self.masker.mask(b"".join(data for _, data in self.tail))
            _, _, rest = cut.partition(b"\n")
            rest = rest[self.masker.longest :]
            self.left_out += len(cut) - len(rest)
            self.end_line()
            self.append(stamp, b"headway: %d bytes were left out here\n" % self.left_out)
            self.append(stamp, rest)
        else:
            for at, data in self.tail:
                masked, self.pending = self.masker.split(self.pending + data)
                self.append(at, masked)
        self.tail.clear()

    def end_line(self) -> None:
        if self.line_bytes:
            self.put(b"\n")
            self.line_bytes = 0

    def write_refusal(self, stamp: bytes) -> None:
        """Write the note, over the last lines if there is no space after them."""
        note = (
            stamp
            + f"headway: {self.refused_bytes} bytes were not written: {self.refusal}\n".encode()
        )
        with contextlib.suppress(OSError):
            size = os.fstat(self.fd).st_size
            for end in (size, max(0, size - 2 * len(note))):
                os.ftruncate(self.fd, end)
                with contextlib.suppress(OSError):
                    if os.write(self.fd, b"\n" + note) > len(note):
                        return

    def append(self, stamp: bytes, data: bytes) -> None:
        data = self.clean(data)
        if not data:
            return
        if self.line_bytes + len(data) > LINE_BYTES_MAX:
            data = self.split_lines(data)
        text = data if self.line_bytes else stamp + data
        end = text.endswith(b"\n")
        body = text[:-1] if end else text
        body = body.replace(b"\n", b"\n" + stamp) + (b"\n" if end else b"")
        last = data.rfind(b"\n")
        self.line_bytes = self.line_bytes + len(data) if last < 0 else len(data) - last - 1
        self.written += len(body)
        self.put(body)

    def put(self, body: bytes) -> None:
        try:
            if self.fd < 0:
                self.open()
            while body:
                body = body[os.write(self.fd, body) :]
        except OSError as error:
            self.refused_bytes += len(body)
            self.refusal = error.strerror or type(error).__name__

    def clean(self, data: bytes) -> bytes:
        buffered, _ = self.decoder.getstate()
        if buffered or not data.isascii():
            data = self.decoder.decode(data).encode()
        return data.replace(b"\0", "␀".encode()) if b"\0" in data else data

    def split_lines(self, data: bytes) -> bytes:
        if self.line_bytes:
            room = max(LINE_BYTES_MAX - self.line_bytes, 0)
            first = data.find(b"\n")
            if (first if first >= 0 else len(data)) > room:
                data = data[:room] + b"\n" + data[room:]
        return TOO_LONG.sub(rb"\1\n", data)

    def open(self) -> None:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self.fd = os.open(self.path, flags, 0o640)
        except (
            PermissionError
        ):  # of an attempt that goes on: it was closed in order, and is shipped again
            closed = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fchmod(closed, 0o640)
            finally:
                os.close(closed)
            self.fd = os.open(self.path, flags, 0o640)
        if self.spooled:
            try:
                self.spool()
            except FileExistsError:
                os.fchmod(self.fd, 0o640)  # not shipped yet: more comes
            except OSError:
                self.spooled = ""  # then it stays on this machine, and stays writable to say so

    def spool(self) -> None:
        """Link the log into the spool, locked first, because a file there without a lock counts as finished."""
        fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            os.link(self.path, self.spooled)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.spooled), 0o700, exist_ok=True)
            os.link(self.path, self.spooled)
