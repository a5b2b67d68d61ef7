"""The files of a task's container: text as it is, everything else as JSON.

They are the one way for what no pod's object may hold: connections, variables and results. They are in memory, and
gone with the pod; the container may read them and nothing more.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from headway.authoring.run import Fail

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
BYTES_MAX: Final = 16 * 1024 * 1024  # of all files together
MODE: Final = 0o440


def write_all(folder: Path, files: object) -> None:
    """Write the files. Raises Fail for what cannot be one."""
    if files is None:
        return
    if not isinstance(files, Mapping):
        raise Fail(
            f'files must be a dict, such as {{"day.txt": "{{{{ ds }}}}"}}, not {files!r:.100}'
        )
    contents = {name: content_of(name, value) for name, value in files.items()}
    if sum(map(len, contents.values())) > BYTES_MAX:
        raise Fail(
            f"files have {sum(map(len, contents.values())):,} bytes; the limit is {BYTES_MAX:,}. "
            "Keep large data in a store, and name its place"
        )
    for name, content in contents.items():
        place = folder / name
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
        try:
            with open(file, "wb", closefd=False) as out:
                out.write(content)
            os.fchmod(file, MODE)
        finally:
            os.close(file)


def content_of(name: object, value: object) -> bytes:
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise Fail(f"files has {name!r:.100}, which is not the name of a file")
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Fail(f'the file "{name}" cannot be written as JSON: {error}') from None
