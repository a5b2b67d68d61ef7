"""The only module that reads a clock. Everything else is handed the time (tests/tidy checks it).

``use`` puts another source in the place of all clocks at once, that of the database included. Each function asks the
source when it is called, so it does not matter who imported it, or when.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


class Clock:
    """The clocks of this machine, and those that it is told of."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def of_database(self, read: Callable[[], datetime]) -> datetime:
        """``read`` asks the database."""
        return read()


source = Clock()


@contextmanager
def use(other: Clock) -> Iterator[None]:
    """Let ``other`` tell the time to the whole process, all threads included, until the block ends."""
    global source
    before, source = source, other
    try:
        yield
    finally:
        source = before


def now() -> datetime:
    """The wall clock of this machine, in UTC. Decisions use the database's clock instead."""
    return source.now()


def monotonic() -> float:
    """Seconds on a clock that never jumps: for leases on one machine, time-outs and pacing."""
    return source.monotonic()


def sleep(seconds: float) -> None:
    source.sleep(seconds)


def of_database(read: Callable[[], datetime]) -> datetime:
    """The database's clock, in UTC; ``store.clock`` brings the statement that reads it."""
    return source.of_database(read)
