"""The place of a log's file: on this machine, or fetched from the log store into the cache.

If the store does not answer within ``PATIENCE_S``, that is an error, never an empty log. Requests
to the store have their own threads, so that a hanging store does not block anything else.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from headway import clock
from headway.api.logs.search import BUDGET_S, Place
from headway.errors import NotReachable
from headway.logs.cache import LogCache
from headway.logs.remote import HINT_AWAY
from headway.paths import stored_log

PATIENCE_S: Final = 10.0
THREADS: Final = 3
NAMES_S: Final = 5.0  # how long the names of a run's logs are believed
RUNS_MAX: Final = 64
BREAKS_OFF: Final = "the log ends here: the rest did not reach the log store"

T = TypeVar("T")


class Sought(NamedTuple):
    run_id: str
    path: Path
    log: str  # as of ``log_path``
    line: int


class LogPlaces:
    """The places of logs on a server with a log store."""

    def __init__(self, cache: LogCache) -> None:
        self.cache = cache
        self.threads = ThreadPoolExecutor(THREADS, "log store")
        self.names: OrderedDict[tuple[str, str], tuple[float, set[str]]] = OrderedDict()

    async def of_ended(
        self, team: str, path: Path, log: str, why: str = "", at: datetime | None = None
    ) -> Path:
        """Return the log of an ended attempt. ``why`` is the reason for its end."""
        if await asyncio.to_thread(path.exists):
            return path
        end = f"{BREAKS_OFF} ({why})" if why else BREAKS_OFF
        return await self.fetched(stored_log(team, log), end, at) or path

    async def of_many(self, team: str, wanted: Sequence[Sought]) -> list[Place]:
        """Fetch logs to search: as many as time allows, but at least one."""
        deadline = clock.monotonic() + BUDGET_S
        places = [Place(str(each.path), each.line) for each in wanted]
        for index in await asyncio.to_thread(absent, wanted):
            if index and clock.monotonic() > deadline:
                return places[:index]
            name = stored_log(team, wanted[index].log)
            if name in await self.names_of(team, wanted[index].run_id):
                found = await self.fetched(name, BREAKS_OFF, None)
                places[index] = Place(str(found or wanted[index].path), wanted[index].line)
        return places

    async def fetched(self, name: str, end: str, at: datetime | None) -> Path | None:
        known = await asyncio.to_thread(self.cache.known, name, end)
        return known or await self.ask(lambda: self.cache.fetch(name, end, at))

    async def names_of(self, team: str, run_id: str) -> set[str]:
        """List all logs of a run with one request, because most may never have been written."""
        asked_at, names = self.names.get((team, run_id), (float("-inf"), set[str]()))
        if clock.monotonic() - asked_at > NAMES_S:
            names = await self.ask(lambda: self.cache.remote.names(team, run_id))
            self.names[team, run_id] = clock.monotonic(), names
            while len(self.names) > RUNS_MAX:
                self.names.popitem(last=False)
        return names

    async def ask(self, question: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await loop.run_in_executor(self.threads, question)
        except TimeoutError as error:
            raise NotReachable(
                f"the log store did not answer within {PATIENCE_S:g} s",
                where=self.cache.remote.url,
                hint=HINT_AWAY,
            ) from error


def absent(wanted: Sequence[Sought]) -> list[int]:
    return [index for index, each in enumerate(wanted) if not each.path.exists()]
