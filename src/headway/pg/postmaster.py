"""The server process as its lock file, ``postmaster.pid``, tells of it."""

import os
import signal
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway import clock

PAUSE_S: Final = 0.005
# Fast: open transactions are rolled back. Immediate: as after a crash, the next start recovers.
STOP_FAST_S: Final = 10.0
STOP_IMMEDIATE_S: Final = 5.0
MACOS_LOCAL_PEERPID: Final = 2


@dataclass(frozen=True, slots=True)
class Postmaster:
    pid: int
    state: str  # "starting", "ready", "stopping" or "" in the first moments


def read(cluster: Path) -> Postmaster | None:
    """Read the lock file, which may be left over from a crash."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        return Postmaster(int(lines[0]), lines[7].strip() if len(lines) > 7 else "")
    except (FileNotFoundError, ValueError, IndexError):
        return None


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not is_zombie(pid)


def is_zombie(pid: int) -> bool:
    """A server that was killed and whose parent, perhaps a container's idle init, never looks."""
    return state(pid) == "Z"


def is_suspended(pid: int) -> bool:
    """True if the process is stopped, by SIGSTOP or by a debugger: it lives, and answers nobody."""
    return state(pid) in ("T", "t")


def state(pid: int) -> str:
    """The letter that Linux has for it; empty where nobody knows."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[0]


def is_server_of(pid: int, cluster: Path) -> bool:
    """Return whether the process works in this directory; the pid of an old file may be another process."""
    if not sys.platform.startswith("linux") or not is_alive(pid):
        return is_alive(pid)
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", cluster)
    except PermissionError:
        # Root in a container may not look into another user's process: then by name and owner.
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        return name == "postgres" and Path(f"/proc/{pid}").stat().st_uid == cluster.stat().st_uid
    except OSError:
        return False


def listener(socket_path: str) -> int | None:
    """The pid of the process that listens on the socket, asked of the kernel."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(socket_path)
        except OSError:
            return None
        if sys.platform == "darwin":
            return probe.getsockopt(0, MACOS_LOCAL_PEERPID)
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid: int = struct.unpack("3i", credentials)[0]
        return pid


def disown(cluster: Path) -> None:
    """Let a leftover lock file, whose pid another process has now, not prevent a start.

    The file also names the shared memory by which PostgreSQL notices backends of the dead server
    that still write, so it must stay. PostgreSQL looks past the pid of its own parent: ours.
    """
    path = cluster / "postmaster.pid"
    _, _, rest = path.read_text().partition("\n")
    text = f"{os.getpid()}\n{rest}".encode()
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        os.ftruncate(handle, os.write(handle, text))
    finally:
        os.close(handle)


def stop(pid: int) -> None:
    """End the server; returns when it is gone."""
    for sign, patience_s in ((signal.SIGINT, STOP_FAST_S), (signal.SIGQUIT, STOP_IMMEDIATE_S)):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        if gone_within(pid, patience_s):
            return
    os.kill(pid, signal.SIGKILL)
    gone_within(pid, STOP_IMMEDIATE_S)


def gone_within(pid: int, patience_s: float) -> bool:
    deadline = clock.monotonic() + patience_s
    while is_alive(pid):
        if clock.monotonic() > deadline:
            return False
        clock.sleep(PAUSE_S)
    return True
