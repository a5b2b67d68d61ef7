"""Arrows between tasks: ``>>``, ``<<``, lists on both sides, ``chain`` and ``cross_downstream``."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar, Union

from headway.authoring.frames import call_site
from headway.spec.errors import BadSpec

if TYPE_CHECKING:
    from headway.authoring.task import Task

Nodes = Union["Node", Iterable["Node"]]
Right = TypeVar("Right", bound=Nodes)


class Node:
    """Anything an arrow can touch: a task, its result, a group."""

    __slots__ = ()

    def roots(self) -> list["Task"]:
        """Return the tasks at which an arrow to it ends."""
        raise NotImplementedError

    def leaves(self) -> list["Task"]:
        """Return the tasks at which an arrow from it begins."""
        raise NotImplementedError

    def results(self) -> list["Task"]:
        """Return the tasks whose results it stands for as an argument."""
        return self.leaves()

    def remember(self, before: Sequence["Node"], after: Sequence["Node"]) -> None:
        """Record what an arrow put before and after, for groups that may get their tasks later."""

    def __rshift__(self, other: Right) -> Right:
        connect(self, other)
        return other

    def __lshift__(self, other: Right) -> Right:
        connect(other, self)
        return other

    # Of a list there is no >>, so Python asks the right-hand side.
    def __rrshift__(self, other: Iterable["Node"]) -> "Node":
        connect(other, self)
        return self

    def __rlshift__(self, other: Iterable["Node"]) -> "Node":
        connect(self, other)
        return self

    def set_downstream(self, other: Nodes) -> None:
        connect(self, other)

    def set_upstream(self, other: Nodes) -> None:
        connect(other, self)


def connect(first: Nodes, second: Nodes) -> None:
    """Everything of ``second`` waits for everything of ``first``."""
    before, after = nodes_of(first), nodes_of(second)
    join(before, after)
    for node in before:
        node.remember((), after)
    for node in after:
        node.remember(before, ())


def join(before: Iterable[Node], after: Iterable[Node]) -> None:
    """Like ``connect``, without a trace of the arrow."""
    ends = [task for node in after for task in node.roots()]
    for node in before:
        for start in node.leaves():
            for end in ends:
                end.add_upstream(start)


def nodes_of(value: object) -> list[Node]:
    if isinstance(value, Node):
        return [value]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [node for item in value for node in nodes_of(item)]
    site = call_site()
    called = "" if not callable(value) else ": it was not called"
    raise BadSpec(
        f">> and << need tasks on both sides, not {value!r}{called}",
        file=site.file,
        line=site.line,
        hint="call the task function inside the DAG: extract() >> load()" if called else None,
    )


def chain(*parts: Nodes) -> None:
    """``chain(a, [b, c], [d, e], f)``: a >> b >> d >> f and a >> c >> e >> f."""
    for first, second in pairwise(parts):
        if not (isinstance(first, Sequence) and isinstance(second, Sequence)):
            connect(first, second)
            continue
        if len(first) != len(second):
            site = call_site()
            raise BadSpec(
                f"chain() pairs the items of adjacent lists, but one has {len(first)} tasks "
                f"and the next {len(second)}",
                file=site.file,
                line=site.line,
                hint="use cross_downstream(first, second) to connect all with all",
            )
        for one, other in zip(first, second, strict=True):
            connect(one, other)


def cross_downstream(upstream: Iterable[Node], downstream: Iterable[Node]) -> None:
    """Make every task of ``downstream`` wait for every task of ``upstream``."""
    connect(upstream, downstream)
