"""uvicorn's HTTP protocol plus limits: number of connections, and time to send a request and to
read its answer.

Without these limits, a connection that sends half a request, or never reads the answer, would
stay open forever.
"""

import asyncio
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from headway import wire
from headway.api.room import Room

REQUEST_S: Final = 15.0  # from its first byte, or from the connection, to the end of its headers
READER_S: Final = 60.0  # in which a client that reads takes some of what waits for it
NO_ROOM: Final = msgspec.json.encode(
    wire.Problem(
        title="Service Unavailable",
        status=503,
        code="too_many_connections",
        detail="too many connections to this server or from your address",
        hint="try again later",
    )
)
REFUSAL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
    b"Content-Length: %d\r\nRetry-After: 1\r\nConnection: close\r\n\r\n%b" % (len(NO_ROOM), NO_ROOM)
)


class PatientProtocol(H11Protocol):
    request_s = REQUEST_S
    reader_s = READER_S
    arriving: asyncio.TimerHandle | None = None
    fetching: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, room: Room, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.room = room

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.room.enter(self):
            self.expect()
        else:
            transport.write(REFUSAL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.is_idle():
            self.expect()
        super().data_received(data)
        if not self.is_idle():
            self.arrived()
            if not self.cycle.more_body:
                self.room.answers(self)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.is_idle():  # and not at the next one, which had come already
            self.room.waits(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.arrived()
        self.fetched()
        self.room.leave(self)
        super().connection_lost(exc)

    def is_idle(self) -> bool:
        """Return whether the connection is idle."""
        return self.cycle is None or self.cycle.response_complete

    def expect(self) -> None:
        if self.arriving is None:
            self.arriving = self.loop.call_later(self.request_s, self.give_up)

    def arrived(self) -> None:
        if self.arriving is not None:
            self.arriving.cancel()
            self.arriving = None

    def give_up(self) -> None:
        self.arriving = None
        if self.is_idle():
            self.dismiss()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.fetched()
        self.fetching = self.loop.call_later(self.reader_s, self.dismiss)

    def resume_writing(self) -> None:
        self.fetched()
        super().resume_writing()

    def fetched(self) -> None:
        if self.fetching is not None:
            self.fetching.cancel()
            self.fetching = None

    def dismiss(self) -> None:
        self.transport.abort()  # closed in order, it would wait for a client that does not read
