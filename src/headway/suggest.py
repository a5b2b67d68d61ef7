"""Did you mean …? For every name a person can get wrong."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(given: str, known: Iterable[str]) -> str | None:
    """One sentence, or None when nothing is close."""
    names = list(known)
    inside = [name for name in names if given and given.lower() in name.lower()]
    close = get_close_matches(given, names, n=3, cutoff=0.6) or sorted(inside, key=len)[:3]
    return f"did you mean {' or '.join(close)}?" if close else None
