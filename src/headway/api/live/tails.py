"""The sizes of the logs that clients follow, read twice a second in one query.

A watcher is told the log's size and whether the log is complete; it fetches the text itself.
"""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from headway import wire
from headway.api.door import Door
from headway.api.live.watcher import Watcher, frame
from headway.api.standing import Standing
from headway.core.states import ATTEMPT_FINAL
from headway.errors import HeadwayError
from headway.store.views import instances as views
from headway.store.views.instances import Latest

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Target:
    """The log of an attempt, or of the latest attempt."""

    run_id: str
    task_id: str
    map_index: int
    attempt: int | None


class Tails:
    def __init__(self, door: Door, data: Path) -> None:
        self.door = door
        self.data = data
        self._told: dict[Target, bytes] = {}
        self._watchers: dict[Target, set[Watcher]] = {}
        self._looker: asyncio.Task[None] | None = None
        self._standing = Standing(logger, "read live logs")

    def follow(self, target: Target, watcher: Watcher) -> None:
        self._watchers.setdefault(target, set()).add(watcher)
        if target in self._told:
            watcher.push(self._told[target])
        if self._looker is None:
            self._looker = asyncio.create_task(self._look())

    def leave(self, target: Target, watcher: Watcher) -> None:
        kind = self._watchers.get(target, set())
        kind.discard(watcher)
        if not kind:
            self._watchers.pop(target, None)
            self._told.pop(target, None)

    def close(self) -> None:
        if self._looker is not None:
            self._looker.cancel()

    async def _look(self) -> None:
        try:
            while self._watchers:
                try:
                    await self._turn()
                    self._standing.worked()
                except HeadwayError as error:
                    self._standing.failed(error)
                await asyncio.sleep(LOOK_S)
        finally:
            self._looker = None

    async def _turn(self) -> None:
        targets = list(self._watchers)
        keys = [(each.run_id, each.task_id, each.map_index, each.attempt) for each in targets]
        latest = await self.door.call(views.latest, keys)
        # In this order: of an attempt that has ended the size does not change any more.
        sizes = await asyncio.to_thread(sizes_of, self.data, latest)
        for target, attempt, size in zip(targets, latest, sizes, strict=True):
            if attempt is not None:
                self._tell(target, attempt, size)

    def _tell(self, target: Target, attempt: Latest, size: int) -> None:
        delta = wire.LogDelta(
            run_id=target.run_id,
            task_id=target.task_id,
            map_index=target.map_index,
            attempt=attempt.number,
            size=size,
            complete=attempt.state in ATTEMPT_FINAL,
        )
        data = frame("log", msgspec.json.encode(delta))
        if self._told.get(target) != data and target in self._watchers:
            self._told[target] = data
            for watcher in list(self._watchers[target]):
                watcher.push(data)


def sizes_of(data: Path, attempts: list[Latest | None]) -> list[int]:
    return [size_of(data / attempt.log) if attempt is not None else 0 for attempt in attempts]


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # it has not written anything, or it is gone
