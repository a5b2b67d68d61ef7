"""The only module that draws from chance: ids, tokens and jitter.

``use`` puts another source in its place. Each function asks the source when it is called, so it does not matter who
imported it, or when.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Crockford's base 32 in lower case: no i, l, o, u to misread, safe in paths, DNS names and shells.
ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
RUN_ID_LENGTH: Final = 12  # 60 bits


class Chance:
    """The source of all that nobody can foresee."""

    def run_id(self) -> str:
        return "".join(secrets.choice(ALPHABET) for _ in range(RUN_ID_LENGTH))

    def token(self) -> str:
        return secrets.token_urlsafe(16)

    def salt(self) -> bytes:
        return secrets.token_bytes(16)

    def fraction(self) -> float:
        return secrets.randbits(53) / (1 << 53)


source = Chance()


@contextmanager
def use(other: Chance) -> Iterator[None]:
    """Let ``other`` draw for the whole process, all threads included, until the block ends."""
    global source
    before, source = source, other
    try:
        yield
    finally:
        source = before


def run_id() -> str:
    """An opaque id of a run; unique prefixes of it are accepted by every command."""
    return source.run_id()


def token() -> str:
    """A secret of 128 bits, url-safe."""
    return source.token()


def salt() -> bytes:
    """Return a random salt for a password hash."""
    return source.salt()


def fraction() -> float:
    """A number in [0, 1), for jitter."""
    return source.fraction()
