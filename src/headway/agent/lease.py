"""The time until which the container of a task may live, also for an agent that is started again beside it.

An agent that comes anew has no lease yet, and perhaps reaches no scheduler: what holds then is what the one before it
was told, by the clock of the node, which both share.
"""

import os
from pathlib import Path
from typing import Final

EARLY_S: Final = 2.0  # before the end of the lease, so that the container has ended by then


class Lease:
    """``file``: where the end of the lease is noted. ``granted``: whose existence says that the container may run."""

    def __init__(self, file: Path, granted: Path) -> None:
        self.file = file
        self.ends_at: float | None = None  # None: nothing was granted, so nothing runs
        if granted.exists():
            self.ends_at = float(file.read_text()) if file.exists() else 0.0

    def extend(self, until: float) -> None:
        self.ends_at = until
        draft = self.file.with_suffix(".new")
        draft.write_text(repr(until))
        os.replace(draft, self.file)

    def holds(self, now: float) -> bool:
        return self.ends_at is None or now < self.ends_at - EARLY_S
