"""The audit as text for other programs: JSON lines or CSV, with the hash chain."""

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Final

import msgspec

from headway import wire

Write = Callable[[Sequence[wire.AuditRecord]], bytes]

FIELDS: Final = wire.AuditRecord.__struct_fields__
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute what begins so


def json_lines(records: Sequence[wire.AuditRecord]) -> bytes:
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def comma_separated(records: Sequence[wire.AuditRecord]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(
        [cell(getattr(record, name)) for name in FIELDS] for record in records
    )
    return text.getvalue().encode()


def cell(value: object) -> str:
    plain = msgspec.to_builtins(value)
    text = plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()
    return f"'{text}" if text.startswith(FORMULA) else text


FORMATS: Final[Mapping[str, tuple[bytes, Write]]] = {
    "jsonl": (b"", json_lines),
    "csv": (",".join(FIELDS).encode() + b"\r\n", comma_separated),
}
"""The first line, and what writes the entries."""
