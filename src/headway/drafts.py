"""Files that several processes may want to make at once, on one machine or many."""

import os
from contextlib import suppress
from pathlib import Path

from headway import ids


def made_once(file: Path, text: str) -> None:
    """Write a private file unless it exists. Of several processes at once, one makes it."""
    draft = file.with_name(f".{file.name}.{ids.run_id()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
