"""A run goes on with another version of its DAG: what it keeps, and what runs again.

Tasks are matched by their ids. Kept are ends that still mean the same: results, choices, lists. These do not:
1. A mapped instance whose axes are others: its index names another item; one of a loop that is another one.
2. A branch that succeeded and no longer is one, or chooses among other tasks: it has not decided on those.
3. An end that followed from what is upstream (skipped, upstream failed), if anything there differs: it is judged again.
4. What has not started waits again. A task that the version does not have leaves the run; attempts and events stay.
Tasks that the version adds wait for their upstream tasks, as in a new run.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from headway.core import mapping
from headway.core.graph import Axis, Graph, Node
from headway.core.plan import recall, reset
from headway.core.reasons import (
    CodeChanged,
    MappedOverNothing,
    NotAList,
    NotChosen,
    RuleNotMet,
    SetupNotSuccessful,
    SourceNotSuccessful,
    TaskRemoved,
    TooManyItems,
    TooManyTasks,
)
from headway.core.run import NOT_MAPPED, Instance, Move, Run
from headway.core.states import FINAL, PENDING, RUN_FINAL, Event, RunEvent, RunState, State

DERIVED = (
    RuleNotMet,
    NotChosen,
    SetupNotSuccessful,
    SourceNotSuccessful,
    MappedOverNothing,
    NotAList,
    TooManyItems,
    TooManyTasks,
)


class Code(StrEnum):
    """The code that a cleared run continues with."""

    RUN = "run"  # the version and the files that it is pinned to
    LATEST = "latest"


def repin(
    run: Run, graph: Graph, why: CodeChanged, actor: str
) -> tuple[Run, list[tuple[Instance, State]]]:
    """Return the run on ``graph``, and the instances that run again because of it, with their states before.

    No attempt may be live. ``run`` is used up.
    """
    assert not run.live, "a live attempt would report to another task than it is of"
    moved = carried(run, graph)
    moved.advance(RunEvent.REPIN, why, actor)
    again = judged_again(run.graph, moved, why, actor)
    if run.state is not RunState.QUEUED or any(run.instances):
        mapping.populate(moved)
    moved.judge_all()
    if moved.state in RUN_FINAL:
        # Its outcome may differ now, even where nothing is left to run: it is judged again.
        moved.advance(RunEvent.REOPEN, why, actor)
    return moved, again


def carried(run: Run, graph: Graph) -> Run:
    """The same run on another graph, with the instances of the tasks that this has, as they are."""
    moved = Run(
        team_id=run.team_id,
        run_id=run.run_id,
        graph=graph,
        state=run.state,
        now=run.now,
        revision=run.revision,
        backfill=run.backfill,
        cancelled_by=run.cancelled_by,
        started_at=run.started_at,
        paused_by=run.paused_by,
    )
    moved.due_at = run.due_at
    for instance in run.all():
        index = graph.by_id.get(instance.node.task_id)
        if index is None:
            leave(moved, instance)
        else:
            instance.node = graph.nodes[index]
            moved.add(instance)
    for (node, map_index), attempts in run.former.items():
        moved.remember(run.graph.nodes[node].task_id, map_index, attempts)
    for (task_id, map_index), attempts in run.strangers.items():
        moved.remember(task_id, map_index, attempts)
    return moved


def leave(run: Run, instance: Instance) -> None:
    """Its task is not in the version. The changes are kept under an index that no node of the version has."""
    instance.node = replace(instance.node, index=len(run.graph.nodes) + instance.node.index)
    run.drop_deferred(instance, "scheduler")
    run.changes.removed[instance.key] = instance
    if instance.attempts:
        run.changes.forgotten[instance.key] = instance
    why = TaskRemoved(instance.node.task_id)
    run.changes.moves.append(Move(instance, instance.attempts, "remove", None, "scheduler", why))


def judged_again(
    before: Graph, run: Run, why: CodeChanged, actor: str
) -> list[tuple[Instance, State]]:
    changed: set[int] = set()
    again: list[tuple[Instance, State]] = []
    for node in run.graph.nodes:  # upstream first
        old = before.nodes[before.by_id[node.task_id]] if node.task_id in before.by_id else None
        if old is None or place(before, old) != place(run.graph, node):
            changed.add(node.index)
        if not changed.isdisjoint(node.upstream):
            changed.add(node.index)
        for instance in list(run.instances[node.index].values()):
            single = node.axes is None and node.loop is None
            if single != (instance.map_index == NOT_MAPPED) and (single or node.loop is not None):
                run.end_item(instance, TaskRemoved(str(instance)))
            elif instance.state in PENDING:
                if instance.state is not State.WAITING:
                    recall(run, instance, actor)
            elif old is not None and loses(before, run.graph, old, node, instance, changed):
                again.append((instance, instance.state))
                run.move(instance, Event.CLEAR, why, actor)
                reset(run, instance)
                changed.add(node.index)
    return again


def loses(
    before: Graph, after: Graph, old: Node, node: Node, instance: Instance, changed: set[int]
) -> bool:
    """Return whether the end of an instance says nothing about the task as it is now."""
    assert instance.state in FINAL
    if axes(before, old) != axes(after, node) or loop(before, old) != loop(after, node):
        return True
    if instance.state is State.SUCCESS and choices(before, old) != choices(after, node):
        return True
    return node.index in changed and isinstance(instance.reason, DERIVED)


def place(graph: Graph, node: Node) -> object:
    """Return what the judgement of the node depends on, by names."""
    sources = (node.upstream, node.branches, node.needs, node.scope, own_setups(graph, node))
    return (
        node.rule,
        axes(graph, node),
        loop(graph, node),
        [names(graph, indexes) for indexes in sources],
    )


def own_setups(graph: Graph, node: Node) -> list[int]:
    return [index for index in node.upstream if graph.nodes[index].setup]


def names(graph: Graph, indexes: Iterable[int]) -> frozenset[str]:
    return frozenset(graph.nodes[index].task_id for index in indexes)


def axes(graph: Graph, node: Node) -> object:
    """Return what the node is mapped over, by names."""
    if node.axes is None:
        return None
    return [axis_by_names(graph, axis) for axis in node.axes]


def loop(graph: Graph, node: Node) -> object:
    """Return the loop that the node is in, by names. How often it may be repeated changes no iteration."""
    return None if node.loop is None else (node.loop.path, graph.nodes[node.loop.gate].task_id)


def axis_by_names(graph: Graph, axis: Axis) -> object:
    name = None if axis.source is None else graph.nodes[axis.source].task_id
    parts = [axis_by_names(graph, part) for part in axis.parts]
    return axis.length, name, axis.key, axis.combine, parts


def choices(graph: Graph, node: Node) -> frozenset[str] | None:
    """The tasks among which a branch chooses; None: the node does not choose."""
    if not node.branch:
        return None
    return names(graph, node.downstream)
