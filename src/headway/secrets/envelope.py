"""Envelopes: the secret fields of a row, encrypted with a key of the row's own, which a master key wraps.

Rotation wraps the row's key again and leaves the ciphertext as it is.
"""

from typing import Any

import msgspec

from headway.secrets.keys import KEY_BYTES, Keys, seal, unseal
from headway.store.envelopes import Envelope


def close(keys: Keys, place: bytes, fields: dict[str, Any]) -> Envelope:
    """Encrypt ``fields`` for one row. ``place`` names it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = AESGCM.generate_key(8 * KEY_BYTES)
    key_id, wrapped = keys.wrap(key, place)
    return Envelope(key_id, wrapped, seal(key, msgspec.json.encode(fields), place))


def open_envelope(keys: Keys, place: bytes, envelope: Envelope) -> dict[str, Any]:
    """Raises KeyMissing, and HeadwayError for what is not as it was written."""
    key = keys.unwrap(envelope.key_id, envelope.wrapped, place)
    return msgspec.json.decode(unseal(key, envelope.sealed, place), type=dict[str, Any])


def wrap_again(keys: Keys, place: bytes, envelope: Envelope) -> Envelope:
    """Wrap the row's key with the current master key."""
    key = keys.unwrap(envelope.key_id, envelope.wrapped, place)
    key_id, wrapped = keys.wrap(key, place)
    return Envelope(key_id, wrapped, envelope.sealed)


def place_of(team_id: int, kind: str, name: str) -> bytes:
    """Return what an envelope is bound to: in another row, or another team's, it does not open."""
    return f"{team_id}/{kind}/{name}".encode()
