"""One thread, one loop: descriptors that are ready and times that have come."""

import heapq
import selectors
from collections.abc import Callable
from itertools import count

from headway import clock


class Loop:
    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.timers: list[tuple[float, int, Callable[[], None]]] = []
        self.order = count()

    def watch(self, fd: int, act: Callable[[], None]) -> None:
        """Call ``act`` whenever ``fd`` can be read."""
        self.selector.register(fd, selectors.EVENT_READ, act)

    def watch_both(self, fd: int, act: Callable[[], None]) -> None:
        """Also whenever it can be written."""
        self.selector.modify(fd, selectors.EVENT_READ | selectors.EVENT_WRITE, act)

    def watch_reads(self, fd: int, act: Callable[[], None]) -> None:
        self.selector.modify(fd, selectors.EVENT_READ, act)

    def forget(self, fd: int) -> None:
        self.selector.unregister(fd)

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Call ``act`` at that time; it cannot be taken back, so ``act`` looks whether it still applies."""
        heapq.heappush(self.timers, (when, next(self.order), act))

    def turn(self) -> None:
        """Wait for something to happen, and do all that is due."""
        timeout = max(0.0, self.timers[0][0] - clock.monotonic()) if self.timers else None
        known = self.selector.get_map()
        for key, _ in self.selector.select(timeout):
            if known.get(key.fd) is key:  # an act before it may have closed it
                key.data()
        now = clock.monotonic()
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)[2]()
