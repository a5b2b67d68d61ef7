"""The only module that draws from chance: ids, tokens and jitter."""

import secrets
from typing import Final

# Crockford's base 32 in lower case: no i, l, o, u to misread, safe in paths, DNS names and shells.
ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
RUN_ID_LENGTH: Final = 12  # 60 bits


def run_id() -> str:
    """An opaque id of a run; unique prefixes of it are accepted by every command."""
    return "".join(secrets.choice(ALPHABET) for _ in range(RUN_ID_LENGTH))


def token() -> str:
    """A secret of 128 bits, url-safe."""
    return secrets.token_urlsafe(16)


def salt() -> bytes:
    """What makes two hashes of one password differ."""
    return secrets.token_bytes(16)


def fraction() -> float:
    """A number in [0, 1), for jitter."""
    return secrets.randbits(53) / (1 << 53)
