"""Rendered fields of a run's attempts, one line each, in a file in the folder of the run's logs.

One file, not one for each attempt: most are never looked at, and making a file costs more than the
line. It is masked as the log is, bounded, and goes with the logs. Who cannot write it goes on.
"""

import contextlib
import os
from typing import Final

import msgspec

from headway.agent.masking import Masker
from headway.paths import rendered_of

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def write(log: str, masker: Masker, fields: list[tuple[str, str]]) -> None:
    """``log``: the path of the attempt's log."""
    path, key = rendered_of(log)
    shown = [(name, masker.text(value)) for name, value in fields]
    line = msgspec.json.encode((key, shown)) + b"\n"
    with contextlib.suppress(OSError):
        try:
            file = os.open(path, FLAGS, 0o640)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            file = os.open(path, FLAGS, 0o640)
        try:
            if os.fstat(file).st_size < FILE_BYTES_MAX:
                os.write(file, line)
        finally:
            os.close(file)
