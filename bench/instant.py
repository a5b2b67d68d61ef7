"""An agent without processes: each attempt ends in success the moment it is granted.

What is left is the scheduler's own work: the protocol, the ticks and the database.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from headway import ids
from headway.agent.frames import FrameReader, frame
from headway.agent.protocol import (
    FRAME_BYTES_MAX,
    HEARTBEAT_S,
    Ended,
    GatewayMessage,
    Grants,
    Heartbeat,
    Hello,
    Refused,
)

SLOTS: Final = 512
READ_BYTES: Final = 1 << 20
POLL_S: Final = 0.5


class InstantAgent:
    """``ends``: what it has reported; ``error``: why it stopped by itself."""

    def __init__(self, gateway: Path, token: str, queue: str) -> None:
        self.ends = 0
        self.error: str | None = None
        self.stopping = threading.Event()
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(gateway))
        self.sock.settimeout(POLL_S)
        self.tell(
            Hello(ids.token(), "instant", token, SLOTS, SLOTS, "bench", 1, [], queues=(queue,))
        )
        self.thread = threading.Thread(target=self.work, name="instant agent")
        self.thread.start()

    def tell(self, *messages: msgspec.Struct) -> None:
        self.sock.sendall(b"".join(frame(msgspec.msgpack.encode(each)) for each in messages))

    def work(self) -> None:
        decoder = msgspec.msgpack.Decoder(GatewayMessage)
        reader, beat_at, seq = FrameReader(FRAME_BYTES_MAX), 0.0, 0
        while not self.stopping.is_set():
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + HEARTBEAT_S
                seq += 1
                self.tell(Heartbeat(seq))
            try:
                data = self.sock.recv(READ_BYTES)
            except TimeoutError:
                continue
            if not data:
                self.error = self.error or "the gateway hung up"
                return
            for body in reader.feed(data):
                match decoder.decode(body):
                    case Grants(_, grants):
                        first = seq + 1
                        seq += len(grants)
                        self.tell(
                            *(
                                Ended(number, grant.key, grant.token, "success", "")
                                for number, grant in enumerate(grants, first)
                            )
                        )
                        self.ends += len(grants)
                    case Refused(reason):
                        self.error = reason

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join()
        self.sock.close()


@contextmanager
def instant_agent(gateway: Path, token: str, queue: str) -> Iterator[InstantAgent]:
    agent = InstantAgent(gateway, token, queue)
    try:
        yield agent
    finally:
        agent.stop()
