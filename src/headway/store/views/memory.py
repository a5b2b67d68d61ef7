"""What was computed once and never changes: kept in memory, the least recently used forgotten.

Keys carry the team, and the ``version`` of a run where it has one: what a key names stays true, so
nothing here gets old. Filled from the store's threads, so there is a lock.
"""

import threading
from collections import OrderedDict
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """At most ``most`` values."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self.most:
                self._values.popitem(last=False)


RunVersion = tuple[int, str, int]  # team, run, the run's ``version``
HEADLINES_MAX: Final = 2_000


class Memory:
    """Of one API process."""

    def __init__(self) -> None:
        self.headlines: Remembered[RunVersion, str] = Remembered(HEADLINES_MAX)
