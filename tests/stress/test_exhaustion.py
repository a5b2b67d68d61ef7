"""F10: a scheduler that has no memory left ends, and the next one goes on; without a descriptor it lets nobody in."""

import contextlib
import re
import resource
import socket
import sys
from pathlib import Path

import pytest

from tests.stress.installation import Installation, installation
from tests.stress.verdicts import all_succeeded, holds, nothing_was_lost

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prlimit")

ROOM = (
    1 << 20
)  # a tick of many runs needs more; who does not see it, Python or a library, is chance


def knock(site: Installation) -> None:
    """Somebody connects, and there is no descriptor for it."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(site.layout.run / "gateway0"))


def much_to_hold(site: Installation) -> None:
    site.trigger(3, items=400, seconds=0, stumbles=False)


def bytes_of(pid: int) -> int:
    """Of address space."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()


@pytest.mark.stress
def test_a_scheduler_without_resources_makes_way() -> None:
    with installation(schedulers=1) as site:
        site.trigger(2, items=10, stumbles=False)
        site.until(lambda: len(site.executions()) > 4, 30, "it has begun")
        pid = site.component("scheduler0").pid
        assert pid is not None
        most = bytes_of(pid) + ROOM
        resource.prlimit(pid, resource.RLIMIT_AS, (most, most))
        much_to_hold(site)
        site.until(lambda: site.component("scheduler0").starts == 2, 30, "it ended")
        site.until(lambda: site.unfinished() == 0, 120, "all runs have ended")
        (death,) = site.said
        assert re.search(
            "MemoryError|SIGSEGV", death + site.component("scheduler0").log.read_text()
        )
        holds(site)
        all_succeeded(site)
        nothing_was_lost(site)


@pytest.mark.stress
def test_a_scheduler_without_descriptors_goes_on_with_whom_it_knows() -> None:
    with installation(schedulers=1) as site:
        site.trigger(2, items=10, stumbles=False)
        site.until(lambda: len(site.executions()) > 4, 30, "it has begun")
        scheduler = site.component("scheduler0")
        assert scheduler.pid is not None
        before = resource.prlimit(scheduler.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(scheduler.pid, resource.RLIMIT_NOFILE, (1, before[1]))
        knock(site)
        told = "no agent can be let in now: Too many open files"
        site.until(lambda: told in scheduler.log.read_text(), 30, "it has said so")
        site.until(lambda: site.unfinished() == 0, 120, "all runs have ended")
        assert scheduler.starts == 1
        holds(site)
        all_succeeded(site)
        nothing_was_lost(site)
