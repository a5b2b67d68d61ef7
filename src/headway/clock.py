"""The only module that reads a clock. Everything else is handed the time (tests/tidy checks it)."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The wall clock of this machine, in UTC. Decisions use the database's clock instead."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never jumps: for leases on one machine, time-outs and pacing."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    time.sleep(seconds)
