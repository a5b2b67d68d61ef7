"""What is wrong with a DAG: what, where, and what was probably meant."""

from collections.abc import Iterable
from typing import Final

from headway.errors import UsageError

CANDIDATES_MAX: Final = 10_000  # comparing with more costs longer than a person waits


class BadSpec(UsageError):
    """A DAG that cannot be: ``file`` and ``line`` tell where it was written."""

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, hint: str | None = None
    ) -> None:
        where = f"{file}:{line}" if file and line else file or None
        super().__init__(message, hint=hint, where=where)
        self.file = file
        self.line = line


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """``did you mean "x"?`` when one of ``known`` is close to ``word``."""
    import difflib

    candidates = list(known)
    if len(candidates) > CANDIDATES_MAX:
        return None
    folded = {candidate.casefold(): candidate for candidate in candidates}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f'did you mean "{folded[close[0]]}"?' if close else None


def listing(words: Iterable[str], limit: int = 8) -> str:
    """``a, b, c`` or ``a, b and 12 more``."""
    every = list(words)
    if len(every) <= limit:
        return ", ".join(every)
    return f"{', '.join(every[:limit])} and {len(every) - limit} more"
