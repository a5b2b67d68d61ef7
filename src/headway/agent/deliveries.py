"""Logs and results of attempts, on their way from an agent that shares no file system with the server.

A log travels while it is written, and its rest before the end of its attempt is reported; so does a large result. So
who reads that an attempt has ended can read all of it, and nothing is lost with the machine but the last half second of
an attempt that was lost with it. An attempt that prints nothing costs no request.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from headway import clock
from headway.agent.errands import Errands
from headway.agent.loop import Loop
from headway.agent.protocol import PIECE_BYTES, AttemptKey, Piece, Put, XComValue
from headway.paths import log_path, rendered_of

LOOK_S: Final = 0.5  # between two looks at logs that are being written

Done = Callable[[str], None]  # told why a result was not stored, or nothing


class LogDelivery:
    """The log of an attempt. ``base``: its length where earlier processes of the attempt wrote, once that is known."""

    def __init__(self, key: AttemptKey, data: Path) -> None:
        self.key = key
        log = log_path(key.run_id, key.task_id, key.map_index, key.number)
        self.path = data / log
        self.rendered = data / rendered_of(log)[0]
        self.base: int | None = 0 if key.deferrals == 0 else None
        self.sent = 0
        self.is_sending = False
        self.finished: Callable[[], None] | None = None  # told when all has arrived
        self.is_over = False


class Deliveries:
    def __init__(self, data: Path, loop: Loop, errands: Errands) -> None:
        self.data = data
        self.loop = loop
        self.errands = errands
        self.logs: dict[AttemptKey, LogDelivery] = {}
        self.rendered: dict[Path, int] = {}  # how much of it has been sent
        self.looking = False

    # -- logs

    def follow(self, key: AttemptKey) -> None:
        """Send the log of an attempt from now on."""
        self.delivery_of(key)
        if not self.looking:
            self.looking = True
            self.look_later()

    def delivery_of(self, key: AttemptKey) -> LogDelivery:
        return self.logs.setdefault(key, LogDelivery(key, self.data))

    def look_later(self) -> None:
        self.loop.at(clock.monotonic() + LOOK_S, self.look)

    def look(self) -> None:
        for log in list(self.logs.values()):
            self.send(log)
            self.send_rendered(log)
        self.looking = bool(self.logs)
        if self.looking:
            self.look_later()

    def send(self, log: LogDelivery) -> None:
        """Send what is new, one piece at a time; with the last one, say that nothing follows."""
        if log.is_sending or log.is_over:
            return
        data = read(log.path, log.sent)
        more = len(data) == PIECE_BYTES
        last = log.finished is not None and not more
        if last and log.sent + len(data) == 0 and log.base == 0:
            self.over(log)
        elif log.base is None and (data or last):
            self.put(log, Put(0, log.key, "log", b""), 0, last=False)
        elif log.base is not None and (data or last):
            put = Put(0, log.key, "log", data, log.base + log.sent, last=last)
            self.put(log, put, len(data), last=last)

    def put(self, log: LogDelivery, put: Put, length: int, *, last: bool) -> None:
        def arrived(piece: Piece) -> None:
            log.is_sending = False
            if piece.refused:
                sys.stderr.write(f"the log of {log.key.task_id} is not stored: {piece.refused}\n")
            log.base = piece.size if log.base is None else log.base
            log.sent += length
            if last or piece.refused:
                self.over(log)
            elif length == PIECE_BYTES or log.finished is not None:
                self.send(log)

        log.is_sending = True
        self.errands.run(put, arrived)

    def over(self, log: LogDelivery) -> None:
        log.is_over = True
        if log.finished is not None:
            del self.logs[log.key]
            log.path.unlink(missing_ok=True)
            if all(each.rendered != log.rendered for each in self.logs.values()):
                self.rendered.pop(log.rendered, None)
                log.rendered.unlink(missing_ok=True)
            log.finished()

    def send_rendered(self, log: LogDelivery) -> None:
        """Send whole lines of what the attempts of the run got. Nobody waits for that."""
        sent = self.rendered.get(log.rendered, 0)
        data = read(log.rendered, sent)
        data = data[: data.rfind(b"\n") + 1]
        if data:
            self.rendered[log.rendered] = sent + len(data)
            self.errands.run(Put(0, log.key, "rendered", data), lambda _: None)

    # -- the end

    def finish(self, key: AttemptKey, xcoms: Sequence[XComValue], done: Done) -> None:
        """Send the rest of an attempt's log, then its results."""
        files = [one for one in xcoms if one.file is not None]
        log = self.delivery_of(key)
        self.send_rendered(log)
        log.finished = lambda: self.send_results(key, files, done)
        if log.is_over:
            self.over(log)
        else:
            self.send(log)

    def send_results(self, key: AttemptKey, files: Sequence[XComValue], done: Done) -> None:
        if not files:
            done("")
            return
        first, rest = files[0], files[1:]

        def stored(why: str) -> None:
            if why:
                done(why)
            else:
                self.send_results(key, rest, done)

        self.send_result(key, first, 0, stored)

    def send_result(self, key: AttemptKey, one: XComValue, offset: int, done: Done) -> None:
        assert one.file is not None
        data = read(self.data / one.file, offset)
        end = offset + len(data)
        last = len(data) < PIECE_BYTES

        def arrived(piece: Piece) -> None:
            if piece.refused or last:
                done(piece.refused)
            else:
                self.send_result(key, one, end, done)

        put = Put(0, key, "result", data, offset, one.key, last)
        self.errands.run(put, arrived)


def read(path: Path, offset: int) -> bytes:
    """A piece of a file from ``offset`` on; nothing of a file that is not there."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(file, PIECE_BYTES, offset)
    finally:
        os.close(file)
