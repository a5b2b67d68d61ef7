"""Everything that may go wrong in the world, as one tree. Our own mistakes are assertions instead.

HeadwayError             exit 1, HTTP 500
├── UsageError           exit 2, HTTP 400   what was asked for makes no sense
│   ├── NotFound         exit 2, HTTP 404   … names something that does not exist
│   │   └── LogRemoved   exit 2, HTTP 404   … or a log that is kept no longer
│   └── Conflict         exit 2, HTTP 409   … is at odds with what exists already
├── NotAllowed           exit 3, HTTP 403
│   └── NotAuthenticated exit 3, HTTP 401   nobody knows who asks
├── NotReachable         exit 4, HTTP 503   a server or database does not answer or cannot serve
│   ├── AmbiguousCommit  exit 4, HTTP 503   the answer to a COMMIT was lost: read again
│   ├── StorageFull      exit 4, HTTP 507   no room left for the data
│   └── RateLimited      exit 4, HTTP 429   too much at once: again in a while
└── RunFailed            exit 1, HTTP 500   the run ended, not in success
"""

from collections.abc import Mapping
from typing import ClassVar, Final


class HeadwayError(Exception):
    """One clear sentence for a person; ``hint`` is the next step, ``where`` a file:line or path."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"

    @property
    def http_status(self) -> int:
        return next(HTTP_STATUS[kind] for kind in type(self).__mro__ if kind in HTTP_STATUS)


class UsageError(HeadwayError):
    exit_code = 2


class NotFound(UsageError):
    pass


class LogRemoved(NotFound):
    pass


class Conflict(UsageError):
    pass


class NotAllowed(HeadwayError):
    exit_code = 3


class NotAuthenticated(NotAllowed):
    pass


class NotReachable(HeadwayError):
    exit_code = 4
    retry_after_s: int = 1


class AmbiguousCommit(NotReachable):
    """The change may have been made or not: only reading it again can tell."""


class StorageFull(NotReachable):
    pass


class RateLimited(NotReachable):
    pass


class RunFailed(HeadwayError):
    exit_code = 1


HTTP_STATUS: Final[Mapping[type, int]] = {
    HeadwayError: 500,
    UsageError: 400,
    NotFound: 404,
    LogRemoved: 404,
    Conflict: 409,
    NotAllowed: 403,
    NotAuthenticated: 401,
    NotReachable: 503,
    AmbiguousCommit: 503,
    StorageFull: 507,
    RateLimited: 429,
    RunFailed: 500,
}

# The process can do no more, and no run is at fault: it makes way for a new one.
EXHAUSTED: Final = (MemoryError, OSError)


def explained(error: Exception) -> str:
    """The kind of an error and the first line of what it says."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"
