"""Check for free space in the data directory and on the database's disk.

Reading still works on a full disk, so every other check looks healthy.
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
        """Return the disks that are full. Raises what ``door.call`` raises."""
        async with self.looking:
            if clock.monotonic() - self.looked_at > EVERY_S:
                self.database_full = await is_full(door)
                self.looked_at = clock.monotonic()
        found = await asyncio.to_thread(full_disk, data)
        if self.database_full:
            found.append(lack("disk of the database", "is full"))
        return found


async def is_full(door: Door) -> bool:
    try:
        await door.call(health.use_disk, BYTES_MIN)
    except StorageFull:
        return True
    return False


def full_disk(data: Path) -> list[wire.Component]:
    """Return the data directory's disk if it has no space or no inodes left."""
    room = os.statvfs(data)
    free = room.f_bavail * room.f_frsize
    if room.f_files and not room.f_favail:
        return [lack("disk", f"{data} cannot hold more files (no inodes left)")]
    if free < BYTES_MIN:
        return [lack("disk", f"{data} has {free / 1e6:.1f} MB free")]
    return []


def lack(name: str, detail: str) -> wire.Component:
    return wire.Component(name=name, healthy=False, detail=detail)
