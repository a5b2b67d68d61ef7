"""An agent without processes: each attempt ends in success the moment it is granted.

What is left is the scheduler's own work: the protocol, the ticks and the database.
"""

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bench.product import ProductError
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
    Welcome,
)

SLOTS: Final = 512
READ_BYTES: Final = 1 << 20
POLL_S: Final = 0.5
SEND_S: Final = 30.0  # a tick may keep the gateway from reading
LET_IN_S: Final = 10.0


class InstantAgent:
    """``ends``: what it has reported; ``error``: why it stopped by itself.

    The constructor returns once the gateway has let it in. Raises ProductError if it does not.
    """

    def __init__(self, gateway: Path, token: str, queue: str) -> None:
        self.ends = 0
        self.error: str | None = None
        self.stopping = threading.Event()
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(gateway))
        self.tell(
            Hello(ids.token(), "instant", token, SLOTS, SLOTS, "bench", 1, [], queues=(queue,))
        )
        self.let_in = threading.Event()
        self.thread = threading.Thread(target=self.work, name="instant agent")
        self.thread.start()
        if not self.let_in.wait(LET_IN_S):
            self.error = self.error or f"the gateway did not answer within {LET_IN_S:g} s"
        if self.error is not None:
            self.stop()
            raise ProductError(f"the instant agent was not let in: {self.error}")

    def tell(self, *messages: msgspec.Struct) -> None:
        self.sock.settimeout(SEND_S)
        self.sock.sendall(b"".join(frame(msgspec.msgpack.encode(each)) for each in messages))
        self.sock.settimeout(POLL_S)

    def work(self) -> None:
        try:
            self.answer()
        except OSError as error:
            self.error = self.error or str(error)
        finally:
            self.let_in.set()

    def answer(self) -> None:
        decoder = msgspec.msgpack.Decoder(GatewayMessage)
        # An agent speaks only after it was let in: what comes sooner costs it the connection.
        reader, beat_at, seq = FrameReader(FRAME_BYTES_MAX), math.inf, 0
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
                    case Welcome():
                        beat_at = 0.0
                        self.let_in.set()
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

    def check(self) -> None:
        """Raise ProductError if it has stopped by itself."""
        if self.error is not None:
            raise ProductError(f"the instant agent stopped: {self.error}")

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
