"""Finds runs that make ticks fail. After the third failure a run is set aside, and tried again after a
pause that doubles each time.

A run whose planning fails is known at once. When the database refuses what a tick wrote, nobody
knows whose row it was: then the runs of that tick are tried again, each alone in its transaction,
so that the one at fault is found and the others go on. Kept in memory only: a scheduler that
starts anew counts anew.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import errors

from headway.core.reasons import SetAside
from headway.errors import HeadwayError, explained

FAILURES_MAX: Final = 3
PAUSE_S: Final = 30.0
PAUSE_MAX_S: Final = 3600.0
DOUBLINGS_MAX: Final = 10  # beyond it the pause is the longest anyway

# They say something about the moment, not about a run.
PASSING: Final = (
    errors.OperationalError,  # a lost connection, a full disk, a deadlock, a time-out
    errors.InternalError,
    HeadwayError,  # the same, explained
)
# But these, which psycopg counts among them, say that a row is too large or nested too deep: it stays so.
LASTING: Final = (errors.ProgramLimitExceeded, errors.StatementTooComplex)

RunKey = tuple[int, str]


class Failing:
    def __init__(self) -> None:
        self.counted: dict[RunKey, int] = {}
        self.suspects: list[RunKey] = []  # each is to be ticked alone
        self.to_set_aside: dict[RunKey, str] = {}  # to be set aside by the next tick, and why
        self.planned: Sequence[RunKey] = ()  # what the transaction now going on is about

    @property
    def alone(self) -> RunKey | None:
        return self.suspects[0] if self.suspects else None

    def count(self, key: RunKey) -> bool:
        """Count a failure. Returns True when the run must be set aside."""
        self.counted[key] = self.counted.get(key, 0) + 1
        if self.counted[key] < FAILURES_MAX:
            return False
        del self.counted[key]
        return True

    def failed(self, error: Exception) -> None:
        """Handle a failed transaction."""
        if isinstance(error, PASSING) and not isinstance(error, LASTING):
            return
        others = [key for key in self.suspects if key not in self.planned]
        self.suspects = [*others, *self.planned]
        if len(self.planned) == 1 and self.count(self.planned[0]):
            self.to_set_aside[self.planned[0]] = explained(error)
            self.suspects = others

    def passed(self, keys: Collection[RunKey]) -> None:
        """Handle a committed transaction, which may have been without the suspect."""
        self.suspects = self.suspects[1:]
        self.to_set_aside.clear()
        for key in keys:
            self.counted.pop(key, None)


def verdict(error: str, until: datetime) -> SetAside:
    """Why the run stands still."""
    return SetAside(error, until.astimezone(UTC).isoformat(), FAILURES_MAX)


def pause(times: int) -> timedelta:
    """Return the pause before a run is tried again, by how often it was set aside before."""
    return timedelta(seconds=min(PAUSE_S * 2 ** min(times, DOUBLINGS_MAX), PAUSE_MAX_S))
