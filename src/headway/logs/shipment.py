"""One log on its way to the store: in parts while it is written, then whole.

The last part grows, until it is large enough and another begins: so a log is few objects however slowly it is
written. Every step may be done again after a crash at any point.
"""

import os
from pathlib import Path
from typing import Final

from headway.logs import spool
from headway.logs.remote import Remote
from headway.logs.spool import Spool, State
from headway.paths import stored_of

PART_BYTES: Final = 64 * 1024  # a part of that size does not grow any more
SEND_BYTES_MAX: Final = 4 * 1024 * 1024  # at once


class Shipment:
    def __init__(self, of: Spool, spooled: str, parts: list[int] | None) -> None:
        """``parts``: those in the store; None: it has to be asked."""
        self.of = of
        self.spooled = spooled
        self.name = stored_of(spooled)
        self.parts = parts
        self.part = 0  # where the last one begins
        self.sent = 0
        self.state: State = "live"
        self.size = 0
        self.failures = 0
        self.again_at = 0.0

    @property
    def missing(self) -> int:
        """Bytes that the store does not have: of what has ended, whole."""
        return max(0, self.size - self.sent) if self.state == "live" else self.size

    @property
    def waits(self) -> bool:
        return self.state != "live" or self.size > self.sent

    def look(self) -> None:
        if self.state == "live":
            self.state, self.size = spool.look(self.of, self.spooled)
        if self.state == "left":
            self.state, self.size = spool.finish(self.of, self.spooled)

    def ship(self, remote: Remote) -> bool:
        """Ship the log. Returns whether it is complete in the store. Raises NotReachable."""
        if self.parts is None:
            self.ask(remote)
        if self.state == "live":
            self.send_parts(remote)
            return False
        log = self.of.open(self.spooled)
        try:
            remote.put_whole(self.name, Path(f"/dev/fd/{log}"))
        finally:
            os.close(log)
        remote.remove_parts(self.name, self.parts or [])
        self.of.unlink(self.spooled)
        return True

    def ask(self, remote: Remote) -> None:
        """Ask the store what a previous shipper already stored."""
        found = remote.parts(self.name)
        self.parts = [part.offset for part in found]
        for part in found:
            if part.offset != self.sent:
                break
            self.part, self.sent = part.offset, part.offset + part.size

    def send_parts(self, remote: Remote) -> None:
        assert self.parts is not None
        log = self.of.open(self.spooled)
        try:
            while self.sent < self.size:
                if self.sent - self.part >= PART_BYTES:
                    self.part = self.sent
                data = os.pread(log, SEND_BYTES_MAX, self.part)
                if self.part + len(data) <= self.sent:
                    return  # it was cut off: the whole will be right
                if self.part not in self.parts[-1:]:
                    self.parts.append(self.part)
                remote.put_part(self.name, self.part, data)
                self.sent = self.part + len(data)
        finally:
            os.close(log)
