"""Takes the times off the lines of a log that is read again after each break, and leaves out what came before. Pure.

A log is asked for by the second, so what is read again begins with lines that were passed on already. They are known by
their time and text: lines of two streams need not stand in the order of their times.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

LINE_BYTES_MAX: Final = 256 * 1024  # of a line that is held until its end is there
OVERLAP: Final = timedelta(seconds=1)  # by which two streams of a container may disagree


class Lines:
    def __init__(self, since: str | None = None) -> None:
        self.since = since  # what to ask for: an instant in RFC 3339
        self.latest: datetime | None = None if since is None else datetime.fromisoformat(since)
        self.passed: dict[datetime, Counter[int]] = {}  # by second, lines that were passed on
        self.second: tuple[bytes, datetime | None] = (b"?", None)  # the last one, as it was written
        self.begin()

    def begin(self) -> None:
        """Begin anew: the log is read from ``since`` on."""
        self.rest = b""
        self.is_inside = False  # of a line whose beginning was passed on
        self.again = {second: Counter(lines) for second, lines in self.passed.items()}

    def feed(self, data: bytes) -> bytes:
        """Return what is new, without times."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        found = [text + b"\n" for line in lines if (text := self.line(line)) is not None]
        if len(self.rest) > LINE_BYTES_MAX:
            found.append(self.part())
        return b"".join(found)

    def line(self, line: bytes) -> bytes | None:
        if self.is_inside:
            self.is_inside = False
            return line
        stamp, _, text = line.partition(b" ")
        second = self.second_of(stamp)
        if second is None:
            return line
        known = self.again.get(second)
        mark = hash(line)
        if known is not None and known[mark]:
            known[mark] -= 1
            return None
        self.pass_on(second, mark)
        return text

    def part(self) -> bytes:
        """Return the beginning of a line that is too long to wait for its end."""
        rest, self.rest = self.rest, b""
        if self.is_inside:
            return rest
        self.is_inside = True
        stamp, _, text = rest.partition(b" ")
        return rest if self.second_of(stamp) is None else text

    def pass_on(self, second: datetime, mark: int) -> None:
        self.passed.setdefault(second, Counter())[mark] += 1
        if self.latest is None or second > self.latest:
            self.latest = second
            first = second - OVERLAP
            self.since = first.strftime("%Y-%m-%dT%H:%M:%SZ")
            for old in [each for each in self.passed if each < first]:
                del self.passed[old]

    def second_of(self, stamp: bytes) -> datetime | None:
        """Return the second of a time such as 2026-12-01T08:15:30.123456789Z; None if it is none."""
        zone = b"Z" if stamp.endswith(b"Z") else stamp[-6:]
        written = stamp[:19] + zone
        if written == self.second[0]:
            return self.second[1]
        try:
            found = datetime.fromisoformat(stamp.decode("ascii"))
        except ValueError:
            return None
        if found.utcoffset() is None:
            return None
        second = found.astimezone(UTC).replace(microsecond=0)
        self.second = (written, second)
        return second
