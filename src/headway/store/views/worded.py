"""Reasons as they were stored → what people read, and the reason itself beside it, as ``why``."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from psycopg import Cursor

from headway.core.reasons import Reason
from headway.core.stored_reasons import stored
from headway.core.wording import said
from headway.store.views.present import Present

T = TypeVar("T")


def words(text: str | None) -> str | None:
    return None if text is None else said(stored(text))


def why(text: str | None) -> Reason | None:
    return None if text is None else stored(text)


def worded(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with ``reason`` and ``blocked_reason`` in words, and ``why``: what holds it back, or else
    the reason itself.
    """
    found: Reason | None = None
    for name in ("reason", "blocked_reason"):
        if (text := fields.get(name)) is not None:
            found = stored(text)
            fields[name] = said(found)
    return {**fields, "why": found}


def worded_row(
    cls: type[T], present: Present | None = None
) -> Callable[[Cursor[Any]], Callable[[Sequence[Any]], T]]:
    """Like ``class_row``, of what is ``worded``; both columns are selected as text.

    With ``present``, and its ``COLUMNS`` among those selected, ``blocked_reason`` is as it is now.
    """

    def rows_of(cursor: Cursor[Any]) -> Callable[[Sequence[Any]], T]:
        names = [column.name for column in cursor.description or ()]

        def row(values: Sequence[Any]) -> T:
            fields = dict(zip(names, values, strict=True))
            return cls(**worded(fields if present is None else present.pop(fields)))

        return row

    return rows_of
