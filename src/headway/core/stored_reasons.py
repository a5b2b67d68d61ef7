"""Reasons as they were stored, by this version of Headway or another one."""

from functools import lru_cache
from typing import Final

import msgspec

from headway.core.reasons import Reason, Text

UNREADABLE: Final = (msgspec.MsgspecError, RecursionError)
UNKNOWN_CHARS_MAX: Final = 2_000  # as long as what a task says of its end
DECODER: Final[msgspec.json.Decoder[Reason]] = msgspec.json.Decoder(Reason)


@lru_cache(maxsize=1024)
def stored(text: str) -> Reason:
    """A reason as it was stored. One that this version does not know is a ``Text`` that tells it as it is."""
    try:
        return DECODER.decode(text)
    except UNREADABLE:
        return Text(unknown(text)[:UNKNOWN_CHARS_MAX])


def unknown(text: str) -> str:
    """Word whatever JSON was stored, also what no version of Headway writes: a page shows it, and does not fail."""
    try:
        facts = msgspec.json.decode(text)
    except UNREADABLE:  # numbers that no computer counts to, or lists in lists in lists
        return text
    if not isinstance(facts, dict):
        return str(facts)
    name = str(facts.get("kind", "unknown")).replace("_", " ")
    rest = ", ".join(f"{key} {value}" for key, value in facts.items() if key != "kind")
    return f"{name}: {rest}" if rest else name
