"""The directory in which a DAG file runs: the restored copy of its version, read-only if the system allows it.

Modes keep everybody but root from writing. Root gets a mount namespace of its own, in which the copy is mounted
read-only. Where neither holds, a write changes that copy alone, until the next server is opened on it.
"""

import os
from pathlib import Path
from typing import Final

from headway import bundle
from headway.agent.processes import LIBC, LINUX

CLONE_NEWNS: Final = 0x20000
MS_RDONLY: Final = 1
MS_REMOUNT: Final = 32
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_SLAVE: Final = 1 << 19
KEPT: Final = os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC if LINUX else 0  # the same bits as MS_…


def enter(root: Path) -> int:
    """Return the descriptor that holds the copy. Raises NotFound and Lost."""
    handle = bundle.occupy(root)
    if LINUX:
        mount_read_only(root)
    return handle


def mount_read_only(root: Path) -> bool:
    """Mount in a namespace of this process and its children, which still receives other mounts."""
    place = os.fsencode(root)
    flags = MS_REMOUNT | MS_BIND | MS_RDONLY | os.statvfs(root).f_flag & KEPT
    return bool(
        LIBC.unshare(CLONE_NEWNS) == 0
        and LIBC.mount(None, b"/", None, MS_REC | MS_SLAVE, None) == 0
        and LIBC.mount(place, place, None, MS_BIND, None) == 0
        and LIBC.mount(None, place, None, flags, None) == 0
    )
