"""Moves the waiting instances of a node by the verdict on them. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from headway.core import branches, loops, mapping
from headway.core.graph import Node
from headway.core.reasons import FailedFast, MappedOverNothing, UpstreamChanged
from headway.core.run import NOT_MAPPED, SCHEDULER, Instance, Run
from headway.core.sight import Sight
from headway.core.states import LIVE, PENDING, Event, State
from headway.core.upstream import Verdict
from headway.core.verdicts import decide

FAIL_FAST: Final = "scheduler:fail_fast:"  # and the task that failed
EVENT_OF: Final[Mapping[Verdict, Event]] = {
    Verdict.RUN: Event.RELEASE,
    Verdict.SKIP: Event.SKIP,
    Verdict.UPSTREAM_FAILED: Event.BLOCK,
}


def judge_node(run: Run, node: Node) -> None:
    """Judge the waiting instances of a node."""
    if not run.counts[node.index].get(State.WAITING):
        return
    verdict, reason = decide(run, node, NOT_MAPPED)
    if verdict is Verdict.WAIT:
        return
    waiting = [i for i in run.instances[node.index].values() if i.state is State.WAITING]
    if verdict is Verdict.RUN:
        choosing = branches.by_index(run, node)
        leading = run.graph.ancestors({node.index}) | {node.index} if choosing else frozenset[int]()
        for instance in mapping.expand(run, node, waiting):
            sight = Sight(run, node, instance.map_index)
            branch = branches.against_index(sight, choosing, leading)
            if branch is not None:
                run.move(instance, Event.SKIP, branches.choice(sight, branch))
            else:
                run.move(instance, Event.RELEASE, reason)
        if node.axes is not None:
            end_gone(run, node)
            end_others_if_refused(run, node, waiting)
        return
    for instance in waiting:
        run.move(instance, EVENT_OF[verdict], reason)


def judge_in_group(run: Run, node: Node, indexes: Collection[int] | None) -> None:
    """Judge the waiting instances of a node of a mapped group or a loop, each by itself.

    ``indexes``: only these, because their peers have changed; None: all, and what the group is mapped over may have.
    """
    if not run.counts[node.index].get(State.WAITING):
        return
    by_index = run.instances[node.index]
    if node.axes is not None and (indexes is None or NOT_MAPPED in by_index):
        waiting = [each for each in by_index.values() if each.state is State.WAITING]
        changed: set[int] = set()
        is_open = mapping.expand_group(run, node, changed)
        recall_below(run, changed, SCHEDULER)  # also of nodes that nobody cleared
        if not is_open:
            end_others_if_refused(run, node, waiting)
            return
        for each in (node.index, *node.peers):
            end_gone(run, run.graph.nodes[each])
    for index in sorted(by_index if indexes is None else by_index.keys() & indexes):
        instance = by_index[index]
        if instance.state is State.WAITING:
            if run.is_gone(instance):
                run.end_item(instance, loops.gone(run, node))
                continue
            verdict, reason = decide(run, node, index)
            if verdict is Verdict.RUN and node.axes is not None and index == NOT_MAPPED:
                verdict, reason = Verdict.SKIP, MappedOverNothing()
            if verdict is not Verdict.WAIT:
                run.move(instance, EVENT_OF[verdict], reason)


def end_gone(run: Run, node: Node) -> None:
    """Stop running instances whose item was removed; then they are removed, too."""
    counts = run.counts[node.index]
    if any(counts.get(state) for state in LIVE):
        for instance in mapping.gone_live(run, node):
            if instance.intent is None:
                intend(run, instance, Event.CLEAR, SCHEDULER)


def fit_loops(run: Run) -> None:
    """Make and remove iterations, by what gates have decided since."""
    while run.stale_loops:
        gate, since = run.stale_loops.popitem()
        for instance in loops.fit(run, run.graph.nodes[gate], since):
            intend(run, instance, Event.CLEAR, SCHEDULER)


def intend(run: Run, instance: Instance, event: Event, actor: str) -> None:
    """Keep a person's word until the live attempt has ended; the executor is told to end it."""
    instance.intent, instance.intent_by = event, actor
    run.intended[instance.key] = instance
    run.touch(instance)


def end_others_if_refused(run: Run, node: Node, waiting: Iterable[Instance]) -> None:
    """``fail_fast``: what is mapped over no list has failed."""
    if run.graph.fail_fast and any(each.state is State.FAILED for each in waiting):
        end_others(run, node)


def end_others(run: Run, failed: Node) -> None:
    """``fail_fast``: what runs is ended and fails, the rest is skipped. Other instances of the same task and teardowns
    go on (Airflow's rule).
    """
    if not (failed.decides_outcome or failed.teardown):
        return
    for instance in list(run.all()):
        if instance.node is failed or instance.node.teardown:
            continue
        if instance.state in PENDING:
            run.move(instance, Event.SKIP, FailedFast(failed.task_id))
        elif instance.state in LIVE and instance.intent is None:
            intend(run, instance, Event.FAIL, f"{FAIL_FAST}{failed.task_id}")


def recall_below(run: Run, changed: Iterable[int], actor: str) -> None:
    """Have wait again what waited for these nodes and has not started: a person or a new list has changed them.

    Otherwise it would run without the results it was released for, or on another item than its
    own. What has started runs on: it has its inputs.
    """
    nodes = set(changed)
    for index in sorted({below for node in nodes for below in run.graph.nodes[node].waited_for_by}):
        sources = {axis.source for axis in mapping.leaves(run.graph.nodes[index])}
        for instance in list(run.instances[index].values()):
            if instance.state is State.WAITING or (not sources & nodes and released(run, instance)):
                continue
            if instance.state in PENDING:
                recall(run, instance, actor)
            elif instance.state is State.QUEUED and instance.intent is None:
                intend(run, instance, Event.CLEAR, actor)


def recall(run: Run, instance: Instance, actor: str) -> None:
    """Have it wait for its upstream again. A deferred attempt ends: it would go on with other inputs."""
    run.move(instance, Event.RECALL, UpstreamChanged(), actor)
    run.stale.add(instance.node.index)


def released(run: Run, instance: Instance) -> bool:
    """Return whether it would be released with its current upstream states."""
    verdict, _ = decide(run, instance.node, instance.map_index)
    return verdict is Verdict.RUN and mapping.has_item(run, instance)
