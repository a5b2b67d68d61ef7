"""One address for several servers, as a Service has it: each connection goes to one that accepts."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from select import select
from typing import Final

PIECE_BYTES: Final = 1 << 16


@contextmanager
def balanced(ports: list[int]) -> Iterator[int]:
    """Listen on a port, and forward to ``ports`` in turn."""
    listener = socket.create_server(("127.0.0.1", 0))
    forwarding: list[threading.Thread] = []

    def accept() -> None:
        for turn in count():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            forwarding.append(threading.Thread(target=forward, args=(client, ports, turn)))
            forwarding[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
        listener.close()
        for thread in forwarding:  # both ends are gone
            thread.join()


def forward(client: socket.socket, ports: list[int], turn: int) -> None:
    with client:
        for step in range(len(ports)):
            try:
                server = socket.create_connection(("127.0.0.1", ports[(turn + step) % len(ports)]))
            except OSError:
                continue
            with server, contextlib.suppress(OSError):
                exchange(client, server)
            return


def exchange(one: socket.socket, other: socket.socket) -> None:
    """Hand on what each says, until one of them ends."""
    while True:
        for source in select([one, other], [], [])[0]:
            piece = source.recv(PIECE_BYTES)
            if not piece:
                return
            (other if source is one else one).sendall(piece)
