"""Reads the rendered fields of an attempt from its run's file. Blocks; call it on a thread."""

from pathlib import Path

import msgspec

from headway import wire
from headway.api.logs.files import opened
from headway.paths import rendered_of

LINE = msgspec.json.Decoder(tuple[str, list[tuple[str, str]]])


def fields_of(log: Path) -> list[wire.RenderedField]:
    """Return all entries of the attempt, in order. Skips a line that a full disk cut off."""
    path, key = rendered_of(str(log))
    beginning = b"[" + msgspec.json.encode(key) + b","
    found = []
    with opened(Path(path)) as (descriptor, _), open(descriptor, "rb", closefd=False) as file:
        for line in file:
            if line.startswith(beginning) and line.endswith(b"\n"):
                found += LINE.decode(line)[1]
    return [wire.RenderedField(name=name, value=value) for name, value in found]
