"""Grants free slots to ready instances of the locked runs, by rank, pool by pool.

A grant needs a pool slot and a place in a session of the scheduler's own that serves what the task
needs; both are counted, and neither can be taken twice because the pools are locked and the sessions
belong to one scheduler. Pure, like ``plan``.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from headway.core.graph import ANYWHERE, Need
from headway.core.plan import block
from headway.core.reasons import (
    AgentsFull,
    ExecutorUnknown,
    Granted,
    NoAgent,
    PoolEmpty,
    PoolFull,
    PoolMissing,
    PoolTooSmall,
    QueueUnserved,
    Reason,
)
from headway.core.run import Attempt, Instance, Run
from headway.core.states import Event, State


@dataclass(slots=True)
class Pool:
    """A pool of one team. ``used`` includes what this tick granted and returned."""

    name: str
    slots: int
    used: int

    @property
    def free(self) -> int:
        return self.slots - self.used


@dataclass(slots=True)
class Session:
    """A session of an executor, with places left for attempts and labels."""

    session_id: str
    agent: str
    free: int
    queues: tuple[str, ...] = ("default",)
    executor: str = "agents"
    is_default: bool = True  # its executor is that of tasks that name none

    def serves(self) -> Iterator[Need]:
        for queue in self.queues:
            yield Need(self.executor, queue)
            if self.is_default:
                yield Need("", queue)


class Capacity:
    """The sessions of one team, by what they serve: made once a tick, asked for each grant.

    The first is who serves the fewest queues, so that the places of the others are left for what
    only they can run; among equals, who has the most places.
    """

    def __init__(self, sessions: Sequence[Session], executors: Collection[str] = ()) -> None:
        self.sessions = sessions
        self.executors = {*executors, *(session.executor for session in sessions)}
        self.lines: dict[Need, list[tuple[int, int, int]]] = {}
        for number, session in enumerate(sessions):
            for need in session.serves():
                entry = (len(session.queues), -session.free, number)
                self.lines.setdefault(need, []).append(entry)
        for line in self.lines.values():
            heapq.heapify(line)

    def best(self, need: Need) -> Session | None:
        """Find a session with a place for ``need``. What a grant changed is put right when it is met."""
        line = self.lines.get(need, [])
        while line:
            breadth, free, number = line[0]
            session = self.sessions[number]
            if session.free <= 0:
                heapq.heappop(line)
            elif session.free != -free:
                heapq.heapreplace(line, (breadth, -session.free, number))
            else:
                return session
        return None

    def serving(self, need: Need) -> list[Session]:
        return [session for session in self.sessions if need in session.serves()]


def grant(
    runs: Iterable[Run],
    pools: dict[str, Pool],
    sessions: Sequence[Session],
    token: Callable[[], str],
    executors: Collection[str] = (),
) -> None:
    """Grant what can be granted, and write to those that are left why they wait.

    ``executors``: the names of all there are, with sessions or without.
    """
    runs = list(runs)
    capacity = Capacity(sessions, executors)
    for name in sorted({name for run in runs for name, _ in run.queues.by_need}):
        fill(name, pools.get(name), runs, capacity, token)
    for run in runs:
        explain_left(run, pools, capacity)


def fill(
    name: str,
    pool: Pool | None,
    runs: list[Run],
    capacity: Capacity,
    token: Callable[[], str],
) -> None:
    if pool is None or pool.free <= 0:
        return
    lines = [
        Line(run, pool, need) for run in runs for where, need in run.queues.by_need if where == name
    ]
    heads = [(line.head.rank, n, line) for n, line in enumerate(lines) if line.head is not None]
    heapq.heapify(heads)
    while heads:
        _, number, line = heads[0]
        instance = line.head
        assert instance is not None
        session = capacity.best(line.need)
        if session is None:  # others may need something else
            heapq.heappop(heads)
            continue
        if pool.free < instance.node.pool_slots:
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
    """The ready instances of one run before one pool that need the same. One that needs more slots than the pool has
    must not stop those behind it: it steps aside until the pool may have another size.
    """

    def __init__(self, run: Run, pool: Pool, need: Need) -> None:
        self.run = run
        self.pool = pool
        self.need = need
        self.aside: list[Instance] = []
        self.head: Instance | None = None
        self.move_up()

    def move_up(self) -> None:
        self.head = self.run.queues.first(self.pool.name, self.need)
        while self.head is not None and self.head.node.pool_slots > self.pool.slots:
            self.aside.append(self.run.queues.step_aside(self.head))
            self.head = self.run.queues.first(self.pool.name, self.need)

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


def explain_left(run: Run, pools: dict[str, Pool], capacity: Capacity) -> None:
    """Write to each instance that became ready and was not granted why it waits, once."""
    for instance in run.queues.fresh:
        if instance.state is State.READY and instance.rank is not None:
            block(run, instance, reason(instance, pools, capacity))
    run.queues.fresh = []


def reason(instance: Instance, pools: dict[str, Pool], capacity: Capacity) -> Reason:
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
    return no_place(instance.node.need, capacity)


def no_place(need: Need, capacity: Capacity) -> Reason:
    if need.executor and need.executor not in capacity.executors:
        return ExecutorUnknown(need.executor, tuple(sorted(capacity.executors)))
    if serving := capacity.serving(need):
        return AgentsFull(tuple(session.agent for session in serving))
    if need == ANYWHERE and not capacity.sessions:
        return NoAgent()
    return QueueUnserved(need.queue, need.executor)
