"""The agent's connection to a gateway: reopened with back-off, and written once per turn of the loop."""

import contextlib
import os
import re
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from headway import clock, ids
from headway.agent.frames import FrameReader, TooLarge, frame
from headway.agent.loop import Loop
from headway.agent.protocol import FRAME_BYTES_MAX, AgentMessage, GatewayMessage

if TYPE_CHECKING:
    import ssl

    from headway.agent.tls import Channel

BACKOFF_S_MIN: Final = 0.05
BACKOFF_S_MAX: Final = 2.0
CONNECT_S_MAX: Final = 5.0
READ_BYTES: Final = 1 << 20


VERSIONS: Final = re.compile(r"protocol version (\d+), this scheduler (\d+)")


def is_behind(reason: str) -> bool:
    """Return whether a scheduler refuses an agent because it is of an earlier release."""
    found = VERSIONS.search(reason)
    return found is not None and int(found[2]) < int(found[1])


class Link:
    """``context``: whom to trust, at an address that begins with ``tls:``."""

    def __init__(
        self,
        loop: Loop,
        address: str,
        opened: Callable[[], None],
        received: Callable[[GatewayMessage], None],
    ) -> None:
        self.loop = loop
        self.address = address
        self.opened = opened
        self.received = received
        self.socket: socket.socket | None = None
        self.context: ssl.SSLContext | None = None
        self.channel: Channel | None = None
        self.told = ""  # why it cannot connect
        self.put_off_for = ""
        self.up = False
        self.backoff_s = BACKOFF_S_MIN
        self.unsent: list[bytes] = []
        self.encoder = msgspec.msgpack.Encoder()
        self.decoder: msgspec.msgpack.Decoder[GatewayMessage] = msgspec.msgpack.Decoder(
            GatewayMessage
        )

    def connect(self) -> None:
        if self.socket is not None:
            return
        kind, _, rest = self.address.partition(":")
        self.reader = FrameReader(FRAME_BYTES_MAX)
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            where: str | tuple[str, int] = rest
        else:
            host, _, port = rest.rpartition(":")
            where = (host.strip("[]"), int(port))
            self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.host = where[0] if kind == "tls" else None
        try:
            self.socket.connect(where)
        except BlockingIOError:
            connecting = self.socket
            self.loop.watch_write(connecting.fileno(), self.connected)
            self.loop.at(clock.monotonic() + CONNECT_S_MAX, lambda: self.give_up(connecting))
        except OSError as error:
            self.complain(error)
            self.lose()
        else:
            self.loop.watch(self.socket.fileno(), self.read)
            self.begin()

    def connected(self) -> None:
        assert self.socket is not None
        if number := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.complain(OSError(number, os.strerror(number)))
            self.lose()
            return
        self.loop.watch_reads(self.socket.fileno(), self.read)
        self.begin()

    def give_up(self, connecting: socket.socket) -> None:
        if self.socket is connecting and not self.up:
            self.lose()

    def begin(self) -> None:
        if self.host is not None:
            from headway.agent.tls import Channel  # others need none of it

            assert self.context is not None
            self.channel = Channel(self.context, server=False, hostname=self.host)
            self.unsent.append(self.channel.to_send())
            return
        self.up = True
        self.opened()

    def complain(self, error: Exception) -> None:
        """Say why an agent elsewhere cannot connect, whenever that changes. It tries again."""
        if self.host is None:
            return
        from headway.agent.tls import reason_of

        text = f"cannot connect to {self.address}: {reason_of(error)}\n"
        if text != self.told:
            self.told = text
            sys.stderr.write(text)
            sys.stderr.flush()

    def put_off(self, reason: str) -> None:
        """Connect again. The agent goes on meanwhile: in an upgrade another scheduler is of its release, or will be."""
        if reason != self.put_off_for:
            self.put_off_for = reason
            sys.stderr.write(f"the scheduler is of an earlier release, trying again: {reason}\n")
            sys.stderr.flush()
        self.lose()

    def lose(self) -> None:
        """Close the connection, and connect again after a delay."""
        self.close()
        wait_s = self.backoff_s * (0.5 + ids.fraction())
        self.backoff_s = min(2 * self.backoff_s, BACKOFF_S_MAX)
        self.loop.at(clock.monotonic() + wait_s, self.connect)

    def close(self) -> None:
        if self.socket is not None:
            with contextlib.suppress(KeyError):
                self.loop.forget(self.socket.fileno())
            self.socket.close()
        self.socket = self.channel = None
        self.up = False
        self.unsent.clear()

    def send(self, message: AgentMessage) -> None:
        """Queue a message for the next flush. Nothing is kept for a later connection."""
        if not self.up:
            return
        body = frame(self.encoder.encode(message))
        if self.channel is not None:
            self.channel.write(body)
            body = self.channel.to_send()
        self.unsent.append(body)

    def flush(self) -> None:
        if not self.unsent or self.socket is None:
            return
        data = b"".join(self.unsent)
        self.unsent.clear()
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.lose()
            return
        if sent < len(data):
            self.unsent.append(data[sent:])
            self.loop.watch_both(self.socket.fileno(), self.read)

    def read(self) -> None:
        current = self.socket
        assert current is not None
        if self.unsent:
            self.flush()
            if self.socket is not current:
                return
            if not self.unsent:
                self.loop.watch_reads(current.fileno(), self.read)
        try:
            data = current.recv(READ_BYTES)
            if not data:
                self.lose()
                return
            for body in self.reader.feed(self.plain(data)):
                self.received(self.decoder.decode(body))
                if self.socket is not current:
                    return
        except BlockingIOError:
            return
        except (OSError, msgspec.MsgspecError, TooLarge) as error:
            if not self.up:
                self.complain(error)
            self.lose()

    def plain(self, data: bytes) -> bytes:
        if self.channel is None:
            return data
        try:
            found = self.channel.feed(data)
        finally:
            self.unsent.append(self.channel.to_send())
        if self.channel.is_open and not self.up:
            self.told = ""
            self.up = True
            self.opened()
        return found
