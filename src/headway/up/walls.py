"""The walls between the teams of a server, and their gaps: told at its start, and read by ``headway doctor``."""

import msgspec

from headway.config import Layout


class Walls(msgspec.Struct):
    """``database``: what an administrator should change. ``processes``: why teams share a user. Empty: no gap."""

    database: str = ""
    processes: str = ""

    def write(self, layout: Layout) -> None:
        layout.walls.write_bytes(msgspec.json.encode(self))

    @property
    def gaps(self) -> list[str]:
        return [gap for gap in (self.database,) if gap]


def read(layout: Layout) -> Walls | None:
    """Return what the server that runs now has said, or None if there is none."""
    try:
        return msgspec.json.decode(layout.walls.read_bytes(), type=Walls)
    except (OSError, msgspec.DecodeError):
        return None
