"""Restores what an attempt may change in a process that runs another one afterwards.

A reused child keeps what Python code keeps: imported modules, caches, open connections. That is why it is reused.
"""

import os
import resource
import shutil
import signal
import sys
from typing import Any, Final

from headway.agent import leaving, processes

HANDLED: Final = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


class Slate:
    def __init__(self) -> None:
        processes.adopt_orphans()  # they must not live on beside the next attempt
        self.folder = os.getcwd()
        self.environment = dict(os.environ)
        self.handlers: dict[int, Any] = {number: signal.getsignal(number) for number in HANDLED}
        self.umask = os.umask(0o077)
        os.umask(self.umask)
        self.data_limit = resource.getrlimit(resource.RLIMIT_DATA)
        self.streams = (sys.stdin, sys.stdout, sys.stderr)
        self.outputs = outputs()
        self.path = sys.path[:]

    def wipe(self) -> bool:
        """Restore the state. Returns False if only ending the process can stop what the attempt left."""
        try:
            return self.wiped()
        except (OSError, ValueError):  # as another user, say, or with its folder replaced by a file
            return False

    def wiped(self) -> bool:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self.handlers.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, handler)
        if len(sys._current_frames()) > 1 or programs_run() or not end_children():
            return False
        leaving.flush_files()
        sys.stdin, sys.stdout, sys.stderr = self.streams
        sys.path[:] = self.path
        if os.environ != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        os.umask(self.umask)
        resource.setrlimit(resource.RLIMIT_DATA, self.data_limit)
        self.sweep()
        return outputs() == self.outputs

    def sweep(self) -> None:
        os.makedirs(self.folder, 0o700, exist_ok=True)
        os.chdir(self.folder)
        with os.scandir() as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)


def outputs() -> list[tuple[int, int]]:
    """Return the files behind stdout and stderr, which a task may have replaced."""
    return [(found.st_dev, found.st_ino) for found in map(os.fstat, (1, 2))]


def programs_run() -> bool:
    """Return whether the exit of Python would wait for processes of ``multiprocessing``."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and any(not one.daemon for one in process.active_children())


def end_children() -> bool:
    """Kill all our descendants; orphans become our children."""
    while pids := processes.children_of(os.getpid()):
        for pid in pids:
            processes.signal_group(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False
