"""The warm pool of a team: how many agents its load calls for now, and which of them may leave. Pure.

An agent runs ``slots`` tasks at once. The pool grows at once, to what runs, waits and is about to start. It shrinks
only by agents that ran nothing for a while, so that no task is disturbed and a pause between two runs costs no start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WARM: Final = (
    "warm"  # the executor of tasks that want a running agent: each agent of the team is one
)
SLOTS: Final = 4
IDLE_S: Final = 300
TASKS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a pool. ``least`` and ``most``: agents; ``idle_s``: after which an agent may leave."""

    least: int
    most: int
    slots: int = SLOTS
    idle_s: float = IDLE_S


@dataclass(frozen=True, slots=True)
class Load:
    """Tasks that need agents of the pool: ``waiting`` are ready and found no place, ``coming`` start within the time
    that an agent needs to start.
    """

    waiting: int = 0
    coming: int = 0


@dataclass(frozen=True, slots=True)
class WarmAgent:
    """An agent of the pool. ``held``: attempts that it has; ``idle_s``: since it had one, None while it has some or has
    not connected yet; ``is_old``: it is of an earlier version of the pool, and another one will take its place.
    """

    name: str
    held: int = 0
    idle_s: float | None = None
    is_ready: bool = True
    is_old: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """``replicas``: agents that are wanted. ``leaving``: those that go first if there are more."""

    replicas: int
    leaving: tuple[str, ...] = ()


def decide(bounds: Bounds, load: Load, agents: Sequence[WarmAgent], before: int) -> Decision:
    """Return the size of the pool. ``before``: the size that was asked for last; agents may still be on their way."""
    held = sum(agent.held for agent in agents)
    needed = -(-(held + load.waiting + load.coming) // bounds.slots)
    # Tasks are spread: each agent that has some counts as one, however few they are.
    busy = sum(agent.held > 0 for agent in agents)
    wanted = min(max(needed, busy, bounds.least), bounds.most)
    if wanted >= before:
        return Decision(wanted, outdated(agents))
    if (
        before > bounds.most
    ):  # somebody lowered the limit: the idle ones first, then the others drain
        order = sorted(agents, key=lambda agent: (agent.held, -(agent.idle_s or 0.0), agent.name))
    else:
        idle = [agent for agent in agents if may_leave(agent, bounds)]
        order = sorted(idle, key=lambda agent: (-(agent.idle_s or 0.0), agent.name))
        wanted = max(wanted, before - len(idle))
    return Decision(wanted, tuple(agent.name for agent in order[: before - wanted]))


def outdated(agents: Sequence[WarmAgent]) -> tuple[str, ...]:
    """Return the agent of an earlier version that makes way next, if one is idle: the busy ones end what they have."""
    idle = [
        agent for agent in agents if agent.is_old and not agent.held and agent.idle_s is not None
    ]
    order = sorted(idle, key=lambda agent: (-(agent.idle_s or 0.0), agent.name))
    return tuple(agent.name for agent in order[:1])


def may_leave(agent: WarmAgent, bounds: Bounds) -> bool:
    return agent.held == 0 and agent.idle_s is not None and agent.idle_s >= bounds.idle_s
