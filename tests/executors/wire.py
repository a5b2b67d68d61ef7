"""The agents' protocol over a real socket: what every stand-in for an agent needs."""

import socket
from pathlib import Path

import msgspec

from headway.agent.frames import FrameReader, frame
from headway.agent.protocol import FRAME_BYTES_MAX, GatewayMessage

DECODER: msgspec.msgpack.Decoder[GatewayMessage] = msgspec.msgpack.Decoder(GatewayMessage)
READ_BYTES: int = 1 << 20


class Wire:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.sock: socket.socket | None = None
        self.seq = 0

    def dial(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))
        self.sock.setblocking(False)
        self.reader = FrameReader(FRAME_BYTES_MAX)

    def tell(self, message: msgspec.Struct) -> None:
        if self.sock is not None:
            self.sock.sendall(frame(msgspec.msgpack.encode(message)))

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def messages(self) -> list[GatewayMessage]:
        """Return what came. Hangs up when the scheduler did."""
        if self.sock is None:
            return []
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return []
        if not data:
            self.hang_up()
        return [DECODER.decode(body) for body in self.reader.feed(data)]

    def hang_up(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None
