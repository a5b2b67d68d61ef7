"""Data on stdout: a table for people, JSON or YAML for programs."""

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from headway.cli.options import Output
from headway.core.words import duration

# What others wrote must not command the terminal of who reads it.
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def show(
    data: object, output: Output, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Print ``data`` as JSON or YAML, or ``rows`` as a table."""
    if output is Output.JSON:
        line(msgspec.json.format(msgspec.json.encode(data)).decode())
    elif output is Output.YAML:
        line(yaml(msgspec.to_builtins(data)).rstrip())
    else:
        table(columns, rows)


def located(file: object, line: int | None) -> str:
    """Return file:line, or only the file if there is no line, as for a link."""
    return f"{file}:{line}" if line else str(file)


def line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Format rows as columns aligned by spaces, easy to read and to cut."""
    cells = [list(columns), *([cell(value) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    for row in cells:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        line("  ".join(padded).rstrip())


def cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        shown = value.isoformat(" ", "seconds")
        return shown.replace("+00:00", "Z")  # with its zone, and to be pasted as a --date
    text = "\\n".join(str(value).splitlines())  # one line for each row
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\t", "\\t"))


def yaml(value: object, indent: int = 0) -> str:
    """Format a value as YAML. Scalars are written as JSON, so that no text is read as a number or a date."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{key_of(key)}:{nested(item, indent)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}-{nested(item, indent)}" for item in value)
    return f"{pad}{msgspec.json.encode(value).decode()}\n"


def nested(value: object, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return f"\n{yaml(value, indent + 1)}"
    return f" {msgspec.json.encode(value).decode()}\n"


def key_of(key: object) -> str:
    text = str(key)
    return (
        text
        if text.isidentifier() and text.lower() not in WORDS
        else msgspec.json.encode(text).decode()
    )


WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def seconds(first: datetime | None, last: datetime | None) -> str:
    """Format a duration for a person."""
    if first is None or last is None:
        return "-"
    return duration((last - first).total_seconds())
