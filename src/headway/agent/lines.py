"""A socket of frames between the agent and a process below it: it is read and written without ever waiting."""

import socket
from collections.abc import Callable
from typing import Any, Final

import msgspec

from headway.agent.frames import FrameReader, TooLarge, frame
from headway.agent.loop import Loop
from headway.agent.orders import ENCODER

READ_BYTES: Final = 1 << 16


class Line:
    """``heard`` gets each message; ``ended`` is called when the other end is closed, or says what cannot be read."""

    def __init__(
        self,
        loop: Loop,
        end: socket.socket,
        decoder: msgspec.msgpack.Decoder[Any],
        bytes_max: int,
        heard: Callable[[Any], None],
        ended: Callable[[], None],
    ) -> None:
        self.loop = loop
        self.socket = end
        self.decoder = decoder
        self.heard = heard
        self.ended = ended
        self.reader = FrameReader(bytes_max)
        self.unsent = bytearray()
        self.is_open = True
        end.setblocking(False)
        loop.watch(end.fileno(), self.read)

    def send(self, message: msgspec.Struct) -> None:
        self.unsent += frame(ENCODER.encode(message))
        self.flush()

    def flush(self) -> None:
        fd = self.socket.fileno()
        try:
            while self.unsent:
                del self.unsent[: self.socket.send(self.unsent)]
        except BlockingIOError:
            self.loop.watch_both(fd, self.read)
            return
        except OSError:  # its end of file tells
            self.unsent.clear()
        self.loop.watch_reads(fd, self.read)

    def read(self) -> None:
        if self.unsent:
            self.flush()
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.ended()
            return
        try:
            for body in self.reader.feed(data):
                self.heard(self.decoder.decode(body))
                if not self.is_open:
                    return
        except (TooLarge, msgspec.MsgspecError):
            self.ended()

    def close(self) -> None:
        self.is_open = False
        self.loop.forget_if_watched(self.socket.fileno())
        self.socket.close()
        self.unsent.clear()
