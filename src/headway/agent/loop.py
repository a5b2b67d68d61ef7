"""A single-threaded loop of ready descriptors and due times."""

import heapq
import os
import selectors
import signal
from collections.abc import Callable
from itertools import count

from headway import clock
from headway.agent import processes


class Loop:
    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.timers: list[tuple[float, int, Callable[[], object]]] = []
        self.order = count()

    def watch(self, fd: int, act: Callable[[], object]) -> None:
        """Call ``act`` whenever ``fd`` can be read."""
        self.selector.register(fd, selectors.EVENT_READ, act)

    def watch_write(self, fd: int, act: Callable[[], object]) -> None:
        self.selector.register(fd, selectors.EVENT_WRITE, act)

    def watch_both(self, fd: int, act: Callable[[], object]) -> None:
        """Call ``act`` whenever ``fd`` can be written, too."""
        self.selector.modify(fd, selectors.EVENT_READ | selectors.EVENT_WRITE, act)

    def watch_reads(self, fd: int, act: Callable[[], object]) -> None:
        self.selector.modify(fd, selectors.EVENT_READ, act)

    def forget(self, fd: int) -> None:
        self.selector.unregister(fd)

    def forget_if_watched(self, fd: int) -> None:
        if fd in self.selector.get_map():
            self.selector.unregister(fd)

    def wake_on_signals(self) -> int:
        """Let a signal end the wait. Returns the descriptor to close at the end."""
        read_end, write_end = processes.wakeup_pipe()
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self.watch(read_end, lambda: os.read(read_end, 4096))
        return write_end

    def at(self, when: float, act: Callable[[], object]) -> None:
        """Call ``act`` at that time. It cannot be cancelled, so ``act`` must check whether it still applies."""
        heapq.heappush(self.timers, (when, next(self.order), act))

    def turn(self) -> None:
        """Wait for events and handle everything due, times first so that fences are never late."""
        timeout = max(0.0, self.timers[0][0] - clock.monotonic()) if self.timers else None
        ready = self.selector.select(timeout)
        now = clock.monotonic()
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)[2]()
        known = self.selector.get_map()
        for key, _ in ready:
            if known.get(key.fd) is key:  # an act before it may have closed it
                key.data()
