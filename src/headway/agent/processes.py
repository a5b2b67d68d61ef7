"""Process information from the kernel. Linux only; elsewhere the functions return nothing.

A fork server is a subreaper: whatever a task starts, even a daemon in a session of its own, falls to it when its parent
ends, and the server reaps it. The task itself cannot: to wait for a process it did not start, it would have to wait for
all, and take the exit codes that the user's code waits for. Whose orphan one is says its mark, which every process
inherits from its attempt: those of an attempt that is over, and those of nobody, were left behind and are killed.
"""

import contextlib
import ctypes
import os
import re
import resource
import signal
import sys
from collections.abc import Container, Iterable, Iterator
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_CHILD_SUBREAPER: Final = 36
LINUX: Final = sys.platform == "linux"
LIBC: Final = ctypes.CDLL(None)
CHILDREN_BYTES_MAX: Final = 1 << 16
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
# The mark is a limit that binds nobody: 36,000 years of real-time scheduling, in microseconds, and a number.
MARK: Final = 1 << 60
MARKS_MAX: Final = 1 << 32
LINE_BUFFERED: Final = 1  # _IOLBF
MARK_LINE: Final = re.compile(rb"^Max realtime timeout +(\d+)", re.MULTILINE)


def adopt_orphans() -> None:
    if LINUX:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Request this signal when the parent ends; 0 cancels it."""
    if LINUX:
        LIBC.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def hide_memory() -> None:
    """Prevent other processes of this user from reading or tracing us."""
    if LINUX:
        LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def buffer_lines() -> None:
    """Make C's stdout line-buffered, because a process may end without flushing C's buffers."""
    LIBC.setvbuf(ctypes.c_void_p.in_dll(LIBC, "stdout"), None, LINE_BUFFERED, 0)


def flush_stdio() -> None:
    """Flush output of C code."""
    LIBC.fflush(None)


def wakeup_pipe() -> tuple[int, int]:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    return read_end, write_end


def take_environment(name: str) -> str | None:
    """Read a secret and wipe it, also where ``/proc/<pid>/environ`` would still show it."""
    value = os.environ.get(name)
    if value is None:
        return None
    LIBC.getenv.restype = ctypes.c_void_p
    address = LIBC.getenv(name.encode())
    if address:
        ctypes.memset(address, 0, len(os.fsencode(value)))
    del os.environ[name]
    return value


def state_of(pid: int) -> str:
    """Return the state as in ``ps``: R, S, D, T (suspended), Z …, or empty if the process does not exist."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return ""
    try:
        # After the name, which may hold anything, also parentheses.
        return os.read(fd, 512).rpartition(b") ")[2][:1].decode()
    except OSError:
        return ""
    finally:
        os.close(fd)


def children_of(pid: int) -> list[int]:
    try:
        fd = os.open(f"/proc/{pid}/task/{pid}/children", os.O_RDONLY)
    except OSError:
        return []
    try:
        return [int(word) for word in os.read(fd, CHILDREN_BYTES_MAX).split()]
    finally:
        os.close(fd)


def mark(number: int) -> None:
    """Mark all processes that we start from now on with the number of their attempt."""
    if LINUX:
        # Fails where somebody has set a lower one: then an orphan lives until the next attempt of its server ends.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_RTTIME, (MARK + number, resource.RLIM_INFINITY))


def mark_of(pid: int) -> int | None:
    """Return the mark of the attempt to which a process belongs, if it is marked."""
    try:
        with open(f"/proc/{pid}/limits", "rb", buffering=0) as file:
            found = MARK_LINE.search(file.read(4096))
    except OSError:
        return None
    number = int(found[1]) - MARK if found else -1
    return number if 0 <= number < MARKS_MAX else None


def orphans(parent: int, known: Container[int]) -> list[int]:
    """Return the children of a fork server that it did not start itself."""
    return [pid for pid in children_of(parent) if pid not in known]


def kill_strays(known: Container[int], live: Container[int] = ()) -> bool:
    """Kill every unknown child of ours, unless its mark is ``live``. Returns whether there was any."""
    strays = [pid for pid in orphans(os.getpid(), known) if not live or mark_of(pid) not in live]
    for pid in strays:
        signal_group(pid, signal.SIGKILL)
    return bool(strays)


def reap_strays(known: Container[int]) -> bool:
    """Kill every unknown child of ours, and reap those that have ended. Returns whether there was any."""
    kill_strays(known)
    strays = [pid for pid in children_of(os.getpid()) if pid not in known]
    for pid in strays:
        os.waitpid(pid, os.WNOHANG)
    return bool(strays)


def signal_group(pid: int, number: int) -> None:
    """Send a signal to ``pid`` and its process group. ``pid`` must not have been reaped yet."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def parent_of(pid: int) -> int:
    """Return the parent of a process, or 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return int(file.read(1024).rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def tree(pids: Iterable[int]) -> Iterator[int]:
    """Return processes and all their descendants, including those that threads started."""
    queue = list(pids)
    while queue:
        pid = queue.pop()
        yield pid
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                    queue += [int(word) for word in file.read(1 << 20).split()]
            except OSError:
                continue


def tree_rss_bytes(pids: Iterable[int]) -> int:
    """Return the resident memory of processes and their descendants."""
    total = 0
    for pid in tree(pids):
        try:
            with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
                total += int(file.read(200).split()[1]) * PAGE_BYTES
        except (OSError, IndexError):
            continue
    return total
