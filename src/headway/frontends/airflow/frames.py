"""Frames of the protocol between Airflow's task runner and its supervisor: 4 bytes length (big endian), then msgpack.

A request is ``[id, body, …]``, an answer ``[id, body, error]``; bodies name their ``type``.
"""

import socket
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

LENGTH_BYTES: Final = 4
DECODER: Final = msgspec.msgpack.Decoder(list[Any])
ENCODER: Final = msgspec.msgpack.Encoder()


class Request(NamedTuple):
    number: int
    body: dict[str, Any]


def receive(end: socket.socket) -> Request | None:
    """Return the next request; None: the runner has closed its end."""
    head = exactly(end, LENGTH_BYTES)
    data = None if head is None else exactly(end, int.from_bytes(head, "big"))
    if data is None:
        return None
    number, body, *_ = DECODER.decode(data)
    return Request(number, body or {})


def exactly(end: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        try:
            more = end.recv(size - len(data))
        except ConnectionResetError:
            return None
        if not more:
            return None
        data += more
    return bytes(data)


def send(
    end: socket.socket,
    number: int,
    body: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
    descriptors: Sequence[int] = (),
) -> None:
    """Send an answer. ``descriptors`` go with it, and are open in both processes then."""
    data = ENCODER.encode([number, body, error])
    data = len(data).to_bytes(LENGTH_BYTES, "big") + data
    try:
        if descriptors:
            socket.send_fds(end, [data], descriptors)
        else:
            end.sendall(data)
    except (BrokenPipeError, ConnectionResetError):  # it ended; how, its process tells
        return
