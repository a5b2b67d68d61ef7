"""A run in memory: its task instances, counted by state, and every change made to it since it was
loaded.

Only ``move``, ``advance`` and ``_move_attempt`` change a state, each through its transition table;
they keep the counts and the record that the store writes. The functions that decide are in ``plan``,
``admission`` and ``commands``. A model whose transaction failed is thrown away, never repaired.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from headway.core.gates import Gate
from headway.core.graph import Graph, Node
from headway.core.reasons import Reason
from headway.core.run.changes import Changes, Move
from headway.core.run.instance import Attempt, Instance, Key
from headway.core.run.queues import Queues
from headway.core.states import (
    ASLEEP,
    ATTEMPT_TRANSITIONS,
    DEFERRED,
    FINAL,
    LIVE,
    RUN_FINAL,
    RUN_TRANSITIONS,
    AttemptEvent,
    AttemptState,
    Event,
    RunEvent,
    RunState,
    State,
    target,
)
from headway.core.waits.deferral import Deferral

SCHEDULER = "scheduler"


@dataclass(slots=True)
class Above:
    """The upstream instances of one node, without those that it sees apart, and how many of them have ended how.

    Counted when it is first asked for and kept up to date since: a task below 10,000 others is
    judged for each of their ends.
    """

    total: int
    ended: dict[State, int]


class Run:
    """One run. ``now`` is set by the tick, and is never earlier than any time in the run that
    matters to an order.
    """

    def __init__(
        self,
        *,
        team_id: int,
        run_id: str,
        graph: Graph,
        state: RunState,
        now: datetime,
        revision: int = 0,
        backfill: bool = False,
        cancelled_by: str | None = None,
        started_at: datetime | None = None,
        paused_by: str | None = None,
        tasks_max: int | None = None,
        partition: str | None = None,
    ) -> None:
        self.team_id = team_id
        self.run_id = run_id
        self.graph = graph
        self.state = state
        self.now = now
        self.revision = revision
        self.backfill = backfill
        self.cancelled_by = cancelled_by
        self.started_at = started_at
        self.paused_by = paused_by
        self.tasks_max = tasks_max  # the limit of the team for one run
        self.partition = partition  # of the data that it is about
        self.ended_at: datetime | None = None
        self.reason: Reason | None = None
        self.due_at: datetime | None = None
        self.instances: list[dict[int, Instance]] = [{} for _ in graph.nodes]
        self.counts: list[dict[State, int]] = [{} for _ in graph.nodes]
        self.items: list[int] = [0] * len(graph.nodes)  # those of a mapped task's list
        self.left_out: dict[int, frozenset[int]] = {}  # by branches that have ended
        self.former: dict[Key, int] = {}  # attempts of instances that are gone
        self.strangers: dict[
            tuple[str, int], int
        ] = {}  # the same of tasks that another version had
        self.above: list[Above | None] = [None] * len(graph.nodes)
        self.open = 0  # instances that are not final
        self.live = 0
        self.asleep: dict[Key, Instance] = {}  # waits for a retry or is deferred
        self.intended: dict[Key, Instance] = {}  # live, and a person wants it ended
        self.ready = 0
        self.queues = Queues(self.instances)
        self.gates: dict[int, Gate] = {}  # by node, as long as they are known
        self.stale: set[int] = set()  # nodes whose upstream changed
        self.stale_items: dict[int, set[int]] = {}  # in mapped groups: only for these indexes
        self.stale_loops: dict[int, int] = {}  # gates, and the first iteration that differs
        self.changes = Changes()

    # -- building

    def add(self, instance: Instance) -> Instance:
        """Put in an instance as it is:

        loaded, or new (``stored`` None, then it will be inserted).
        """
        node = instance.node.index
        assert instance.map_index not in self.instances[node], f"{instance} exists already"
        self.instances[node][instance.map_index] = instance
        self._count(instance, +1)
        self._count_above(instance, +1)
        if instance.state is State.READY:
            self.queues.offer(instance)
        if instance.intent is not None:
            self.intended[instance.key] = instance
        if instance.stored is None:
            self.touch(instance)
        return instance

    def remove(self, instance: Instance) -> None:
        """Take out what is replaced: a placeholder by its mapped instances, or they by it."""
        assert instance.state not in LIVE, f"{instance} is {instance.state}"
        self.drop_deferred(instance, SCHEDULER)
        del self.instances[instance.node.index][instance.map_index]
        self._count(instance, -1)
        self._count_above(instance, -1)
        self.changes.touched.pop(instance.key, None)
        if instance.stored is not None:
            self.changes.removed[instance.key] = instance
        if instance.attempts:
            self.former[instance.key] = instance.attempts
            self.changes.forgotten[instance.key] = instance

    def end_item(self, instance: Instance, why: Reason) -> None:
        """Remove an instance whose item has left the list. Its attempts stay, and its history says why it is gone."""
        had_ended = self.has_ended(instance.node.index)
        self.remove(instance)
        self._disturb(instance, had_ended)
        self.changes.moves.append(Move(instance, instance.attempts, "remove", None, SCHEDULER, why))

    def remember(self, task_id: str, map_index: int, attempts: int) -> None:
        """Note the last attempt of an instance that is gone, or was and is here again."""
        node = self.graph.by_id.get(task_id)
        if node is None:
            self.strangers[task_id, map_index] = attempts
        elif map_index not in self.instances[node]:
            key = (node, map_index)
            self.former[key] = max(attempts, self.former.get(key, 0))

    def all(self) -> Iterator[Instance]:
        for by_index in self.instances:
            yield from by_index.values()

    def get(self, task_id: str, map_index: int) -> Instance | None:
        node = self.graph.by_id.get(task_id)
        return None if node is None else self.instances[node].get(map_index)

    def has_ended(self, node: int) -> bool:
        """True if all instances that the node has by now are final."""
        return all(state in FINAL for state, count in self.counts[node].items() if count)

    def _count(self, instance: Instance, by: int) -> None:
        node = instance.node.index
        counts = self.counts[node]
        counts[instance.state] = counts.get(instance.state, 0) + by
        if instance.item and instance.state is State.SUCCESS:
            self.items[node] += by
        if instance.node.branch:
            self.left_out.pop(node, None)
        if instance.state not in FINAL:
            self.open += by
        else:
            for below in instance.node.downstream:
                above = self.above[below]
                if above is not None and node not in self.graph.nodes[below].apart:
                    above.ended[instance.state] = above.ended.get(instance.state, 0) + by
        if instance.state in LIVE:
            self.live += by
        elif instance.state is State.READY:
            self.ready += by
            if by < 0 and instance.rank is not None:
                self.queues.count(instance.node.index, -1)
        elif instance.state in ASLEEP and by > 0:
            self.asleep[instance.key] = instance
        elif instance.state in ASLEEP:
            del self.asleep[instance.key]

    def _count_above(self, instance: Instance, by: int) -> None:
        node = instance.node
        for below in node.downstream:
            above = self.above[below]
            if above is not None and node.index not in self.graph.nodes[below].apart:
                above.total += by

    def leads_on(self, gate: int, iteration: int) -> bool:
        """Return whether another iteration of the loop follows (``core.loops``)."""
        instance = self.instances[gate].get(iteration)
        return instance is not None and instance.state is State.SUCCESS and bool(instance.follow)

    def is_gone(self, instance: Instance) -> bool:
        """Return whether it is of an iteration that is not to be, and was live when that was decided."""
        loop, iteration = instance.node.loop, instance.map_index
        return loop is not None and iteration > 0 and not self.leads_on(loop.gate, iteration - 1)

    def judge_all(self) -> None:
        """Have all of it judged: nothing is known of what has changed."""
        self.stale.update(range(len(self.graph.nodes)))
        self.stale_loops.update((node.index, 0) for node in self.graph.nodes if node.is_gate)

    def above_of(self, node: Node) -> Above:
        above = self.above[node.index]
        if above is None:
            total, ended = 0, dict.fromkeys(FINAL, 0)
            for index in node.upstream:
                if index in node.apart:
                    continue
                total += len(self.instances[index])
                for state, count in self.counts[index].items():
                    if state in FINAL:
                        ended[state] += count
            above = self.above[node.index] = Above(total, ended)
        return above

    def hold(self) -> None:
        """Take the ranks of its ready instances back: a pause."""
        for instance in self.queues.hold():
            self.touch(instance)

    # -- changing

    def touch(self, instance: Instance) -> None:
        self.changes.touched.setdefault(instance.key, instance)

    def move(
        self,
        instance: Instance,
        event: Event,
        reason: Reason | None,
        actor: str = SCHEDULER,
        *,
        wake_at: datetime | None = None,
        attempt: Attempt | None = None,
    ) -> None:
        """Apply one row of the transition table: the only way a task instance changes its state.

        A move brings with it what its state cannot be without: ``wake_at`` a retry, ``attempt`` a
        grant, and no other. A deferral may bring ``wake_at``. A deferred attempt ends with a move that
        does not lead on to its next process.
        """
        to = target(instance.state, event)
        assert (wake_at is not None) == (to is State.UP_FOR_RETRY) or to in DEFERRED, (
            f"{event} with {wake_at=}"
        )
        assert (attempt is not None) == (to is State.QUEUED), f"{event} with {attempt=}"
        if instance.attempt is not None and (to in FINAL or to is State.WAITING):
            self.drop_deferred(instance, actor)
        held_slot = instance.state in LIVE
        had_ended = instance.node.skips_all_below and self.has_ended(instance.node.index)
        self._count(instance, -1)
        instance.state = to
        self._count(instance, +1)
        instance.reason = reason
        instance.rank = instance.blocked_reason = None
        instance.wake_at = wake_at
        if attempt is not None:
            self._hand_over(instance, attempt)
        if to not in FINAL:
            instance.ended_at = None
        elif instance.ended_at is None:  # no attempt led to this end
            instance.ended_at, instance.started_at = self.now, None
        if held_slot and to not in LIVE:
            released = self.changes.released
            released[instance.node.pool] = (
                released.get(instance.node.pool, 0) + instance.node.pool_slots
            )
            self.changes.ended += 1
            instance.intent = instance.intent_by = None
            self.intended.pop(instance.key, None)
        if to in FINAL or to is State.WAITING:
            self._disturb(instance, had_ended)
        self.touch(instance)
        self.changes.moves.append(Move(instance, instance.attempts, event, to, actor, reason))
        if to is State.READY:
            instance.ready_at = self.now
            instance.waited_for = None
            self.queues.offer(instance)

    def _disturb(self, instance: Instance, had_ended: bool) -> None:
        """Have the nodes judged again whose verdict may change because this one has ended, or has not any more."""
        node = instance.node
        if node.loop is not None and (node.is_gate or self.is_gone(instance)):
            gate, at = node.loop.gate, instance.map_index
            self.stale_loops[gate] = min(self.stale_loops.get(gate, at), at)
        below: Iterable[int] = node.waited_for_by
        if node.skips_all_below and (node.peers or had_ended != self.has_ended(node.index)):
            below = self.graph.descendants({node.index}).union(below)
        if not node.peers:
            self.stale.update(below)
            return
        for index in below:
            if index in node.peers:
                self.stale_items.setdefault(index, set()).add(instance.map_index)
            else:
                self.stale.add(index)

    def _hand_over(self, instance: Instance, attempt: Attempt) -> None:
        if attempt is not instance.attempt:
            assert attempt.number == instance.attempts + 1, f"a gap: {attempt}"
            instance.attempts, instance.attempt = attempt.number, attempt
            instance.queued_at, instance.started_at = attempt.queued_at, None
        self.changes.granted.append((instance, attempt))

    def resume(self, instance: Instance, token: str, session: str) -> Attempt:
        """Bind its deferred attempt to a session again. The grant that follows takes it."""
        attempt = self._move_attempt(instance, AttemptEvent.RESUME)
        attempt.token, attempt.session, attempt.pid = token, session, None
        self.record(instance, attempt)
        return attempt

    def defer_attempt(self, instance: Instance, deferral: Deferral, at: datetime) -> Deferral:
        """The process of the live attempt has ended; the attempt waits. Its token is worthless from here on."""
        attempt = self._move_attempt(instance, AttemptEvent.DEFER)
        attempt.token = None
        attempt.deferrals += 1
        attempt.deferral = deferral.begun(at)
        self.record(instance, attempt)
        self.changes.waits[instance.key] = (instance, attempt)
        return attempt.deferral

    def end_wait(
        self,
        instance: Instance,
        found: str | None,
        *,
        timed_out: bool = False,
        secrets: tuple[str, ...] = (),
    ) -> None:
        """The wait of a deferred attempt is over: its next process is told what was found."""
        attempt = instance.attempt
        assert attempt is not None
        assert attempt.deferral is not None, f"{instance} does not wait"
        attempt.deferral = attempt.deferral.ended(found, timed_out=timed_out, secrets=secrets)
        if instance.key not in self.changes.waits:
            self.changes.over[instance.key] = (instance, attempt)

    def drop_deferred(self, instance: Instance, actor: str) -> None:
        """End an attempt that is deferred, or waits for a slot to go on, and that nobody wants any more."""
        attempt = instance.attempt
        if attempt is not None and attempt.state is AttemptState.DEFERRED:
            detail = f"ended by {actor} while it was deferred"
            self.end_attempt(
                instance, AttemptEvent.CANCEL, self.now, cause="cancelled", detail=detail
            )

    def start_attempt(self, instance: Instance, at: datetime, pid: int | None) -> None:
        """The live attempt has a process."""
        attempt = self._move_attempt(instance, AttemptEvent.START)
        if not attempt.deferrals:  # of an attempt that goes on, the first process began it
            attempt.started_at = instance.started_at = at
        attempt.pid = pid
        self.record(instance, attempt)

    def end_attempt(
        self,
        instance: Instance,
        event: AttemptEvent,
        at: datetime,
        *,
        cause: str | None,
        detail: str | None,
        line: int | None = None,
        exit_code: int | None = None,
    ) -> None:
        """Close the open attempt: its token is worthless from here on. The move that follows takes
        over ``at`` as the end of the instance.
        """
        before = instance.attempt
        idle = before is not None and before.state is AttemptState.DEFERRED
        attempt = self._move_attempt(instance, event)
        attempt.token = None
        attempt.ended_idle = idle and (*instance.key, attempt.number) not in self.changes.attempts
        attempt.ended_at = instance.ended_at = at
        instance.started_at = attempt.started_at
        attempt.cause, attempt.detail = cause, detail
        attempt.line, attempt.exit_code = line, exit_code
        instance.attempt = None
        self.record(instance, attempt)
        if attempt.deferrals:
            self.changes.waits[instance.key] = (instance, attempt)

    def _move_attempt(self, instance: Instance, event: AttemptEvent) -> Attempt:
        """Apply one row of the attempts' table: the only way an attempt changes its state."""
        attempt = instance.attempt
        assert attempt is not None, f"{instance} has no open attempt"
        to = ATTEMPT_TRANSITIONS.get((attempt.state, event))
        assert to is not None, f"illegal move: {event} of an attempt that is {attempt.state}"
        attempt.state = to
        return attempt

    def last_end(self) -> datetime:
        """Return when the last instance of the run ended: what came after is only our looking at it."""
        ends = [instance.ended_at for instance in self.all() if instance.ended_at is not None]
        last = max(ends, default=self.now)
        return last if self.started_at is None else max(last, self.started_at)

    def failed_instances(self) -> int:
        """Return how many task instances of a run that has ended failed; 0 while it goes on."""
        if self.state not in RUN_FINAL:
            return 0
        return sum(counts.get(State.FAILED, 0) for counts in self.counts)

    def record(self, instance: Instance, attempt: Attempt) -> None:
        self.changes.attempts[(*instance.key, attempt.number)] = (instance, attempt)

    def advance(self, event: RunEvent, reason: Reason, actor: str = SCHEDULER) -> None:
        """Like ``move``, for the run itself."""
        to = RUN_TRANSITIONS.get((self.state, event))
        assert to is not None, f"illegal move: {event} of a run that is {self.state}"
        self.state = to
        self.reason = reason
        if event is RunEvent.START:
            self.started_at = self.started_at or self.now
        if event is RunEvent.REOPEN:
            # A new life: ``dagrun_timeout`` is counted from its own start. Where a person has only marked
            # something, nothing is left to run, and the run took as long as it did.
            self.cancelled_by = None
            if self.open:
                self.started_at = None
        self.ended_at = self.last_end() if to in RUN_FINAL else None
        self.changes.run = True
        self.changes.moves.append(Move(None, 0, event, to, actor, reason))
