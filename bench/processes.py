"""Process trees: what they cost, and that nothing started here outlives its measurement."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

LIBC: Final = ctypes.CDLL(None)
PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
STOP_GRACE_S: Final = 15.0
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


def take_charge() -> None:
    """Called once by a program that starts processes: however it ends, they end with it.

    Orphaned grandchildren become our children, so a daemon cannot slip away; SIGTERM unwinds the
    stack like Ctrl-C, so everything on it is stopped in order.
    """
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def die_with_parent() -> None:
    """In the child, before it becomes its program: the kernel ends it when we are killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def descendants(root: int) -> list[int]:
    """All live processes below `root`, parents before children."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := stat_fields(int(entry.name))) and fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = list(children.get(root, ()))
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes and of their children already reaped."""
    ticks = 0
    for pid in pids:
        if fields := stat_fields(pid):
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS_PER_S


def pss_bytes(pids: Iterable[int]) -> int:
    """Proportional memory: shared pages are divided among the processes which share them."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def disk_bytes(folder: Path) -> int:
    """What the folder takes on the disk, hard links counted once."""
    output = subprocess.run(
        ["du", "-s", "--block-size=1", str(folder)], check=True, capture_output=True, text=True
    ).stdout
    return int(output.split()[0])


@contextmanager
def running(
    command: Sequence[str], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, its output in `log`; at the end its tree is stopped."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        yield process
    finally:
        stop_tree(process)


def stop_tree(process: subprocess.Popen[bytes]) -> None:
    """Ask the root to stop; whatever of its tree or session is there afterwards is killed.

    The session catches what the tree had started after we looked, the tree what left the session.
    """
    tree = {pid: started_at(pid) for pid in descendants(process.pid)}
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            tree |= {pid: started_at(pid) for pid in descendants(process.pid)}
            process.kill()
            process.wait(STOP_GRACE_S)
    deadline = time.monotonic() + STOP_GRACE_S
    while left := survivors(tree, process.pid):
        assert time.monotonic() < deadline, f"killed processes end: {left}"
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def survivors(tree: Mapping[int, str], session: int) -> list[int]:
    # The start time tells a survivor from a stranger that was given its number since.
    known = [pid for pid, start in tree.items() if start and started_at(pid) == start]
    below = set(known).union(*(descendants(pid) for pid in known))
    orphans = (pid for pid in descendants(os.getpid()) if session_of(pid) == session)
    return sorted(below.union(orphans))


def session_of(pid: int) -> int:
    fields = stat_fields(pid)
    return int(fields[3]) if fields else 0


def started_at(pid: int) -> str:
    fields = stat_fields(pid)
    return fields[19] if fields and fields[0] != "Z" else ""


def idle_cost(root: int, seconds: float) -> dict[str, float]:
    """Memory and the share of one core that everything below `root` takes while it waits."""
    before = cpu_seconds(descendants(root))
    time.sleep(seconds)
    pids = descendants(root)
    return {
        "idle_pss_mb": pss_bytes(pids) / 1e6,
        "idle_cpu_percent": 100 * (cpu_seconds(pids) - before) / seconds,
        "processes": len(pids),
    }
