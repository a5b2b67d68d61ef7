"""Dynamic task mapping: how many instances a mapped task has, and which item each of them gets.

The placeholder (map index -1) of a mapped task is replaced by one instance for each point of the
cross product of its axes, the last axis varying fastest (Airflow's order). Mapped over nothing it
is skipped. After a clear the length may differ: missing instances are made, surplus ones are
skipped.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Final

from headway.core.graph import Axis, Node
from headway.core.run import NOT_MAPPED, Instance, Run
from headway.core.states import FINAL, Event, State

MAP_LENGTH_MAX: Final = 100_000


def expand(run: Run, node: Node, waiting: Sequence[Instance]) -> Iterator[Instance]:
    """The waiting instances that are to run, after making, skipping or refusing those that are
    not.
    """
    if node.axes is None:
        yield from waiting
        return
    lengths = axis_lengths(run, node)
    problem = refusal(run, node, lengths)
    if problem is not None:
        for instance in waiting:
            run.move(instance, Event.REFUSE, problem)
        return
    length = prod(known for known in lengths if known is not None)
    if length == 0:
        for instance in waiting:
            run.move(instance, Event.SKIP, "mapped over an empty list")
        return
    for instance in waiting:
        if instance.map_index == NOT_MAPPED:
            run.remove(instance)
        elif instance.map_index >= length:
            run.move(instance, Event.SKIP, f"its list has only {length} items now")
    existing = run.instances[node.index]
    for index in range(length):
        instance = existing.get(index) or run.add(Instance(node, index))
        if instance.state is State.WAITING:
            yield instance


def lengths_known(run: Run, node: Node) -> bool:
    """Whether everything it is mapped over has ended: a rule may let it run before that."""
    return all(
        state in FINAL
        for axis in node.axes or ()
        if axis.source is not None
        for state, count in run.counts[axis.source].items()
        if count
    )


def has_item(run: Run, instance: Instance) -> bool:
    """Whether everything it is mapped over is there, and long enough for it."""
    node = instance.node
    if node.axes is None:
        return True
    if not lengths_known(run, node):
        return False
    lengths = [known for known in axis_lengths(run, node) if known is not None]
    return len(lengths) == len(node.axes) and instance.map_index < prod(lengths)


def axis_lengths(run: Run, node: Node) -> list[int | None]:
    assert node.axes is not None
    return [
        axis.length if axis.source is None else result_length(run, run.graph.nodes[axis.source])
        for axis in node.axes
    ]


def result_length(run: Run, source: Node) -> int | None:
    """Of a mapped source the number of its successes, of another the length of its result;

    None: no list.
    """
    if source.axes is not None:
        return run.counts[source.index].get(State.SUCCESS, 0)
    (instance,) = run.instances[source.index].values()
    return instance.length if instance.state is State.SUCCESS else None


def refusal(run: Run, node: Node, lengths: Sequence[int | None]) -> str | None:
    assert node.axes is not None
    for axis, length in zip(node.axes, lengths, strict=True):
        if length is None:
            assert axis.source is not None
            name = run.graph.nodes[axis.source].task_id
            return f"cannot map over the result of {name}: it is no list or dict, or there is none"
    if (length := prod(known for known in lengths if known is not None)) > MAP_LENGTH_MAX:
        return f"mapped over {length:,} items; the limit is {MAP_LENGTH_MAX:,}"
    return None


def positions(run: Run, instance: Instance) -> list[int]:
    """The place of a mapped instance on each axis.

    The lengths are those of its expansion: what has not started when one of them changes waits
    again (``plan.recall_below``). Only an attempt that is to be ended without starting is asked
    for when they are not.
    """
    node = instance.node
    if node.axes is None:
        return []
    places: list[int] = []
    rest = instance.map_index
    for axis in reversed(node.axes[1:]):
        rest, place = divmod(rest, last_length(run, axis))
        places.append(place)
    return [rest, *places[::-1]]


def last_length(run: Run, axis: Axis) -> int:
    if axis.source is None:
        return axis.length or 1
    source = run.graph.nodes[axis.source]
    if source.axes is not None:
        return run.counts[source.index].get(State.SUCCESS, 0) or 1
    (instance,) = run.instances[source.index].values()
    return instance.length or 1
