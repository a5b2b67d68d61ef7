"""A cache of computed values that never change; drops the least recently used.

Keys carry the team, and the ``revision`` of a run where it has one: what a key names stays true, so
nothing here gets old. Filled from the store's threads, so there is a lock.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from headway import wire
from headway.spec.model import Dag
from headway.spec.outline import Outline

K = TypeVar("K")
V = TypeVar("V")

RunRevision = tuple[int, str, int]  # team, run, the run's ``revision``
DagVersion = tuple[int, str, int]  # team, DAG, version

HEADLINES_MAX: Final = 2_000
VERSIONS_MAX: Final = 200  # a spec of 2,000 tasks takes about 2 MB
OUTLINES_MAX: Final = 200
STRIPS_MAX: Final = 5_000  # a byte a task
EXPECTED_MAX: Final = 500
DURATIONS_MAX: Final = 100


class Remembered(Generic[K, V]):
    """The last values, at most ``most``."""

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
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Version:
    """``names``: its task ids in the order in which the database sorts them."""

    dag: Dag
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """A run: a letter for each of the version's ``names``, and counts by state of what is mapped."""

    letters: str
    mapped: Mapping[str, Mapping[str, int]]


class Memory:
    """The cache of one API process."""

    def __init__(self) -> None:
        self.headlines: Remembered[RunRevision, str] = Remembered(HEADLINES_MAX)
        self.versions: Remembered[DagVersion, Version] = Remembered(VERSIONS_MAX)
        self.outlines: Remembered[tuple[int, str, tuple[int, ...]], Outline] = Remembered(
            OUTLINES_MAX
        )
        self.strips: Remembered[RunRevision, Strip] = Remembered(STRIPS_MAX)
        # Of a team's DAG as of a run: seconds by task.
        self.durations: Remembered[
            tuple[int, str, int, str], tuple[int, list[wire.TaskDuration]]
        ] = Remembered(DURATIONS_MAX)
        self.expected: Remembered[tuple[int, str, str], dict[str, float]] = Remembered(EXPECTED_MAX)
