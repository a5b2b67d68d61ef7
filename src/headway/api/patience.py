"""The protocol of the server, with one thing that uvicorn lacks: a time for a request to arrive.

A connection that brings half of a request and then nothing would be kept for ever, and the number
of connections is bounded.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S: Final = 15.0  # from its first byte, or from the connection, to the end of its headers


class PatientProtocol(H11Protocol):
    request_s = REQUEST_S
    arriving: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.expect()

    def data_received(self, data: bytes) -> None:
        if self.is_idle():
            self.expect()
        super().data_received(data)
        if not self.is_idle():
            self.arrived()

    def connection_lost(self, exc: Exception | None) -> None:
        self.arrived()
        super().connection_lost(exc)

    def is_idle(self) -> bool:
        """No request is being answered."""
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
            self.transport.close()
