"""Ends attempts that use more memory than their limit, looking several times a second while there are such limits."""

from typing import Final, Protocol

from headway import clock
from headway.agent.attempts import Attempt, End
from headway.agent.children import Children
from headway.agent.loop import Loop

LOOK_S: Final = 0.25


class Owner(Protocol):
    """The agent."""

    running: dict[int, Attempt]

    def stop(self, attempt: Attempt, end: End, grace_s: float = ...) -> None: ...


class MemoryWatch:
    def __init__(self, loop: Loop, children: Children, owner: Owner) -> None:
        self.loop = loop
        self.children = children
        self.owner = owner
        self.looking = False

    def begin(self) -> None:
        """Look from now on, as long as an attempt runs that has a limit."""
        if not self.looking:
            self.look()

    def look(self) -> None:
        running = self.owner.running.values()
        limited = [one for one in running if one.grant.memory_limit_mb is not None]
        self.looking = bool(limited)
        for attempt in limited:
            limit_mb = attempt.grant.memory_limit_mb
            assert limit_mb is not None
            used = 0 if attempt.child is None else self.children.memory_of(attempt.child) >> 20
            if used > limit_mb:
                detail = f"it used {used} MB of memory, its limit is {limit_mb} MB"
                self.owner.stop(attempt, End("failed", "memory", detail), grace_s=0.0)
        if limited:
            self.loop.at(clock.monotonic() + LOOK_S, self.look)
