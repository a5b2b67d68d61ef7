"""Task groups: a prefix of task ids, and something an arrow can touch as a whole.

An arrow to a group without tasks goes on to what comes after it, so that an empty one (a loop over
nothing) keeps the order of what is around it; and it ends at the tasks that the group gets later.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from types import TracebackType
from typing import Any, Self, overload

from headway.authoring.context import current_dag
from headway.authoring.graph import Node, connect
from headway.authoring.task import Task


class TaskGroup(Node):
    """``with TaskGroup("load"):`` — ids inside begin with ``load.``."""

    def __init__(self, group_id: str, *, prefix_group_id: bool = True) -> None:
        self.group_id = group_id
        self.prefix_group_id = prefix_group_id
        self.tasks: list[Task] = []
        self.prefix = ""
        self.before: list[Node] = []  # arrows that were drawn while it was empty
        self.after: list[Node] = []

    def __enter__(self) -> Self:
        dag = current_dag(f'TaskGroup("{self.group_id}")')
        outer = dag.groups[-1].prefix if dag.groups else ""
        self.prefix = f"{outer}{self.group_id}." if self.prefix_group_id else outer
        dag.groups.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        groups = current_dag("TaskGroup").groups
        groups.pop()
        if groups:
            groups[-1].tasks += self.tasks
        if self.tasks:
            connect(self.before, self)
            connect(self, self.after)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return grouped(function, self.group_id or function.__name__, self.prefix_group_id)

    def remember(self, before: Sequence[Node], after: Sequence[Node]) -> None:
        if not self.tasks:
            self.before += before
            self.after += after

    def roots(self) -> list[Task]:
        if not self.tasks:
            return [task for node in beyond(self, "after") for task in node.roots()]
        inside = {task.task_id for task in self.tasks}
        return [task for task in self.tasks if inside.isdisjoint(task.upstream)]

    def leaves(self) -> list[Task]:
        if not self.tasks:
            return [task for node in beyond(self, "before") for task in node.leaves()]
        inside = {task.task_id for task in self.tasks}
        return [task for task in self.tasks if inside.isdisjoint(task.downstream)]


def beyond(empty: TaskGroup, side: str) -> list[Node]:
    """Return what comes before or after an empty group, across other empty ones."""
    seen: set[int] = set()
    found: list[Node] = []
    stack: list[Node] = [empty]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, TaskGroup) and not node.tasks:
            stack += getattr(node, side)
        else:
            found.append(node)
    return found


def grouped(function: Callable[..., Any], group_id: str, prefix: bool) -> Callable[..., Any]:
    """A function whose tasks form a group; called again, the group is called ``name__1``."""

    @wraps(function)
    def call(*args: object, **kwargs: object) -> object:
        dag = current_dag(f"{function.__name__}()")
        outer = dag.groups[-1].prefix if dag.groups else ""
        group = TaskGroup(dag.free_group_id(group_id, outer), prefix_group_id=prefix)
        with group:
            returned = function(*args, **kwargs)
        return group if returned is None else returned

    return call


@overload
def task_group(group: Callable[..., Any], /) -> Callable[..., Any]: ...
@overload
def task_group(
    group: str | None = None, /, *, group_id: str | None = None, prefix_group_id: bool = True
) -> TaskGroup: ...
def task_group(
    group: Callable[..., Any] | str | None = None,
    /,
    *,
    group_id: str | None = None,
    prefix_group_id: bool = True,
) -> Callable[..., Any] | TaskGroup:
    """``@task_group`` on a function, or ``with task_group("load"):``."""
    if callable(group):
        return grouped(group, group_id or group.__name__, prefix_group_id)
    return TaskGroup(group or group_id or "", prefix_group_id=prefix_group_id)
