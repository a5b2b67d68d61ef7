"""What the kernel knows of our processes: Linux; elsewhere these degrade to nothing.

Each child is a subreaper: whatever it starts, even a daemon in a session of its own, stays below it while it lives and
falls to its fork server when it ends. So an unknown child of a fork server is always left behind, and is killed.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Container
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_CHILD_SUBREAPER: Final = 36
LINUX: Final = sys.platform == "linux"
LIBC: Final = ctypes.CDLL(None)
CHILDREN_BYTES_MAX: Final = 1 << 16
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def adopt_orphans() -> None:
    if LINUX:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Get this signal when the parent ends; 0: no longer."""
    if LINUX:
        LIBC.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def hide_memory() -> None:
    """No other process of this user may read or trace us."""
    if LINUX:
        LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


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


def children_of(pid: int) -> list[int]:
    try:
        fd = os.open(f"/proc/{pid}/task/{pid}/children", os.O_RDONLY)
    except OSError:
        return []
    try:
        return [int(word) for word in os.read(fd, CHILDREN_BYTES_MAX).split()]
    finally:
        os.close(fd)


def kill_strays(known: Container[int]) -> bool:
    """Kill every child of ours that we do not know: its attempt is over. Whether there was any."""
    strays = [pid for pid in children_of(os.getpid()) if pid not in known]
    for pid in strays:
        signal_group(pid, signal.SIGKILL)
    return bool(strays)


def signal_group(pid: int, number: int) -> None:
    """To the process group ``pid`` leads and to ``pid``, which must not have been reaped yet."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def tree_rss_bytes(pid: int) -> int:
    """Resident memory of a process and all below it."""
    total, queue = 0, [pid]
    while queue:
        pid = queue.pop()
        try:
            with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
                total += int(file.read(200).split()[1]) * PAGE_BYTES
            threads = os.listdir(f"/proc/{pid}/task")
        except (OSError, IndexError):
            continue
        for thread in threads:
            try:
                with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                    queue += [int(word) for word in file.read(1 << 20).split()]
            except OSError:
                continue
    return total
