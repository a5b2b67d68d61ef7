"""Grants free slots to ready instances of the locked runs of one team, by rank.

A grant needs a slot of the team, slots of a pool, and a place in a session of the scheduler's own that serves what
the task needs; all are counted, and none can be taken twice because share and pools are locked and the sessions
belong to one scheduler. Pure, like ``plan``.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from headway.core.foreign import foreign
from headway.core.graph import ANYWHERE, Need
from headway.core.ready import block
from headway.core.reasons import (
    AgentsFull,
    ExecutorUnknown,
    Granted,
    NoAgent,
    PoolEmpty,
    PoolFull,
    PoolMissing,
    PoolNotShared,
    PoolShared,
    PoolTooSmall,
    PoolTurn,
    QueueUnserved,
    Reason,
    TeamSlots,
)
from headway.core.run import Attempt, Instance, Run
from headway.core.states import Event, State


@dataclass(slots=True)
class Pool:
    """A pool of one team, or what another team lends it. ``used`` includes what this tick granted and returned.

    ``allotted``: how many of the slots this team may use now (``core.lending``); None: no other team uses the pool.
    ``is_open``: false where the pool is another team's that no longer lends it.
    """

    name: str
    slots: int
    used: int
    allotted: int | None = None
    is_open: bool = True

    @property
    def is_shared(self) -> bool:
        return self.allotted is not None

    @property
    def free(self) -> int:
        return (self.slots if self.allotted is None else self.allotted) - self.used


@dataclass(slots=True, kw_only=True)
class Share:
    """The slots of one team (``core.shares``). ``used`` includes what this tick granted and returned.

    ``allotted`` and ``fair`` are None where nothing is shared: then nothing but pools and places counts.
    """

    team: str
    used: int = 0
    nominal: int | None = None
    allotted: int | None = None
    fair: int | None = None
    short: bool = False  # it wants more than it may use
    kept: int = 0  # slots that are not lent

    @property
    def limit(self) -> int | None:
        """Return how many slots the team may use: those beyond its fair share go back as its tasks end."""
        if self.allotted is None or self.fair is None:
            return None
        return min(self.allotted, self.fair)

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.used >= self.limit

    @property
    def slack(self) -> int:
        """Return how many slots others could have."""
        if self.allotted is None or self.fair is None:
            return 0
        needed = max(self.used, self.kept, self.fair if self.short else 0)
        return self.allotted - min(self.allotted, needed)

    def why(self) -> TeamSlots:
        limit, nominal = self.limit or 0, self.nominal or 0
        borrowed = 0 if self.nominal is None else max(0, self.used - nominal)
        return TeamSlots(self.team, self.used, limit, borrowed, max(0, nominal - limit))


@dataclass(slots=True)
class Session:
    """A session of an executor, with places left for attempts and labels."""

    session_id: str
    agent: str
    free: int
    queues: tuple[str, ...] = ("default",)
    executor: str = "agents"
    is_default: bool = True  # its executor is that of tasks that name none
    full: Reason | None = None  # why it has no place once all are taken, where its executor knows
    also: tuple[str, ...] = ()  # other names of its executor

    def serves(self) -> Iterator[Need]:
        for queue in self.queues:
            yield Need(self.executor, queue)
            for name in self.also:
                yield Need(name, queue)
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
        self.executors |= {name for session in sessions for name in session.also}
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
    share: Share | None = None,
) -> None:
    """Grant what can be granted, and write to those that are left why they wait.

    ``executors``: the names of all there are, with sessions or without; ``share``: the slots of the team of the runs.
    """
    runs = list(runs)
    capacity = Capacity(sessions, executors)
    fill(runs, pools, capacity, token, share)
    for run in runs:
        explain_left(run, pools, capacity, share)


def fill(
    runs: list[Run],
    pools: dict[str, Pool],
    capacity: Capacity,
    token: Callable[[], str],
    share: Share | None,
) -> None:
    lines = [
        Line(run, pool, need)
        for run in runs
        for name, need in run.queues.by_need
        if (pool := pools.get(name)) is not None and pool.free > 0
    ]
    heads = [(line.head.rank, n, line) for n, line in enumerate(lines) if line.head is not None]
    heapq.heapify(heads)
    full: set[str] = set()  # pools whose next one does not fit: nobody overtakes it
    while heads:
        _, number, line = heads[0]
        instance = line.head
        assert instance is not None
        session = capacity.best(line.need)
        if session is None or line.pool.name in full:  # others may need something else
            heapq.heappop(heads)
            continue
        if line.pool.free < instance.node.pool_slots:
            full.add(line.pool.name)
            continue
        if share is not None and share.is_full:
            share.short = True
            break
        hand_over(line.run, instance, session, token())
        line.pool.used += instance.node.pool_slots
        session.free -= 1
        if share is not None:
            share.used += 1
        line.move_up()
        if line.head is None:
            heapq.heappop(heads)
        else:
            heapq.heapreplace(heads, (line.head.rank, number, line))
    if share is not None and not share.is_full:
        share.short = False
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
    if instance.attempt is not None:
        attempt = run.resume(instance, token, session.session_id)
    else:
        attempt = Attempt(
            number=instance.attempts + 1,
            token=token,
            session=session.session_id,
            queued_at=run.now,
            ready_at=instance.ready_at,
            waited_for=instance.waited_for,
        )
    why = Granted(instance.node.pool, session.agent)
    run.move(instance, Event.GRANT, why, attempt=attempt)


def explain_left(run: Run, pools: dict[str, Pool], capacity: Capacity, share: Share | None) -> None:
    """Write to each instance that became ready and was not granted why it waits, once."""
    for instance in run.queues.fresh:
        if instance.state is State.READY and instance.rank is not None:
            node = instance.node
            why = why_left(node.pool, node.pool_slots, node.need, pools, capacity, share)
            block(run, instance, why)
    run.queues.fresh = []


def why_left(
    name: str,
    needed: int,
    need: Need,
    pools: Mapping[str, Pool],
    capacity: Capacity,
    share: Share | None,
) -> Reason:
    """Return why what needs ``needed`` slots of the pool ``name`` and a place for ``need`` is not granted."""
    pool = pools.get(name)
    if pool is None or not pool.is_open:
        other = foreign(name)
        return PoolMissing(name) if other is None else PoolNotShared(other.name, other.team)
    if pool.slots == 0:
        return PoolEmpty(name)
    if pool.slots < needed:
        return PoolTooSmall(name, needed, pool.slots)
    if pool.free < needed and pool.allotted is not None:
        return PoolShared(name, pool.used, pool.allotted, pool.slots)
    if pool.free < needed:
        return PoolFull(name, pool.used, pool.slots)
    if capacity.best(need) is None:
        return no_place(need, capacity)
    if share is not None and share.is_full:
        return share.why()
    return PoolTurn(name)


def no_place(need: Need, capacity: Capacity) -> Reason:
    if need.executor and need.executor not in capacity.executors:
        return ExecutorUnknown(need.executor, tuple(sorted(capacity.executors)))
    if serving := capacity.serving(need):
        told = next((session.full for session in serving if session.full is not None), None)
        return told or AgentsFull(tuple(session.agent for session in serving))
    if need == ANYWHERE and not capacity.sessions:
        return NoAgent()
    return QueueUnserved(need.queue, need.executor)
