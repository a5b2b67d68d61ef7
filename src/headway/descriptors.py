"""The number of files and connections that a process may have open.

The soft limit is 1,024 as a rule, for the sake of programs that use ``select()``. Ours do not, and
take what the hard one allows; whatever runs a user's code goes back to the one we were started with.
"""

import errno
import os
import resource
from typing import Final

VARIABLE: Final = "HEADWAY_OPEN_FILES"  # what we were started with
MOST: Final = (
    65_536  # more is never needed, and some programs try to close all that they could have
)
RESERVE: Final = (
    256  # of the API's process: for the database, logs, and what is to be started again
)
# The system has no more of something now: descriptors, processes, memory. It may have in a moment.
SHORTAGE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN})


def raise_limit() -> None:
    """Once at the start of a process. Its children inherit it, and the variable."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.environ.setdefault(VARIABLE, str(soft))
    most = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def original() -> dict[str, str]:
    """Return the environment variables that ``restore_limit`` needs."""
    return {name: value for name, value in os.environ.items() if name == VARIABLE}


def restore_limit() -> None:
    """Restore the limit in a process that is about to run a user's code, and remove the variable."""
    given = os.environ.pop(VARIABLE, None)
    if given is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(given), hard))


def connections_max(most: int) -> int:
    """Return how many connections a server in this process may hold, so that a reserve of descriptors is left."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    return min(most, max(soft - RESERVE, soft // 2))
