"""Frames on a byte stream: 4 bytes length (big endian) + body."""

import struct
from collections.abc import Iterator
from typing import Final

LENGTH: Final = struct.Struct(">I")


class TooLarge(Exception):
    """A frame that is longer than its reader accepts."""


def frame(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body


class FrameReader:
    """Splits bytes into whole bodies."""

    def __init__(self, bytes_max: int) -> None:
        self.buffer = bytearray()
        self.bytes_max = bytes_max

    def feed(self, data: bytes) -> Iterator[bytes]:
        self.buffer += data
        start = 0
        while len(self.buffer) - start >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self.buffer, start)
            if length > self.bytes_max:
                raise TooLarge(f"a frame of {length} bytes, {self.bytes_max} are allowed")
            end = start + LENGTH.size + length
            if len(self.buffer) < end:
                break
            yield bytes(self.buffer[start + LENGTH.size : end])
            start = end
        del self.buffer[:start]
