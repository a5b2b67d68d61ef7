"""Who gets the free slots: the ready instances of the locked runs, in the order of their rank, pool
by pool.

A grant needs a pool slot and a place at an agent of the scheduler's own; both are counted, and
neither can be taken twice because the pools are locked and the agents belong to one scheduler.
Pure, like ``plan``.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from headway.core.plan import block
from headway.core.reasons import (
    AgentsFull,
    Granted,
    NoAgent,
    PoolEmpty,
    PoolFull,
    PoolMissing,
    PoolTooSmall,
    Reason,
)
from headway.core.run import Attempt, Instance, Run
from headway.core.states import Event, State


@dataclass(slots=True)
class Pool:
    """Of one team. ``used`` includes what this tick has granted and given back."""

    name: str
    slots: int
    used: int

    @property
    def free(self) -> int:
        return self.slots - self.used


@dataclass(slots=True)
class Session:
    """An agent's session with places left for attempts."""

    session_id: str
    agent: str
    free: int


def grant(
    runs: Iterable[Run],
    pools: dict[str, Pool],
    sessions: list[Session],
    token: Callable[[], str],
) -> None:
    """Grant what can be granted, and write to those that are left why they wait."""
    runs = list(runs)
    for name in sorted({name for run in runs for name in run.queues.by_pool}):
        fill(name, pools.get(name), runs, sessions, token)
    for run in runs:
        explain_left(run, pools, sessions)


def fill(
    name: str,
    pool: Pool | None,
    runs: list[Run],
    sessions: list[Session],
    token: Callable[[], str],
) -> None:
    if pool is None or pool.free <= 0:
        return
    lines = [Line(run, pool) for run in runs]
    heads = [(line.head.rank, n, line) for n, line in enumerate(lines) if line.head is not None]
    heapq.heapify(heads)
    while heads:
        _, number, line = heads[0]
        instance = line.head
        assert instance is not None
        session = max(sessions, key=lambda s: s.free, default=None)
        if session is None or session.free <= 0 or pool.free < instance.node.pool_slots:
            break
        hand_over(line.run, instance, session, token())
        pool.used += instance.node.pool_slots
        session.free -= 1
        line.move_up()
        if line.head is None:
            heapq.heappop(heads)
        else:
            heapq.heapreplace(heads, (line.head.rank, number, line))
    for line in lines:
        line.leave()


class Line:
    """The ready instances of one run before one pool. One that needs more slots than the pool has
    must not stop those behind it: it steps aside until the pool may have another size.
    """

    def __init__(self, run: Run, pool: Pool) -> None:
        self.run = run
        self.pool = pool
        self.aside: list[Instance] = []
        self.head: Instance | None = None
        self.move_up()

    def move_up(self) -> None:
        self.head = self.run.queues.first(self.pool.name)
        while self.head is not None and self.head.node.pool_slots > self.pool.slots:
            self.aside.append(self.run.queues.step_aside(self.head))
            self.head = self.run.queues.first(self.pool.name)

    def leave(self) -> None:
        for instance in self.aside:
            self.run.queues.put_back(instance)


def hand_over(run: Run, instance: Instance, session: Session, token: str) -> None:
    attempt = Attempt(
        number=instance.number + 1,
        token=token,
        session=session.session_id,
        queued_at=run.now,
        ready_at=instance.ready_at,
        waited_for=instance.waited_for,
    )
    why = Granted(instance.node.pool, session.agent)
    run.move(instance, Event.GRANT, why, attempt=attempt)


def explain_left(run: Run, pools: dict[str, Pool], sessions: list[Session]) -> None:
    """Write to each instance that became ready and was not granted why it waits, once."""
    for instance in run.queues.fresh:
        if instance.state is State.READY and instance.rank is not None:
            block(run, instance, reason(instance, pools, sessions))
    run.queues.fresh = []


def reason(instance: Instance, pools: dict[str, Pool], sessions: list[Session]) -> Reason:
    name = instance.node.pool
    pool = pools.get(name)
    if pool is None:
        return PoolMissing(name)
    if pool.slots == 0:
        return PoolEmpty(name)
    if pool.slots < instance.node.pool_slots:
        return PoolTooSmall(name, instance.node.pool_slots, pool.slots)
    if pool.free < instance.node.pool_slots:
        return PoolFull(name, pool.used, pool.slots)
    if not sessions:
        return NoAgent()
    return AgentsFull(tuple(session.agent for session in sessions))
