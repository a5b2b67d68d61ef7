"""Pages by cursor."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """``next_cursor`` is None on the last page."""

    items: list[T]
    next_cursor: str | None = None
