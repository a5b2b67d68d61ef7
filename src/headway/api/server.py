"""The HTTP server: uvicorn on its own thread, on a socket that is already bound.

The main thread belongs to the supervisor: it handles signals, and its children end with it.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from headway.api import room
from headway.api.guard import Guard
from headway.api.patience import PatientProtocol
from headway.api.peers import noting_peers
from headway.api.room import Room
from headway.errors import HeadwayError

GRACE_S: Final = 1  # an open long poll may not hold up the end for longer
LAST_ANSWERS_S: Final = 0.005  # how often a server that ends looks for answers under way
START_S: Final = 15.0
AT_ONCE: Final = 128  # accepted before any of them is counted: less than the reserve
QUEUE: Final = 2_048  # how many the kernel lets wait to be accepted
DATE_S: Final = 1.0  # how old the Date of an answer may be
PROXIES: Final = "HEADWAY_TRUSTED_PROXIES"  # whose word on a client's address counts


class HttpServer:
    def __init__(self, app: Guard, listener: socket.socket, closing: Callable[[], None]) -> None:
        """``closing`` is called in the event loop before the server waits for the last answers."""
        proxies = os.environ.get(PROXIES, "")
        application: Any = app
        forwarded = ProxyHeadersMiddleware(application, proxies)
        trusted: Any = forwarded.trusted_hosts
        application = noting_peers(forwarded if proxies else application)
        bounded = Room(room.most(), trusted)
        protocol: Any = partial(PatientProtocol, room=bounded)
        config = uvicorn.Config(
            application,
            loop="asyncio",
            http=protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            backlog=AT_ONCE,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # done above, after the peer is noted
            timeout_graceful_shutdown=GRACE_S,
        )
        self.app = app
        self.listener = listener
        self._started = threading.Event()
        self._server = _Server(config, self._started, closing)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Start the server, and return when it answers requests."""
        self._thread.start()
        if not self._started.wait(START_S) or not self._server.started:
            raise HeadwayError("the HTTP server did not start", hint="see logs/server/api.log")

    def stop(self) -> None:
        self._server.end()
        self._thread.join(GRACE_S + 5)

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self.listener]))
        finally:
            self._started.set()


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, announced: threading.Event, closing: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._announced = announced
        self._closing = closing
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Stop the server. Can be called from any thread and more than once."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended
                self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        """Wake only for the Date header and the end. uvicorn's loop wakes ten times a second."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), DATE_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as soon as the last answer is given. uvicorn's own waits a tenth of a second before it looks."""
        self._closing()
        for listening in [*self.servers, *(sockets or ())]:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(LAST_ANSWERS_S)
        for task in list(self.server_state.tasks):
            task.cancel("the server ends")
        await self.lifespan.shutdown()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(QUEUE)
        self._announced.set()
