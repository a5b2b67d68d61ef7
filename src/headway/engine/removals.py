"""Deletes files in a background thread, one after another, so that no tick waits for it.

Callers check ``room`` first, because the queue is bounded. A crash loses the queue, so the next process must find
the files again.
"""

import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final

log = logging.getLogger(__name__)

WAITING_MAX: Final = 1000  # done within the patience that a component has at its end

Removal = Callable[[], object]


class Removals:
    def __init__(self) -> None:
        self.waiting: SimpleQueue[Removal | None] = SimpleQueue()
        self.thread: Thread | None = None

    def room(self) -> int:
        return max(0, WAITING_MAX - self.waiting.qsize())

    def add(self, removal: Removal) -> None:
        if self.thread is None:
            self.thread = Thread(target=self.work, name="removals", daemon=True)
            self.thread.start()
        self.waiting.put(removal)

    def settle(self) -> None:
        """Wait until all requested files are deleted."""
        if self.thread is not None:
            self.waiting.put(None)
            self.thread.join()
            self.thread = None

    def work(self) -> None:
        while (removal := self.waiting.get()) is not None:
            try:
                removal()
            except Exception:
                log.exception("cannot remove old files; everything else continues")
