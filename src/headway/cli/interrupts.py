"""Ctrl-C at a moment at which nothing can be said yet."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupt_kept() -> Iterator[None]:
    """Keep a first Ctrl-C until the end of the block, where it raises KeyboardInterrupt; a second one
    interrupts at once. Only for the main thread.
    """
    kept = False

    def keep(number: int, frame: FrameType | None) -> None:
        nonlocal kept
        if kept:
            raise KeyboardInterrupt
        kept = True

    before = signal.signal(signal.SIGINT, keep)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if kept:
        raise KeyboardInterrupt
