"""Bulk parameters: rows as one JSON text, opened again by ``json_to_recordset`` in the statement.

One parameter whatever the number of rows and columns, encoded in C: a third of the cost of an array
for each column.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import msgspec

ENCODER = msgspec.json.Encoder()

# The escape of NUL, and not an escaped backslash before the plain text "u0000".
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


Columns = Mapping[LiteralString, LiteralString]
"""The columns of a table by name, with their types: what a statement says of them is made from it."""


def names(columns: Columns) -> LiteralString:
    """``a, b``"""
    return ", ".join(columns)


def typed(columns: Columns) -> LiteralString:
    """``a integer, b text``, for ``json_to_recordset``."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def taken(columns: Columns, source: LiteralString) -> LiteralString:
    """``a = source.a, b = source.b``, for ``SET``."""
    return ", ".join(f"{name} = {source}.{name}" for name in columns)


def rows(values: Sequence[Any]) -> str:
    """Structs or dicts → JSON text. PostgreSQL's text cannot hold NUL: it is shown as U+2400."""
    text = ENCODER.encode(values).decode()
    return NUL.sub("\\1\u2400", text) if "\\u0000" in text else text
