"""Finds processes that are suspended or do not answer, so that the agent never waits forever.

A task may suspend any process of its user (``kill -STOP``), its own fork server first. What is suspended neither works
nor ends, so no end of file tells of it. One that is found suspended twice in a row is resumed: nothing is lost then.
If it is found so again and again, it is killed and replaced, like one that does not answer: what it ran is lost then,
and repeated.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from headway import clock
from headway.agent import processes
from headway.agent.children import Child, Children
from headway.agent.loop import Loop
from headway.agent.servers import Servers

LOOK_S: Final = 1.0
RESUME_FROM: Final = 2  # looks in a row
REPLACE_AT: Final = 6  # until then somebody else may have suspended it again
START_S_MAX: Final = 60.0  # for a server to fork, whatever else the machine does
KILL_S_MAX: Final = 10.0  # for SIGKILL to be told of


class Running(Protocol):
    """The watch's view of an attempt that has a process."""

    child: Child | None


class Watch:
    def __init__(self, loop: Loop, servers: Servers, children: Children) -> None:
        self.loop = loop
        self.servers = servers
        self.children = children
        self.suspended: dict[int, int] = {}  # pid: looks in a row

    def look(self) -> None:
        self.loop.at(clock.monotonic() + LOOK_S, self.look)
        before, self.suspended = self.suspended, {}
        for pid, replace in self.needed():
            if processes.state_of(pid) == "T":
                looks = self.suspended[pid] = before.get(pid, 0) + 1
                if looks >= REPLACE_AT and replace is not None:
                    replace()
                elif looks >= RESUME_FROM:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
        self.end_silent()

    def needed(self) -> Iterator[tuple[int, Callable[[], object] | None]]:
        """Yield processes that must be able to act, with the function that replaces each. Tasks are not among them,
        because they may suspend themselves.

        A server that is not ready yet imports, and has its limit for that.
        """
        base = self.servers.base
        if base is None or not processes.LINUX:
            return
        yield base.pid, base.kill
        ready = {server.pid: server for server in self.servers.by_number.values()}
        for pid in dict.fromkeys((*processes.children_of(base.pid), *ready)):
            server = ready.get(pid)
            yield pid, None if server is None else partial(self.servers.kill, server)
        for child in list(self.children.by_mark.values()):
            if child.pid and not child.at_work():
                yield child.pid, partial(self.children.kill, child)

    def end_silent(self) -> None:
        """Kill servers that have not answered a request for a process in time."""
        late = clock.monotonic() - START_S_MAX
        for child in list(self.children.by_mark.values()):
            if child.attempt is not None and not child.pid and child.ordered_at < late:
                self.servers.kill(child.server)

    def kill(self, attempt: Running, child: Child) -> None:
        """Let the server kill an attempt. A server that does not report it in time is killed with all its attempts."""
        if attempt.child is not child:
            return
        self.children.kill(child)
        self.loop.at(clock.monotonic() + KILL_S_MAX, lambda: self.insist(attempt, child))

    def insist(self, attempt: Running, child: Child) -> None:
        if attempt.child is not child:
            return
        if processes.state_of(child.pid) == "D":  # it hangs in the kernel: nobody can end it yet
            self.loop.at(clock.monotonic() + KILL_S_MAX, lambda: self.insist(attempt, child))
        else:
            self.servers.kill(child.server)
