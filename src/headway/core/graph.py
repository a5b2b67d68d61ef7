"""A DAG version as the core reads it: nodes by index, edges both ways. Immutable, shared by all
runs of the version.

``headway.spec.compile`` makes it from the spec, in the spec's (topological) order.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from headway.core import setups
from headway.core.retry import RetryPolicy
from headway.core.upstream import TriggerRule


class Need(NamedTuple):
    """The requirements of a task on its executor. ``executor`` is empty for the default one."""

    executor: str = ""
    queue: str = "default"


ANYWHERE = Need()


class Past(NamedTuple):
    """The condition of a task on the run before: that all instances of ``tasks`` succeeded or were skipped."""

    tasks: tuple[str, ...]  # itself, and with ``wait_for_downstream`` those directly below it
    ignore_first: bool  # it runs if no earlier run had it


class Combine(StrEnum):
    """A way to make one list of several."""

    ZIP = "zip"  # as long as the shortest
    ZIP_LONGEST = "zip_longest"
    CONCAT = "concat"


class Loop(NamedTuple):
    """A group that is repeated (``core.loops``). Its tasks are peers, and their map index is the iteration, from 0."""

    path: str
    gate: int  # its node that decides after each iteration whether another one follows
    result: int  # the node whose result is that of an iteration
    max_iterations: int


@dataclass(frozen=True, slots=True)
class Axis:
    """One mapped argument: a literal of known ``length``, the result ``key`` of the node
    ``source``, or ``parts`` that are combined.
    """

    length: int | None = None
    source: int | None = None
    key: str = ""
    combine: Combine | None = None
    parts: tuple["Axis", ...] = ()

    def leaves(self) -> Iterator["Axis"]:
        """Yield the literals and results in it, in order."""
        if self.combine is None:
            yield self
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    index: int
    task_id: str
    kind: str = "python"
    upstream: tuple[int, ...] = ()
    downstream: tuple[int, ...] = ()
    rule: TriggerRule = TriggerRule.ALL_SUCCESS
    retry: RetryPolicy
    pool: str = "default"
    pool_slots: int = 1
    weight: int = 1
    live_max: int | None = None  # instances of one run at once
    live_max_of_dag: int | None = None  # instances of all runs at once
    past: Past | None = None
    timeout_s: float | None = None
    memory_limit_mb: int | None = None
    inputs: tuple[tuple[int, str], ...] = ()  # node and key of each result it receives whole
    axes: tuple[Axis, ...] | None = None  # None: not mapped
    peers: frozenset[int] = (
        frozenset()
    )  # the other nodes of its mapped group, which have its axes, or of its loop
    loop: Loop | None = None
    # Upstream nodes of which it does not see all instances: peers, and the gates of loops that it is not in.
    apart: frozenset[int] = frozenset()
    need: Need = ANYWHERE
    outlets: tuple[str, ...] = ()  # assets that have an event when it succeeds
    branch: bool = False  # it chooses among its downstream nodes
    skips_all_below: bool = (
        False  # a branch that leaves out what is below of what it did not choose, too
    )
    decides_by_index: bool = (
        False  # a branch of which each instance decides on those with its index only
    )
    branches: tuple[
        int, ...
    ] = ()  # that may leave it out: upstream nodes, and any above that skip all below
    decides_outcome: bool = True
    setup: bool = False
    teardown: bool = False
    needs: tuple[int, ...] = ()  # setups that must have succeeded, further up than its upstream
    scope: tuple[int, ...] = ()  # of a teardown: what must have ended, further up than its upstream
    # downstream, and further down by ``needs``, ``scope`` and the axes of a mapped group
    waited_for_by: tuple[int, ...] = ()

    @property
    def is_gated(self) -> bool:
        return self.past is not None or self.live_max_of_dag is not None

    @property
    def is_gate(self) -> bool:
        """Return whether it is the gate of its loop."""
        return self.loop is not None and self.loop.gate == self.index

    @property
    def has_many(self) -> bool:
        """Return whether those outside of its group get a list of results."""
        return self.axes is not None or self.loop is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    dag_id: str
    nodes: tuple[Node, ...]
    live_max: int | None = None  # max_active_tasks of a run
    timeout_s: float | None = None  # dagrun_timeout
    fail_fast: bool = False  # the first failure ends the others
    catchup: bool = False
    has_callbacks: bool = False  # of itself or of a task
    start_date: datetime | None = None
    by_id: Mapping[str, int] = field(default_factory=dict)

    def gated(self) -> list[Node]:
        """Return the nodes for which other runs count, too (``core.gates``)."""
        return [node for node in self.nodes if node.is_gated]

    def shape(self) -> setups.Shape:
        """Return where its setups and teardowns are."""
        return setups.shape_of(
            (node.upstream, node.downstream, node.setup, node.teardown) for node in self.nodes
        )

    def descendants(self, roots: set[int]) -> set[int]:
        """Everything below ``roots``, without them unless one lies below another."""
        return self._closure(roots, "downstream")

    def ancestors(self, roots: set[int]) -> set[int]:
        return self._closure(roots, "upstream")

    def deciding(self) -> list[Node]:
        """The nodes whose states at the end of a run are that of the run: the leaves (Airflow's rule). A node that does
        not decide the outcome is as if it were not there. A teardown that does not hides nothing above it, whatever
        is below it. Of nothing but teardowns, the last ones decide.
        """
        found: list[Node] = []
        above: set[int] = set()  # nodes with one below that decides
        for node in reversed(self.nodes):
            if node.decides_outcome or (node.index in above and not node.teardown):
                above.update(node.upstream)
            if node.decides_outcome and node.index not in above:
                found.append(node)
        return found[::-1] or [node for node in self.nodes if not node.downstream]

    def _closure(self, roots: set[int], direction: str) -> set[int]:
        found: set[int] = set()
        stack = list(roots)
        while stack:
            for index in getattr(self.nodes[stack.pop()], direction):
                if index not in found:
                    found.add(index)
                    stack.append(index)
        return found


NO_RETRY = RetryPolicy(retries=0, delay_s=0.0, exponential=False, max_delay_s=0.0, jitter=0.0)


def remains(dag_id: str, tasks: Iterable[tuple[str, str, int]]) -> Graph:
    """Build a graph for a version that cannot be read: tasks (id, pool, slots) from the rows of a run, without
    edges. Enough to end the run.
    """
    nodes = tuple(
        Node(index=index, task_id=task_id, pool=pool, pool_slots=slots, retry=NO_RETRY)
        for index, (task_id, pool, slots) in enumerate(tasks)
    )
    return Graph(dag_id=dag_id, nodes=nodes, by_id={node.task_id: node.index for node in nodes})
