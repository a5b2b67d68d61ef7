"""Answers the kubelet's question whether the container of a task may live: ``GET /`` is 200, or 503.

HTTP of one request a connection, in the agent's own loop: an agent that stands still answers nothing, which counts as
no.
"""

import socket
from collections.abc import Callable
from typing import Final

from headway.agent.loop import Loop

CONNECTIONS_MAX: Final = 16
READ_BYTES: Final = 4096
YES: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
NO: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"


class Alive:
    def __init__(self, address: tuple[str, int], may_live: Callable[[], bool]) -> None:
        self.may_live = may_live
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.listener = socket.create_server(address, family=family, backlog=CONNECTIONS_MAX)
        self.listener.setblocking(False)
        self.open_ones: dict[socket.socket, None] = {}

    def open(self, loop: Loop) -> None:
        self.loop = loop
        loop.watch(self.listener.fileno(), self.accept)

    def accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        if len(self.open_ones) >= CONNECTIONS_MAX:
            self.close(next(iter(self.open_ones)))  # who has been silent for the longest
        self.open_ones[sock] = None
        self.loop.watch(sock.fileno(), lambda: self.answer(sock))

    def answer(self, sock: socket.socket) -> None:
        try:
            if sock.recv(READ_BYTES):
                sock.send(YES if self.may_live() else NO)
        except OSError:
            pass
        self.close(sock)

    def close(self, sock: socket.socket) -> None:
        del self.open_ones[sock]
        self.loop.forget(sock.fileno())
        sock.close()
