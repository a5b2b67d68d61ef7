"""Long polls wait here: one LISTEN connection for all of them, however many clients wait.

A thread of its own listens; what it hears is handed to the event loop. A wake-up says only "look
again". After a lost connection everybody looks again, for what was said meanwhile is not known.
"""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from headway import clock
from headway.errors import HeadwayError
from headway.store import notices
from headway.store.transact import APP, Session, connect

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.5  # how long the thread may take to notice that it shall end
POLL_S: Final = 2.0  # the safety net of a waiting client
BACK_OFF_S: Final = 1.0


class Wakeups:
    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="wakeups", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def awaiting_end(self, run_id: str) -> AbstractContextManager[asyncio.Event]:
        """Like ``watching``, but woken only by the end: a busy run changes hundreds of times a second."""
        return self.watching(run_id + notices.ENDED)

    @contextmanager
    def watching(self, run_id: str) -> Iterator[asyncio.Event]:
        """Enter, then read, then wait: what changes after the read is not missed."""
        wakeup = asyncio.Event()
        self._waiting.setdefault(run_id, set()).add(wakeup)
        try:
            yield wakeup
        finally:
            self._waiting[run_id].discard(wakeup)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    def wake(self, run_id: str) -> None:
        for wakeup in self._waiting.get(run_id, ()):
            wakeup.set()

    def wake_all(self) -> None:
        for run_id in self._waiting:
            self.wake(run_id)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with connect(self.dsn, role=APP, application="headway api wake-ups") as conn:
                    self._hear(conn)
            except HeadwayError as error:
                if not self._stopping.wait(BACK_OFF_S):
                    logger.warning("wake-ups: %s", error)

    def _hear(self, conn: Session) -> None:
        assert self._loop is not None
        notices.listen_to_runs(conn)
        self._loop.call_soon_threadsafe(self.wake_all)
        while not self._stopping.is_set():
            for heard in notices.heard(conn, LOOK_S):
                if self._waiting:
                    self._loop.call_soon_threadsafe(self.wake, heard.removesuffix(notices.ENDED))
                    self._loop.call_soon_threadsafe(self.wake, heard)


async def wait(wakeup: asyncio.Event, deadline: float) -> bool:
    """Wait for a reason to look again; False when the time is over."""
    left_s = deadline - clock.monotonic()
    if left_s <= 0:
        return False
    try:
        async with asyncio.timeout(min(left_s, POLL_S)):
            await wakeup.wait()
    except TimeoutError:
        pass
    wakeup.clear()
    return True
