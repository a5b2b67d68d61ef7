"""Passwords, by argon2id. The library is loaded by the first one: a start needs none.

The database returns the parameters of a hash, never the hash. The caller computes it again, and the
database compares.
"""

import asyncio
import base64
import re
import unicodedata
from typing import Final

from headway import ids
from headway.errors import UsageError

# What OWASP advises where memory is scarce: 19 MiB, two passes, one lane; about 20 ms.
MEMORY_KIB: Final = 19_456
PASSES: Final = 2
LANES: Final = 1
HASH_BYTES: Final = 32
CHARS_MIN: Final = 10
CHARS_MAX: Final = 1_000

PARAMETERS: Final = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$")


class Hashing:
    """One password at a time, off the event loop: each costs 19 MiB."""

    def __init__(self) -> None:
        self.one_at_a_time = asyncio.Lock()

    async def hash_of(self, password: str) -> str:
        async with self.one_at_a_time:
            return await asyncio.to_thread(hash_of, password)

    async def hash_with(self, password: str, parameters: str | None) -> str:
        async with self.one_at_a_time:
            return await asyncio.to_thread(hash_with, password, parameters)


def hash_of(password: str) -> str:
    """Hash a new password, in the usual encoding.

    Raises:
        UsageError: it is too short or too long.
    """
    if not CHARS_MIN <= len(password) <= CHARS_MAX:
        raise UsageError(f"a password must have {CHARS_MIN} to {CHARS_MAX:,} characters")
    return computed(password, ids.salt(), MEMORY_KIB, PASSES, LANES)


def hash_with(password: str, parameters: str | None) -> str:
    """Hash an entered password with the parameters of the stored one.

    For an unknown user (None), it takes as long and matches nothing.
    """
    found = PARAMETERS.fullmatch(parameters or "")
    if found is None or len(password) > CHARS_MAX:
        return "no hash:" + computed(password[:CHARS_MAX], ids.salt(), MEMORY_KIB, PASSES, LANES)
    memory, passes, lanes, salt = found.groups()
    padded = salt + "=" * (-len(salt) % 4)
    return computed(password, base64.b64decode(padded), int(memory), int(passes), int(lanes))


def computed(password: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> str:
    from argon2.low_level import Type, hash_secret

    typed = unicodedata.normalize("NFC", password).encode(errors="surrogatepass")
    return hash_secret(typed, salt, passes, memory_kib, lanes, HASH_BYTES, Type.ID).decode()
