"""Bulk parameters: rows as one JSON text, opened again by ``json_to_recordset`` in the statement.

One parameter whatever the number of rows and columns, encoded in C: a third of the cost of an array
for each column.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

ENCODER = msgspec.json.Encoder()

# The escape of NUL, and not an escaped backslash before the plain text "u0000".
NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def rows(values: Sequence[Any]) -> str:
    """Structs or dicts → JSON text. PostgreSQL's text cannot hold NUL: it is shown as U+2400."""
    text = ENCODER.encode(values).decode()
    return NUL.sub("\\1\u2400", text) if "\\u0000" in text else text
