"""Dynamic task mapping: how many instances a mapped task has, and which item each of them gets.

The placeholder (map index -1) of a mapped task is replaced by one instance for each point of the
cross product of its axes, the last axis varying fastest (Airflow's order). An axis is a list, or
combines several. Mapped over nothing it is skipped. After a clear the length may differ: then missing
instances are created, and those beyond the end are removed and no longer counted or read.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod
from typing import Final, Literal

from headway.core import loops
from headway.core.graph import Axis, Combine, Node
from headway.core.reasons import (
    ItemGone,
    MappedOverNothing,
    NotAList,
    Reason,
    SourceNotSuccessful,
    TooManyItems,
    TooManyTasks,
)
from headway.core.run import NOT_MAPPED, Instance, Run
from headway.core.states import BROKEN, LIVE, Event, State

BADLY: Final = (State.FAILED, State.UPSTREAM_FAILED, State.CANCELLED)
MAP_LENGTH_MAX: Final = 100_000
NOWHERE: Final = -1  # the place in a list of which an instance has no item


def populate(run: Run) -> None:
    """Give each task at least one instance: a mapped one its placeholder, one in a loop its first iteration."""
    for node in run.graph.nodes:
        if not run.instances[node.index]:
            index = NOT_MAPPED if node.loop is None else loops.FIRST
            attempts = run.former.pop((node.index, index), 0)
            run.add(Instance(node, index, attempts=attempts))


def expand(run: Run, node: Node, waiting: Sequence[Instance]) -> Iterator[Instance]:
    """The waiting instances that are to run, after making, ending, skipping or refusing those that
    are not. Those whose item is gone while they are live are left to ``gone_live``.
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
    fit(run, node, length)
    for instance in list(run.instances[node.index].values()):
        if instance.state is not State.WAITING:
            continue
        if length == 0:
            run.move(instance, Event.SKIP, MappedOverNothing())
        else:
            yield instance


def expand_group(run: Run, node: Node, changed: set[int]) -> bool:
    """Make the instances of all nodes of a mapped group, so that each finds the one of its index.

    Adds to ``changed`` the nodes of which instances came or went.

    Returns False if it is too early, or if the waiting instances of the node have come to an end by what the group is
    mapped over.
    """
    waiting = [each for each in run.instances[node.index].values() if each.state is State.WAITING]
    if (source := broken_source(run, node)) is not None:
        return end_all(run, waiting, Event.BLOCK, source_ended(run, source))
    if not lengths_known(run, node):
        return False
    if (source := skipped_source(run, node)) is not None:
        return end_all(run, waiting, Event.SKIP, source_ended(run, source))
    lengths = axis_lengths(run, node)
    if (problem := refusal(run, node, lengths)) is not None:
        return end_all(run, waiting, Event.REFUSE, problem)
    length = prod(known for known in lengths if known is not None)
    for index in sorted({node.index, *node.peers}):
        before = set(run.instances[index])
        fit(run, run.graph.nodes[index], length)
        if before != run.instances[index].keys():
            run.stale.add(index)
            changed.add(index)
    return True


def end_all(run: Run, waiting: Sequence[Instance], event: Event, why: Reason) -> Literal[False]:
    for instance in waiting:
        if instance.state is State.WAITING:
            run.move(instance, event, why)
    return False


def source_ended(run: Run, source: Node) -> SourceNotSuccessful:
    """Return that what is mapped over did not succeed."""
    ends = run.counts[source.index]
    return SourceNotSuccessful(
        source.task_id, next(state for state in (*BADLY, State.SKIPPED) if ends.get(state))
    )


def fit(run: Run, node: Node, length: int) -> None:
    """Make and remove instances: one for each item, or just the placeholder if there is none."""
    wanted = range(length) if length else (NOT_MAPPED,)
    existing = run.instances[node.index]
    for instance in [i for i in existing.values() if i.map_index not in wanted]:
        if instance.map_index == NOT_MAPPED and instance.state is State.WAITING:
            run.remove(instance)
        elif instance.state not in LIVE:
            run.end_item(instance, ItemGone(length))
    for index in wanted:
        if index not in existing:
            run.add(Instance(node, index, attempts=run.former.pop((node.index, index), 0)))


def gone_live(run: Run, node: Node) -> list[Instance]:
    """Live instances whose item is gone. Where there is no list at all, nobody knows which are."""
    lengths = axis_lengths(run, node)
    if refusal(run, node, lengths) is not None:
        return []
    length = prod(known for known in lengths if known is not None)
    return [
        instance
        for instance in run.instances[node.index].values()
        if instance.state in LIVE and instance.map_index >= length
    ]


def sources(run: Run, node: Node) -> list[Node]:
    """The nodes whose results it is mapped over."""
    return [run.graph.nodes[axis.source] for axis in leaves(node) if axis.source is not None]


def leaves(node: Node) -> list[Axis]:
    """The literals and results that it is mapped over, those of combined axes one after the other."""
    axes = node.axes or ()
    if all(axis.combine is None for axis in axes):
        return list(axes)
    return [leaf for axis in axes for leaf in axis.leaves()]


def lengths_known(run: Run, node: Node) -> bool:
    """Return whether everything it is mapped over has ended. A trigger rule may hold earlier."""
    return all(run.has_ended(source.index) for source in sources(run, node))


def broken_source(run: Run, node: Node) -> Node | None:
    """One that it is mapped over and that has ended badly, without an item."""
    return next((source for source in sources(run, node) if is_broken(run, source)), None)


def is_broken(run: Run, source: Node) -> bool:
    counts = run.counts[source.index]
    failed = any(counts.get(state) for state in BROKEN)
    return failed and not run.items[source.index] and run.has_ended(source.index)


def skipped_source(run: Run, node: Node) -> Node | None:
    """One that it is mapped over, and that was skipped; of a mapped one the list is just empty."""
    for source in sources(run, node):
        if source.axes is None and run.counts[source.index].get(State.SKIPPED):
            return source
    return None


def has_item(run: Run, instance: Instance) -> bool:
    """Return whether everything it is mapped over exists and is long enough."""
    node = instance.node
    if node.axes is None:
        return not run.is_gone(instance)
    if not lengths_known(run, node):
        return False
    lengths = [known for known in axis_lengths(run, node) if known is not None]
    return len(lengths) == len(node.axes) and instance.map_index < prod(lengths)


def axis_lengths(run: Run, node: Node) -> list[int | None]:
    assert node.axes is not None
    return [axis_length(axis, partial(length_now, run)) for axis in node.axes]


def axis_length(axis: Axis, length_of: Callable[[Axis], int | None]) -> int | None:
    """Return the number of its items. None: something in it is not a list."""
    if axis.combine is None:
        return length_of(axis)
    lengths = [axis_length(part, length_of) for part in axis.parts]
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        return None
    match axis.combine:
        case Combine.ZIP:
            return min(known)
        case Combine.ZIP_LONGEST:
            return max(known)
        case Combine.CONCAT:
            return sum(known)


def length_now(run: Run, leaf: Axis) -> int | None:
    return leaf.length if leaf.source is None else result_length(run, run.graph.nodes[leaf.source])


def result_length(run: Run, source: Node) -> int | None:
    """Return the number of results of a mapped source, else the length of its result; None if it is not a list."""
    if source.axes is not None:
        return run.items[source.index]
    (instance,) = run.instances[source.index].values()
    return instance.length if instance.state is State.SUCCESS else None


def refusal(run: Run, node: Node, lengths: Sequence[int | None]) -> Reason | None:
    assert node.axes is not None
    for axis, length in zip(node.axes, lengths, strict=True):
        if length is None:
            no_list = next(leaf for leaf in axis.leaves() if length_now(run, leaf) is None)
            assert no_list.source is not None
            return NotAList(run.graph.nodes[no_list.source].task_id)
    if (length := prod(known for known in lengths if known is not None)) > MAP_LENGTH_MAX:
        return TooManyItems(length, MAP_LENGTH_MAX)
    if run.tasks_max is not None:
        members = {node.index, *node.peers}
        others = sum(len(each) for i, each in enumerate(run.instances) if i not in members)
        if (total := others + length * len(members)) > run.tasks_max:
            return TooManyTasks(total, run.tasks_max)
    return None


def positions(run: Run, instance: Instance) -> list[int]:
    """The place of a mapped instance in each of the ``leaves`` of its axes; NOWHERE in one that it has no item of.

    The lengths are those of its expansion: what has not started when one of them changes waits
    again (``judging.recall_below``). Only an attempt that is to be ended without starting is asked
    for when they are not.
    """
    node = instance.node
    if node.axes is None:
        return []
    places: list[int] = []
    lengths = partial(last_length, run)
    rest = instance.map_index
    for axis in reversed(node.axes[1:]):
        rest, place = divmod(rest, axis_length(axis, lengths) or 1)
        places.append(place)
    on_axes = [rest, *places[::-1]]
    if all(axis.combine is None for axis in node.axes):
        return on_axes
    found: list[int] = []
    for axis, place in zip(node.axes, on_axes, strict=True):
        found += places_in(axis, place, lengths)
    return found


def places_in(axis: Axis, place: int, length_of: Callable[[Axis], int | None]) -> list[int]:
    """The origin of an item of an axis: its place in each leaf."""
    if axis.combine is None:
        return [place]
    found: list[int] = []
    for part in axis.parts:
        length = axis_length(part, length_of) or 0
        inside = 0 <= place < length
        found += places_in(part, place if inside else NOWHERE, length_of)
        if axis.combine is Combine.CONCAT and place >= 0:
            place = NOWHERE if inside else place - length
    return found


def last_length(run: Run, axis: Axis) -> int:
    if axis.source is None:
        return axis.length or 0
    source = run.graph.nodes[axis.source]
    if source.axes is not None:
        return run.items[source.index]
    (instance,) = run.instances[source.index].values()
    return instance.length or 0
