"""Durations, counts and suggestions in words that a person reads at a glance."""

from collections.abc import Iterable, Sequence
from typing import Final

CANDIDATES_MAX: Final = 10_000  # comparing with more costs longer than a person waits
LETTERS_MAX: Final = 200_000  # of all of them
WORD_MAX: Final = 250


def duration(seconds: float) -> str:
    """``180 ms``, ``4.2 s``, ``12 s``, ``3 m 12 s``, ``14 m``, ``2 h 5 m``, ``3 d 4 h``."""
    if seconds < 0.9995:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return two(whole, 60, "m", 1, "s")
    if whole < 3_600:
        return f"{whole // 60} m"
    if whole < 86_400:
        return two(whole, 3_600, "h", 60, "m")
    return two(whole, 86_400, "d", 3_600, "h")


def two(whole: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = whole % large // small
    return f"{whole // large} {large_unit}" + (f" {rest} {small_unit}" if rest else "")


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 task``, ``1,500 tasks``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Sequence[str], most: int = 3) -> str:
    """``a``, ``a and b``, ``a, b and 7 others``."""
    if len(words) > most:
        left = len(words) - most + 1
        return f"{', '.join(words[: most - 1])} and {left:,} others"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of ``known`` that is closest to ``word``; None: none is close. Case does not matter."""
    import difflib

    candidates = list(known)
    if len(candidates) > CANDIDATES_MAX or len(word) > WORD_MAX:
        return None
    if sum(map(len, candidates)) > LETTERS_MAX:
        return None
    folded = {candidate.casefold(): candidate for candidate in candidates}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None


def person(actor: str) -> str:
    """Return how an actor is called in a sentence: a person by the name alone."""
    return actor.removeprefix("user:")
