"""Checks that a value can be stored and sent: in PostgreSQL's text and JSON, agents' messages and the API.

Applied at each entry point: parameters and dates of runs, and every field of a spec.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

TAG: Final = "__headway__"  # of a JSON object that stands for what JSON has no word for
ID_BYTES_MAX: Final = 250  # ids are names of folders, and file systems end at 255
PARAMS_BYTES_MAX: Final = 256 * 1024  # of a run, as JSON: data of this size belongs into a file
DEPTH_MAX: Final = 64
DIGITS_MAX: Final = 1000  # of an integer
SURROGATE: Final = re.compile("[\ud800-\udfff]")
INTEGER_MAX: Final = 2**31 - 1  # of a number in a specification: PostgreSQL's integer
SECONDS_MAX: Final = 100 * 365 * 86_400.0  # later than any calendar that adds it to today's date
# A day from either end of what Python and PostgreSQL can write down: every time zone has a date for it.
EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)
DATES: Final = "between 0001-01-02 and 9999-12-30"

Path = tuple[str | int, ...]


def flaws(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield each part of a value that JSON, a message or the database cannot carry: its path and why.

    ``value`` consists of JSON types.
    """
    if isinstance(value, str):
        if (why := flaw_of_text(value)) is not None:
            yield path, why
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if abs(value) >= 10**DIGITS_MAX:
            yield path, f"is an integer of more than {DIGITS_MAX:,} digits"
    elif isinstance(value, float):
        if not -float("inf") < value < float("inf"):
            yield path, f"is {value}, which JSON cannot represent"
    elif len(path) >= DEPTH_MAX:
        yield path, f"is nested more than {DEPTH_MAX} levels deep"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if (why := flaw_of_text(key)) is not None:
                yield (*path, ascii(key)), f"is under a name that {why}"
            yield from flaws(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from flaws(item, (*path, index))


def flaw_of_text(text: str) -> str | None:
    if "\0" in text:
        return "contains the character NUL (\\0)"
    if not text.isascii() and SURROGATE.search(text):
        return "contains an incomplete character (lone surrogate), as from a file name that is not UTF-8"
    return None


def flaw_of_date(date: datetime) -> str | None:
    if date.utcoffset() is None:
        return "has no time zone"
    if not EARLIEST <= date <= LATEST:
        return f"is not {DATES}"
    return None


def shown(text: str) -> str:
    """Return text for people, with characters that cannot be stored made visible."""
    if flaw_of_text(text) is None:
        return text
    return text.replace("\0", "\u2400").encode("utf-8", "backslashreplace").decode()


def place(path: Path) -> str:
    """Format a path as ``["a"][0]``, to append to a name."""
    return "".join(f"[{key!r}]" if isinstance(key, str) else f"[{key}]" for key in path)
