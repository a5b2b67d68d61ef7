"""The last line of a backup: how long it is and the SHA-256 of all before.

Whatever is changed, cut off or put behind is noticed, in the seal as well. It stands at the end, so that
``pg_restore`` of one's own reads the file too: it does not look behind its archive.
"""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Final

from headway.errors import Conflict, NotFound

BLOCK: Final = 1 << 20


def words(length: int, digest: str) -> bytes:
    return f"\nheadway backup 1: {length:020} bytes, sha256 {digest}\n".encode()


SEAL_BYTES: Final = len(words(0, "0" * 64))


def seal(file: Path) -> None:
    """Once, when the file is whole."""
    length = file.stat().st_size
    with file.open("rb") as content:
        line = words(length, digest_of(content, length))
    with file.open("ab") as content:
        content.write(line)


def check(file: Path) -> None:
    """Raises NotFound, and Conflict when the file is not, byte for byte, what ``headway backup`` wrote."""
    if not file.is_file():
        raise NotFound("the backup does not exist", where=str(file))
    with file.open("rb") as content:
        length = max(0, os.fstat(content.fileno()).st_size - SEAL_BYTES)
        expected = words(length, digest_of(content, length))
        if content.read() == expected:
            return
    raise Conflict(
        "the checksum of the backup is wrong: it is damaged or was not written by `headway backup`",
        where=str(file),
        hint="nothing was changed; restore another backup, or an intact copy of this one",
    )


def digest_of(content: BinaryIO, length: int) -> str:
    """Hash this many bytes of the file."""
    digest = hashlib.sha256()
    while length > 0 and (block := content.read(min(BLOCK, length))):
        digest.update(block)
        length -= len(block)
    return digest.hexdigest()
