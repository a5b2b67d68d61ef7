"""A task of a DAG as it is written: its function or operator, arguments and arrows."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from headway.authoring.context import current_group
from headway.authoring.references import XComArg, references
from headway.authoring.setups import Markable
from headway.spec.errors import BadSpec

if TYPE_CHECKING:
    from headway.authoring.conditions import Condition
    from headway.authoring.dag import DAG
    from headway.authoring.operators.base import Operator


class Follows(Enum):
    """The tasks behind a task that go on after its success."""

    ALL = "all"
    AGAIN = "again"  # the gate of a loop: another iteration, or none
    NAMED = "named"  # @task.branch: its result names them
    IF_TRUE = "if true"  # @task.short_circuit: all or none, and none of what is further down either
    IF_TRUE_DIRECT = "if true, direct"  # … with ignore_downstream_trigger_rules=False: trigger rules decide there


class Arguments(NamedTuple):
    """The arguments of a task.

    ``axes``: arguments mapped over; the name "" gives dicts of arguments.
    """

    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = {}
    axes: Mapping[str, object] = {}

    def references(self) -> Iterator[XComArg]:
        yield from references(self.args)
        yield from references(self.kwargs)
        yield from references(self.axes)


class Task(Markable):
    """Made by calling a @task function or an operator; the DAG holds it."""

    __slots__ = (
        "arguments",
        "conditions",
        "dag",
        "downstream",
        "expansion",
        "follows",
        "function",
        "group",
        "line",
        "loop",
        "operator",
        "options",
        "task_id",
        "upstream",
    )

    def __init__(
        self,
        dag: "DAG",
        task_id: str,
        operator: "Operator",
        arguments: Arguments,
        options: dict[str, Any],
        line: int,
        function: Callable[..., object] | None = None,
        follows: Follows = Follows.ALL,
    ) -> None:
        self.dag = dag
        self.task_id = task_id
        self.operator = operator
        self.arguments = arguments
        self.options = options
        self.line = line
        self.function = function
        self.follows = follows
        self.conditions: tuple[Condition, ...] = ()
        self.upstream: dict[str, Task] = {}
        self.downstream: dict[str, Task] = {}
        for reference in arguments.references():
            self.add_upstream(reference.task)
        dag.tasks[task_id] = self
        self.group = current_group()
        self.expansion = None if self.group is None else self.group.mapped()
        self.loop = None if self.group is None else self.group.looped()
        if self.group is not None:
            self.group.tasks.append(self)
        if dag.blocks:
            dag.blocks[-1].tasks.append(self)

    @property
    def output(self) -> XComArg:
        return XComArg(self)

    @property
    def templated(self) -> tuple[str, ...]:
        """Return the arguments of its function whose texts are templates."""
        found: tuple[str, ...] = self.options.get("templated", ())
        return found

    @property
    def axes(self) -> Mapping[str, object]:
        """Return the lists that it is mapped over, by itself or with its group."""
        return self.arguments.axes if self.expansion is None else self.expansion.axes

    @property
    def mapped(self) -> bool:
        return bool(self.axes)

    def is_beside(self, other: "Task") -> bool:
        """Return whether both are in one mapped group or loop, where each index is on its own."""
        if self.loop is not None:
            return self.loop is other.loop
        return self.expansion is not None and self.expansion is other.expansion

    @property
    def has_many(self) -> bool:
        """Return whether tasks outside of its group get a list of its results."""
        return self.mapped or self.loop is not None

    def read(self) -> Iterator[XComArg]:
        """Yield the results that it reads, those that its group is mapped over too."""
        yield from self.arguments.references()
        if self.expansion is not None:
            yield from references(self.expansion.axes)

    def roots(self) -> list["Task"]:
        return [self]

    def leaves(self) -> list["Task"]:
        return [self]

    def marked_task(self) -> "Task":
        return self

    def __repr__(self) -> str:
        return f"<task {self.task_id}>"

    def add_upstream(self, other: "Task") -> None:
        if other.dag is not self.dag:
            raise BadSpec(
                f"{self.task_id} of {self.dag.dag_id} cannot wait for "
                f"{other.task_id} of {other.dag.dag_id}",
                file=self.dag.site.file,
                line=self.line,
                hint="dependencies connect tasks of the same DAG",
            )
        self.upstream[other.task_id] = other
        other.downstream[self.task_id] = self
