"""Task groups: a prefix of task ids, defaults for the tasks inside, and something an arrow can touch as a whole.

An arrow to a group without tasks goes on to what comes after it, so that an empty one (a loop over
nothing) keeps the order of what is around it; and it ends at the tasks that the group gets later. Where
nothing was drawn to an empty group itself, it takes part in what was drawn to the group around it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from types import TracebackType
from typing import Any, Self, Unpack, overload

from headway.authoring.context import current_dag
from headway.authoring.frames import call_site
from headway.authoring.graph import Node, join
from headway.authoring.options import GROUP_OPTIONS, TASK_OPTIONS, GroupOptions, read_options
from headway.authoring.setups import leaves_inside
from headway.authoring.task import Task
from headway.spec.carried import shown


class TaskGroup(Node):
    """``with TaskGroup("load"):`` — ids inside begin with ``load.``."""

    def __init__(self, group_id: str, **given: Unpack[GroupOptions]) -> None:
        options = read_group_options(given, f'TaskGroup("{group_id}")')
        self.group_id = group_id
        self.prefix_group_id: bool = options.get("prefix_group_id", True)
        self.tooltip: str = options.get("tooltip", "")
        self.own_args: Mapping[str, Any] = options.get("default_args", {})
        self.default_args: Mapping[str, Any] = self.own_args  # with those of what is around it
        self.tasks: list[Task] = []
        self.groups: list[TaskGroup] = []  # those directly inside
        self.parent: TaskGroup | None = None
        self.path = group_id  # with the ids of the groups around it
        self.prefix = ""  # of the ids of its tasks
        self.before: list[Node] = []  # what arrows put before it, and after it
        self.after: list[Node] = []

    def __enter__(self) -> Self:
        dag = current_dag(f'TaskGroup("{self.group_id}")')
        outer = dag.groups[-1] if dag.groups else None
        around = dag.default_args if outer is None else outer.default_args
        self.default_args = {**around, **self.own_args}
        if outer is not None and self.parent is None and outer is not self:
            self.parent, self.path = outer, f"{outer.path}.{self.group_id}"
            outer.groups.append(self)
        before = "" if outer is None else outer.prefix
        # As in Airflow: without a prefix of its own, those around it do not count either.
        self.prefix = f"{before}{self.group_id}." if self.prefix_group_id else ""
        dag.groups.append(self)
        dag.all_groups[self] = None
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
            known = set(groups[-1].tasks)
            groups[-1].tasks += [task for task in self.tasks if task not in known]
        join(self.before, [self])
        join([self], self.after)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        options: GroupOptions = {
            "prefix_group_id": self.prefix_group_id,
            "tooltip": self.tooltip,
            "default_args": self.own_args,
        }
        return grouped(function, self.group_id or function.__name__, options)

    def remember(self, before: Sequence[Node], after: Sequence[Node]) -> None:
        self.before += before
        self.after += after

    def roots(self) -> list[Task]:
        return list(reached(self, "after"))

    def leaves(self) -> list[Task]:
        return list(reached(self, "before"))

    def ends(self, side: str) -> list[Task]:
        """Return its own tasks with nothing of the group before them, or after them."""
        if side == "after":
            inside = {task.task_id for task in self.tasks}
            return [task for task in self.tasks if inside.isdisjoint(task.upstream)]
        return leaves_inside(self.tasks)

    def holds(self, node: Node) -> bool:
        """Return whether a task or group is inside, at any depth."""
        if isinstance(node, TaskGroup):
            return self in ancestors(node.parent)
        return all(self in ancestors(task.group) for task in node.leaves())


def ancestors(group: TaskGroup | None) -> Iterator[TaskGroup]:
    """Yield a group and those around it, innermost first."""
    while group is not None:
        yield group
        group = group.parent


def reached(group: TaskGroup, side: str) -> dict[Task, None]:
    """Return the tasks at which an arrow to it ends (``after``), or an arrow from it begins (``before``).

    A group has a near and a far border, as one comes from there. Where it has no task, the way leads across.
    """
    ends: dict[Task, None] = {}
    across: dict[Task, None] = {}
    solid: list[TaskGroup] = []  # whose tasks lie between its borders
    seen: set[tuple[TaskGroup, bool]] = set()
    stack = [(group, False)]
    while stack:
        at, far = stack.pop()
        if (at, far) in seen:
            continue
        seen.add((at, far))
        if far:
            outward = getattr(at, side)
            stack += [(node, False) for node in outward if isinstance(node, TaskGroup)]
            for node in outward:
                if not isinstance(node, TaskGroup):
                    across |= dict.fromkeys(node.leaves())
            if at.parent is not None and not any(map(at.parent.holds, outward)):
                stack.append((at.parent, True))
        elif at.tasks:
            ends |= dict.fromkeys(at.ends(side))
            within = [each for each in insides(at) if each.tasks]
            solid += within
            seen |= {(each, True) for each in within}
            stack += [(each, False) for each in insides(at) if not each.tasks]
        else:
            stack += [(at, True), *((inner, False) for inner in at.groups)]
    return ends | {task: None for task in across if not any(each.holds(task) for each in solid)}


def insides(group: TaskGroup) -> Iterator[TaskGroup]:
    """Yield a group and all in it."""
    stack = [group]
    while stack:
        at = stack.pop()
        yield at
        stack += at.groups


def read_group_options(given: Mapping[str, object], word: str) -> dict[str, Any]:
    site = call_site()
    options = read_options(given, GROUP_OPTIONS, site, word, ("group_id",))
    defaults = options.get("default_args", {})
    read_options(defaults, TASK_OPTIONS, site, f"{word}: default_args")
    return options


def grouped(
    function: Callable[..., Any], group_id: str, options: GroupOptions
) -> Callable[..., Any]:
    """A function whose tasks form a group; called again, the group is called ``name__1``."""
    if function.__doc__ and not options.get("tooltip"):
        options = {**options, "tooltip": shown(function.__doc__.strip())}

    @wraps(function)
    def call(*args: object, **kwargs: object) -> object:
        dag = current_dag(f"{function.__name__}()")
        outer = dag.groups[-1].prefix if dag.groups else ""
        group = TaskGroup(dag.free_group_id(group_id, outer), **options)
        with group:
            returned = function(*args, **kwargs)
        return group if returned is None else returned

    call.is_group = True  # type: ignore[attr-defined]
    return call


@overload
def task_group(group: Callable[..., Any], /) -> Callable[..., Any]: ...
@overload
def task_group(
    group: str | None = None, /, *, group_id: str | None = None, **options: Unpack[GroupOptions]
) -> TaskGroup: ...
def task_group(
    group: Callable[..., Any] | str | None = None,
    /,
    *,
    group_id: str | None = None,
    **options: Unpack[GroupOptions],
) -> Callable[..., Any] | TaskGroup:
    """``@task_group`` on a function, or ``with task_group("load"):``."""
    if callable(group):
        return grouped(group, group_id or group.__name__, options)
    return TaskGroup(group or group_id or "", **options)
