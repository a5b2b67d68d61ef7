"""Signals that end a process in order."""

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from selectors import EVENT_READ, BaseSelector


@contextlib.contextmanager
def stopping_on_signals(selector: BaseSelector, stop: Callable[..., None]) -> Iterator[None]:
    """Call ``stop`` at SIGTERM and SIGINT, which also end a select that waits."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    selector.register(reader, EVENT_READ, lambda _: reader.recv(64))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
