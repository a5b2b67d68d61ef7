"""The end of an attempt's process: what any Python program does before it ends, for what is there to be done.

Threads are waited for, exit handlers called, open files written out: those of the task, and those of its file, for each
attempt is a program that has read its file. Only what ``weakref.finalize`` was to clean up when the file was imported
(a temporary directory, say) stays: it is shared by all attempts. The process says first how it ended, and the agent
reports that when it is gone: so the next task finds the files written, and an error here does not change the
outcome. The kernel ends it after ``LIMIT_S``, whatever it is doing then. Most have nothing of all this, and pay
for a
look at their descriptors.
"""

import _io
import atexit
import ctypes
import gc
import signal
import struct
import sys
import traceback
from _signal import pthread_sigmask  # type: ignore[import-not-found] # as in child
from _signal import signal as set_handler
from _thread import _count as other_threads
from collections.abc import Callable
from typing import Any, Final

from headway.agent import processes

LIMIT_S: Final = 10
FIRST_FD, POLLED_FDS = 3, 256  # a new one is always the lowest that is free
POLLED: Final = ctypes.create_string_buffer(
    b"".join(struct.pack("ihh", FIRST_FD + number, 0, 0) for number in range(POLLED_FDS))
)
SIGALRM, SIGTERM, SIG_DFL = int(signal.SIGALRM), int(signal.SIGTERM), int(signal.SIG_DFL)
IO: Final[Any] = _io  # as typeshed does not know it
TEXT: Final = IO.TextIOWrapper
BYTES: Final = (IO.BufferedWriter, IO.BufferedRandom, IO.BufferedRWPair)
NOTHING_KEPT: Final = (IO._RawIOBase, IO.BufferedReader, IO.BytesIO, IO.StringIO)

of_the_file: list[Any] = []  # files that were open when the DAG file had been imported
log_handlers: list[Any] = []  # and weak references to handlers of logging


def prepare() -> None:
    """Collect the file's objects in the server before it freezes its heap, because frozen ones cannot be found."""
    of_the_file.extend(open_files())
    weakref: Any = sys.modules.get("weakref")
    if weakref is not None:
        for info in weakref.finalize._registry.values():
            info.atexit = False
    logging: Any = sys.modules.get("logging")
    if logging is not None:
        # What most files import is to cost nothing: its handler is called where there is one to write out.
        atexit.unregister(logging.shutdown)
        log_handlers.extend(logging._handlerList)


def something_left() -> bool:
    return bool(other_threads() or atexit._ncallbacks() or files_open() or logs_open())


def leave() -> None:
    """Do what Python does at exit, before ``os._exit``. Errors are printed."""
    set_handler(SIGTERM, SIG_DFL)
    set_handler(SIGALRM, SIG_DFL)
    pthread_sigmask(signal.SIG_UNBLOCK, (SIGALRM,))
    signal.alarm(LIMIT_S)
    if other_threads() and "threading" in sys.modules:
        guarded(sys.modules["threading"]._shutdown)
    guarded(atexit._run_exitfuncs)
    if logs_open():
        guarded(sys.modules["logging"].shutdown)
    if files_open():
        for file in open_files():
            guarded(write_out, file)
        processes.flush_stdio()


def logs_open() -> bool:
    """Return whether the task or its file created a log handler that may buffer output."""
    logging: Any = sys.modules.get("logging")
    if logging is None:
        return False
    return bool(logging._handlerList != log_handlers or "logging.handlers" in sys.modules)


def files_open() -> bool:
    """Return whether the task left descriptors open. Only the control socket is ours, and poll reports the
    closed ones."""
    return bool(processes.LIBC.poll(POLLED, POLLED_FDS, 0) < POLLED_FDS - 1)


def open_files() -> list[Any]:
    """Return file objects that may have unwritten data, outer ones first, because for instance text is written
    into a compressed file, and that into a buffered one.
    """
    found = [one for one in (*of_the_file, *gc.get_objects()) if may_write(type(one))]
    return sorted(found, key=rank)


def may_write(kind: type) -> bool:
    # By the type: to ask an object for its class may run the user's code.
    return issubclass(kind, IO._IOBase) and not issubclass(kind, NOTHING_KEPT)


def rank(file: Any) -> int:
    return 0 if isinstance(file, TEXT) else 2 if isinstance(file, BYTES) else 1


def write_out(file: Any) -> None:
    if not file.closed:
        # What is written in Python, a compressed file say, may have an end of its own to write.
        file.close() if rank(file) == 1 else file.flush()


def flush(file: Any) -> None:
    if not file.closed:
        file.flush()


def flush_files() -> None:
    """Flush files between two attempts in one process."""
    if files_open():
        for file in open_files():
            guarded(flush, file)


def guarded(work: Callable[..., object], *arguments: object) -> None:
    try:
        work(*arguments)
    except BaseException:
        traceback.print_exc()
