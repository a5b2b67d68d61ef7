"""The actions of people on a run: select, clear, mark, cancel. The same selection serves the dry run and the deed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from headway.core import branches, loops, mapping, setups
from headway.core.graph import Graph
from headway.core.plan import (
    cancel_open,
    finish,
    forget_result,
    intend,
    recall_below,
    reset,
)
from headway.core.reasons import Cancelled, Cleared, FailedFast, Marked
from headway.core.run import Instance, Run
from headway.core.states import BROKEN, FINAL, LIVE, RUN_FINAL, Event, RunEvent, RunState, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Task instances of one run.

    Empty ``tasks``: all of them. ``map_indexes`` narrows the named tasks only. ``among``: only these
    (task, map index); None: any.
    """

    tasks: frozenset[str] = frozenset()
    map_indexes: frozenset[int] = frozenset()
    failed_only: bool = False
    downstream: bool = False
    upstream: bool = False
    among: frozenset[tuple[str, int]] | None = None


MENDED = frozenset({State.FAILED, State.UPSTREAM_FAILED})


def select(run: Run, selection: Selection) -> list[Instance]:
    """The instances a clear would reset, in the graph's order. ValueError names an unknown task.

    What a branch left out stays as it is, unless the branch itself runs again. The setups and teardowns around what
    is cleared are cleared with it, and behind the gate of a loop all later iterations.
    """
    roots = named(run, selection)
    nodes = {instance.node.index for instance in roots}
    above = run.graph.ancestors(nodes) if selection.upstream else set[int]()
    standing = [node for node in run.graph.nodes if node.branch and node.index not in above]
    out = {branch.index: branches.left_out_by(run, branch) for branch in standing}
    again, below = branches.again(run.graph, nodes, out, downstream=selection.downstream)
    chosen = {
        instance.key: instance
        for instance in roots
        if instance.node.index in again or instance.state is not State.SKIPPED
    }
    cleared = above | below | {instance.node.index for instance in chosen.values()}
    around = beside(run, cleared, above, out)
    roots_at = [(instance.node.index, instance.map_index) for instance in chosen.values()]
    indexes = in_groups(run.graph, roots_at, above, below, around)
    for index in above | below | around:
        only = indexes.get(index)
        for instance in run.instances[index].values():
            if instance.state is not State.WAITING and (only is None or instance.map_index in only):
                chosen.setdefault(instance.key, instance)
    for gate in [each for each in chosen.values() if each.node.is_gate]:
        for instance in loops.later(run, gate):
            if instance.state is not State.WAITING:
                chosen.setdefault(instance.key, instance)
    return [chosen[key] for key in sorted(chosen)]


def in_groups(
    graph: Graph,
    roots: Iterable[tuple[int, int]],
    above: Collection[int],
    below: Collection[int],
    around: Collection[int],
) -> dict[int, set[int] | None]:
    """Return the map indexes that are chosen of the nodes of mapped groups, by node. None: all of them.

    ``roots``: node and map index of what was named.

    From one node of a group to the next one the way leads along an index; what comes from outside concerns all of them.
    """
    if not any(graph.nodes[index].peers for index in {*above, *below, *around}):
        return {}
    named: dict[int, set[int]] = {}
    for index, map_index in roots:
        named.setdefault(index, set()).add(map_index)
    found: dict[int, set[int] | None] = {**named}

    def follow(index: int, before: Iterable[int]) -> None:
        peers = graph.nodes[index].peers
        whole: set[int] = set(found.get(index) or ())
        for each in before:
            if each in found:
                part = found[each] if each in peers else None
                if part is None:
                    found[index] = None
                    return
                whole |= part
        found[index] = whole

    for index in sorted(below):
        follow(index, graph.nodes[index].upstream)
    for index in sorted(above, reverse=True):
        follow(index, graph.nodes[index].downstream)
    for index in sorted(set(around) - found.keys()):
        peers = graph.nodes[index].peers
        follow(index, [each for each in found if each in peers] or found)
    return found


def beside(
    run: Run, cleared: set[int], above: set[int], out: Mapping[int, frozenset[int]]
) -> set[int]:
    """Return the setups and teardowns that run again with what is cleared.

    Of a setup that is cleared because it is upstream, its teardowns are. What a branch left out stays so.
    """
    shape = run.graph.shape()
    if not shape.setups:
        return set()
    left_out = {index for branch, nodes in out.items() if branch not in cleared for index in nodes}
    return setups.around(shape, cleared) - left_out


def named(run: Run, selection: Selection) -> list[Instance]:
    """Return the selected nodes without relatives. Raises ValueError with an unknown task."""
    unknown = sorted(selection.tasks - run.graph.by_id.keys())
    if unknown:
        raise ValueError(unknown[0])
    tasks = {run.graph.by_id[task] for task in selection.tasks} or set(range(len(run.graph.nodes)))
    return [
        instance
        for index in sorted(tasks)
        for instance in run.instances[index].values()
        if (not selection.map_indexes or instance.map_index in selection.map_indexes)
        and (not selection.failed_only or is_to_retry(instance))
        and (
            selection.among is None
            or (instance.node.task_id, instance.map_index) in selection.among
        )
    ]


def is_to_retry(instance: Instance) -> bool:
    """Return whether it failed, or was not run because another one did."""
    return instance.state in BROKEN or isinstance(instance.reason, FailedFast)


def clear(run: Run, instances: Collection[Instance], actor: str) -> None:
    """Run them again. Those with a live attempt are reset when it has ended, as it is told to
    now.
    """
    for instance in instances:
        if instance.state in LIVE:
            intend(run, instance, Event.CLEAR, actor)
        elif instance.state is not State.WAITING:
            run.move(instance, Event.CLEAR, Cleared(actor), actor)
            reset(run, instance)
            run.stale.add(instance.node.index)
    recall_below(run, [instance.node.index for instance in instances], actor)
    if run.state in RUN_FINAL and run.open:
        run.advance(RunEvent.REOPEN, Cleared(actor), actor)
    elif run.cancelled_by is not None and instances:
        # The last word counts: what was cancelled while others still end is wanted again.
        run.cancelled_by, run.changes.run = None, True


def mark(run: Run, instances: Collection[Instance], event: Event, actor: str) -> None:
    """Set the state by a person's word: ``mark_success`` or ``mark_failed``."""
    for instance in instances:
        if instance.state in LIVE:
            intend(run, instance, event, actor)
        elif instance.state is not (State.SUCCESS if event is Event.MARK_SUCCESS else State.FAILED):
            run.move(instance, event, Marked(actor), actor)
            if event is Event.MARK_FAILED:
                forget_result(run, instance)  # of what did not succeed nobody gets one
    recall_below(run, [instance.node.index for instance in instances], actor)
    if run.state in RUN_FINAL:
        # Its outcome may differ now: it is judged again.
        run.advance(RunEvent.REOPEN, Marked(actor), actor)


def mark_run(run: Run, event: Event, actor: str) -> list[tuple[Instance, State]]:
    """Settle the whole run by a person's word: what is not over, and for a success what failed too.

    Answers with those that are marked, and the state that each was in. A run in which nothing is
    live is over at once: it does not have to start for that.
    """
    if run.state is RunState.QUEUED:
        mapping.populate(run)
    mended = MENDED if event is Event.MARK_SUCCESS else frozenset[State]()
    chosen = [each for each in run.all() if each.state not in FINAL or each.state in mended]
    marked = [(instance, instance.state) for instance in chosen]
    if chosen:
        mark(run, chosen, event, actor)
        if run.state is RunState.QUEUED:
            finish(run)
    return marked


def cancel(run: Run, actor: str) -> None:
    """End the run. It is over when its last live attempt has ended."""
    if run.state is RunState.QUEUED:
        run.cancelled_by = actor
        mapping.populate(run)
        for instance in list(run.all()):
            if instance.state is State.WAITING:
                run.move(instance, Event.CANCEL, Cancelled(actor), actor)
        run.advance(RunEvent.CANCEL, Cancelled(actor), actor)
    elif run.state is RunState.RUNNING:
        cancel_open(run, actor, Cancelled(actor))
