"""Errors of DAG definitions, with place and suggestion."""

from collections.abc import Iterable
from typing import Final

from headway.core.words import nearest
from headway.errors import UsageError

SHOWN_MAX: Final = 80  # characters of a value


class BadSpec(UsageError):
    """An invalid DAG. ``file`` and ``line`` say where the error is."""

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, hint: str | None = None
    ) -> None:
        where = f"{file}:{line}" if file and line else file or None
        super().__init__(message, hint=hint, where=where)
        self.file = file
        self.line = line


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return ``did you mean "x"?`` if one of ``known`` is close to ``word``."""
    found = nearest(word, known)
    return None if found is None else f'did you mean "{found}"?'


def cut(text: str) -> str:
    """Return a text that is short enough for a message."""
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def listing(words: Iterable[str], limit: int = 8) -> str:
    """Format a list as ``a, b, c`` or ``a, b and 12 more``."""
    every = list(words)
    if len(every) <= limit:
        return ", ".join(every)
    return f"{', '.join(every[:limit])} and {len(every) - limit} more"
