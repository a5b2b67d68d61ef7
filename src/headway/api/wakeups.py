"""Wake-ups for long polls: one LISTEN connection for any number of waiting clients.

A separate thread listens and passes notifications to the event loop. A wake-up only means "look
again". After a lost connection all clients look again, because notifications may be missing.
"""

import asyncio
import logging
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Final

from headway import clock
from headway.api.standing import Standing
from headway.errors import HeadwayError
from headway.store import notices
from headway.store.transact import APP, CONNECT_TIMEOUT_S, Session, connect

logger = logging.getLogger(__name__)

POLL_S: Final = 2.0  # the safety net of a waiting client
BACK_OFF_S: Final = 1.0
BLIND_S: Final = 1.0  # behind a pooler nobody is notified: so often everybody looks
ANY: Final = "*"  # in place of a run's id: whatever changes


class Wakeups:
    def __init__(self, dsn: str, dags_changed: Callable[[], None] = lambda: None) -> None:
        """``dags_changed`` is called on the listening thread when DAGs or import errors changed."""
        self.dsn = dsn
        self.dags_changed = dags_changed
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._stop: socket.socket | None = None  # closed: the thread wakes
        self._listening: threading.Thread | None = None
        self._standing = Standing(logger, "listen for changes")

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, stopped = socket.socketpair()
        self._listening = threading.Thread(
            target=self._listen, args=(stopped,), name="wakeups", daemon=True
        )
        self._listening.start()

    def stop(self) -> None:
        """End the thread, which may be connecting: wait so long, so that nobody's database is taken from it."""
        self._stopping.set()
        if self._stop is not None:
            self._stop.close()
        if self._listening is not None:
            self._listening.join(CONNECT_TIMEOUT_S)

    def awaiting_end(self, run_id: str) -> AbstractContextManager[asyncio.Event]:
        """Like ``watching``, but woken only when the run ends: a busy run changes hundreds of times a second."""
        return self.watching(run_id + notices.ENDED)

    @contextmanager
    def watching(self, run_id: str) -> Iterator[asyncio.Event]:
        """Watch for changes. Enter first, then read, then wait, so that no change is missed."""
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

    def hear(self, payload: str) -> None:
        for heard in {payload, payload.removesuffix(notices.ENDED), ANY}:
            self.wake(heard)

    def wake_all(self) -> None:
        for run_id in self._waiting:
            self.wake(run_id)

    def _listen(self, stopped: socket.socket) -> None:
        with stopped:
            while not self._stopping.is_set():
                try:
                    with connect(self.dsn, role=APP, application="headway api wake-ups") as conn:
                        self._hear(conn, stopped)
                except HeadwayError as error:
                    if not self._stopping.wait(BACK_OFF_S):
                        self._standing.failed(error)

    def _hear(self, conn: Session, stopped: socket.socket) -> None:
        if conn.pooled:
            self._standing.worked()
            self._look_often()
            return
        notices.listen(conn)
        self._standing.worked()
        self._tell(self.wake_all)
        self.dags_changed()
        with selectors.DefaultSelector() as selector:
            with notices.while_connected():
                selector.register(conn, selectors.EVENT_READ)
            selector.register(stopped, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for channel, payload in notices.heard(conn):
                    self._pass_on(channel, payload)
                selector.select()

    def _look_often(self) -> None:
        while not self._stopping.wait(BLIND_S):
            self._tell(self.wake_all)
            self.dags_changed()

    def _pass_on(self, channel: str, payload: str) -> None:
        if channel == notices.DAGS:
            self.dags_changed()
            self._tell(self.wake, ANY)
        elif self._waiting:
            self._tell(self.hear, payload)

    def _tell(self, tell: Callable[..., None], *heard: str) -> None:
        """Call a function in the event loop, unless the loop is closed and nobody waits."""
        assert self._loop is not None
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(tell, *heard)


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
