"""A sign of life of a component, told to the process that started it: a byte a second from its main loop.

It comes through a pipe, so that neither a clock that is set nor a disk that is full is mistaken for a hang. A process
that nobody listens to tells nobody.
"""

import contextlib
import os
from typing import Final

from headway import clock

BEAT_S: Final = 1.0

_line = -1
_due_at = 0.0


def tell_to(descriptor: int) -> None:
    """Tell signs of life to ``descriptor`` from now on; what this process starts does not inherit it."""
    global _line
    os.set_inheritable(descriptor, False)
    os.set_blocking(descriptor, False)
    _line = descriptor


def beat() -> None:
    """Called in each turn of a loop that no single step may hold up for longer than some seconds."""
    global _due_at
    if _line < 0 or clock.monotonic() < _due_at:
        return
    _due_at = clock.monotonic() + BEAT_S
    with contextlib.suppress(OSError):  # it is full, or nobody is left to read it
        os.write(_line, b".")
