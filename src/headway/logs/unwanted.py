"""Requests to remove logs from the log store: a file for each run, created by the janitor and deleted by the shipper.

The janitor knows the database and no store, the shipper the store and no database. A wish may be made
and done again: there is no less to remove than before.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from headway.config import Layout
from headway.paths import plain_name


class Unwanted(msgspec.Struct, frozen=True):
    team: str
    run_id: str
    before: datetime | None = None  # only what was written before then

    @property
    def prefix(self) -> str:
        """Return the prefix of a run's logs in the store."""
        return f"{plain_name(self.team)}/{plain_name(self.run_id)}/"


def ask(layout: Layout, wish: Unwanted) -> None:
    layout.unwanted.mkdir(mode=0o700, exist_ok=True)
    draft = layout.unwanted / ".new"
    draft.write_bytes(msgspec.json.encode(wish))
    draft.replace(layout.unwanted / wish.prefix.rstrip("/").replace("/", "!"))


def wishes(layout: Layout) -> Iterator[tuple[Path, Unwanted]]:
    """Yield each wish with the file that is to be removed when it is done.

    One that a crash left damaged is made anew by the next life of who made it.
    """
    if not layout.unwanted.is_dir():
        return
    for path in sorted(layout.unwanted.iterdir()):
        if path.name.startswith("."):
            continue
        try:
            wish = msgspec.json.decode(path.read_bytes(), type=Unwanted)
        except msgspec.DecodeError:
            path.unlink()
            continue
        yield path, wish
