"""Ready instances of a run: which get a rank, as far as a pause and the caps allow, and why the others wait."""

import heapq

from headway.core.fairness import rank
from headway.core.gates import Gate
from headway.core.graph import Node
from headway.core.reasons import DagPaused, MaxActiveTasks, MaxActiveTis, Reason
from headway.core.run import Instance, Run
from headway.core.states import LIVE, RunState, State


def admit(run: Run) -> None:
    """Give ready instances their rank, as far as a pause and the caps of DAG and task allow;

    say why of the others.
    """
    if run.paused_by is not None:
        explain_held(run, DagPaused(run.paused_by))
        run.queues.pause_noted = True
        return
    if run.queues.pause_noted:
        run.queues.forget_pause(run.all())
    full_nodes = []
    while run.queues.held_order and not is_full(run):
        entry = run.queues.held_order[0]
        node = run.graph.nodes[entry[1]]
        if not has_room(run, node) or not is_open(run, node):
            full_nodes.append(heapq.heappop(run.queues.held_order))
        elif (instance := run.queues.first_held(node.index)) is not None:
            give_rank(run, instance)
    for entry in full_nodes:
        heapq.heappush(run.queues.held_order, entry)
    if run.queues.held:
        explain_held(run, None)


def is_full(run: Run) -> bool:
    """True if ``max_active_tasks`` task instances are active, or will be as soon as they get a slot."""
    return (
        run.graph.live_max is not None and run.live + run.queues.ranked_total >= run.graph.live_max
    )


def has_room(run: Run, node: Node) -> bool:
    if node.live_max is None:
        return True
    counts = run.counts[node.index]
    active = sum(counts.get(state, 0) for state in LIVE)
    return active + run.queues.ranked[node.index] < node.live_max


def is_open(run: Run, node: Node) -> bool:
    """Return whether other runs let an instance of the node pass. What nobody has asked is closed."""
    if not node.is_gated:
        return True
    gate = run.gates.get(node.index)
    return gate is not None and gate.why(node, run.graph.dag_id) is None


def held_by_others(run: Run) -> list[Node]:
    """Return the nodes with instances for which other runs are to be asked."""
    if run.paused_by is not None or run.state is not RunState.RUNNING:
        return []
    return [node for node in run.graph.gated() if node.index in run.queues.held]


def answer(run: Run, gates: dict[int, Gate]) -> None:
    """Take in what other runs decide now, and say it to those that still wait."""
    run.gates = gates
    admit(run)
    for index in gates:
        why = cap_reason(run, run.graph.nodes[index])
        for instance in run.instances[index].values():
            if why is not None and instance.state is State.READY and instance.rank is None:
                block(run, instance, why)


def give_rank(run: Run, instance: Instance) -> None:
    assert instance.ready_at is not None
    if (gate := run.gates.get(instance.node.index)) is not None:
        run.gates[instance.node.index] = gate.passed()
    if instance.blocked_reason is not None:
        instance.blocked_reason = None
    instance.rank = rank(
        instance.ready_at, instance.node.weight, run.queues.ranked_total, run.backfill
    )
    run.queues.offer(instance)
    run.touch(instance)


def explain_held(run: Run, reason: Reason | None) -> None:
    """Write why they do not run to those that have become ready since, once each."""
    ranked = [instance for instance in run.queues.fresh if instance.rank is not None]
    for instance in run.queues.fresh:
        if instance.state is State.READY and instance.rank is None:
            why = reason or cap_reason(run, instance.node)
            if why is not None:
                block(run, instance, why)
    run.queues.fresh = ranked


def cap_reason(run: Run, node: Node) -> Reason | None:
    """Return why no instance of the node may be granted; None as long as other runs are to be asked."""
    if is_full(run):
        assert run.graph.live_max is not None
        return MaxActiveTasks(run.graph.live_max)
    if not has_room(run, node):
        assert node.live_max is not None
        return MaxActiveTis(node.live_max)
    gate = run.gates.get(node.index)
    return None if gate is None else gate.why(node, run.graph.dag_id)


def block(run: Run, instance: Instance, reason: Reason) -> None:
    if instance.blocked_reason != reason:
        instance.blocked_reason = instance.waited_for = reason
        run.touch(instance)
