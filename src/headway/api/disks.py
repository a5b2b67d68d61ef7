"""Whether what is written now finds room: in the data directory, and where the database is.

Reading goes on as ever on a full disk, so everything else looks well.
"""

import asyncio
import os
from pathlib import Path
from typing import Final

from headway import clock, wire
from headway.api.door import Door
from headway.errors import StorageFull
from headway.store.views import health

EVERY_S: Final = 5.0  # what was found counts for so long
BYTES_MIN: Final = (
    8_000_000  # some logs and a large result; the database's disk is asked for as much
)


class Disks:
    def __init__(self) -> None:
        self.looked_at = float("-inf")
        self.database_full = False
        self.looking = asyncio.Lock()

    async def lacking(self, data: Path, door: Door) -> list[wire.Component]:
        """The disks that are full; raises what ``door.call`` does."""
        async with self.looking:
            if clock.monotonic() - self.looked_at > EVERY_S:
                self.database_full = await is_full(door)
                self.looked_at = clock.monotonic()
        found = await asyncio.to_thread(full_disk, data)
        if self.database_full:
            found.append(lack("disk of the database", "is full: nothing more can be written"))
        return found


async def is_full(door: Door) -> bool:
    try:
        await door.call(health.use_disk, BYTES_MIN)
    except StorageFull:
        return True
    return False


def full_disk(data: Path) -> list[wire.Component]:
    """The data directory's, where there is no room left, neither for bytes nor for files."""
    room = os.statvfs(data)
    free = room.f_bavail * room.f_frsize
    if room.f_files and not room.f_favail:
        return [lack("disk", f"{data} has room for no more files")]
    if free < BYTES_MIN:
        return [lack("disk", f"{data} has {free / 1e6:.1f} MB free")]
    return []


def lack(name: str, detail: str) -> wire.Component:
    return wire.Component(name=name, healthy=False, detail=detail)
