"""Pages by key: a cursor is the sort key of the last row of the page before, opaque to clients."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec

from headway.errors import UsageError

T = TypeVar("T")

LIMIT_MAX: Final = 2000


def capped(limit: int) -> int:
    if limit < 1:
        raise UsageError("limit must be at least 1")
    return min(limit, LIMIT_MAX)


def instant(at: datetime) -> datetime:
    """A time that was given without a zone is one of UTC."""
    return at.replace(tzinfo=UTC) if at.utcoffset() is None else at


def encode(key: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode(cursor: str, shape: type[T]) -> T:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=shape)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise UsageError(
            "the cursor is not valid", hint="pass next_cursor of the previous page, unchanged"
        ) from error
