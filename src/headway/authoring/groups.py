"""Task groups: a prefix of task ids, defaults for the tasks inside, and something an arrow can touch as a whole.

An arrow to a group without tasks goes on to what comes after it, so that an empty one (a loop over
nothing) keeps the order of what is around it; and it ends at the tasks that the group gets later. Where
nothing was drawn to an empty group itself, it takes part in what was drawn to the group around it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import update_wrapper
from types import TracebackType
from typing import Any, Self, Unpack, overload

from headway.authoring.calls import (
    check_axes,
    check_items,
    refuse_in_loop,
    refuse_missing,
    refuse_unknown,
    wrong,
)
from headway.authoring.context import current_dag, current_group
from headway.authoring.frames import call_site
from headway.authoring.graph import Node, join
from headway.authoring.options import GROUP_OPTIONS, TASK_OPTIONS, GroupOptions, read_options
from headway.authoring.references import GroupItem, references
from headway.authoring.setups import leaves_inside
from headway.authoring.signatures import NO_DEFAULT, Signature, signature_of
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
        self.expansion: Expansion | None = None  # of its own
        self.signature: Signature | None = None  # of its function
        self.loop: Repetition | None = None  # of its own

    def mapped(self) -> "Expansion | None":
        """Return what it is mapped over, by itself or with a group around it."""
        return next((each.expansion for each in ancestors(self) if each.expansion), None)

    def looped(self) -> "Repetition | None":
        """Return the loop that it is, or is in."""
        return next((each.loop for each in ancestors(self) if each.loop), None)

    def default_of(self, name: str) -> object:
        parameter = None if self.signature is None else self.signature.parameters.get(name)
        return NO_DEFAULT if parameter is None else parameter.default

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

    def __call__(self, function: Callable[..., Any]) -> "GroupFunction":
        options: GroupOptions = {
            "prefix_group_id": self.prefix_group_id,
            "tooltip": self.tooltip,
            "default_args": self.own_args,
        }
        return GroupFunction(function, self.group_id or function.__name__, options)

    def remember(self, before: Sequence[Node], after: Sequence[Node]) -> None:
        self.before += before
        self.after += after

    def roots(self) -> list[Task]:
        return list(reached(self, "after"))

    def leaves(self) -> list[Task]:
        return list(reached(self, "before"))

    def results(self) -> list[Task]:
        """Return its last tasks; of a loop the one whose result is that of an iteration."""
        return self.leaves() if self.loop is None else [self.loop.result]

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


class Expansion:
    """The axes that a group is mapped over: its tasks have an instance for each item, and each index is on its own."""

    def __init__(self, group: TaskGroup, axes: Mapping[str, object]) -> None:
        self.group = group
        self.axes = axes

    @property
    def path(self) -> str:
        return self.group.path


class Repetition:
    """A group that is repeated, once it has all its tasks: which of them decides, and whose result counts."""

    def __init__(self, group: TaskGroup, max_iterations: int, until: str) -> None:
        self.group = group
        self.max_iterations = max_iterations
        self.until = until
        self.gate: Task
        self.result: Task

    @property
    def path(self) -> str:
        return self.group.path


class GroupFunction:
    """A function whose tasks form a group; called again, the group is called ``name__1``."""

    is_group = True

    def __init__(self, function: Callable[..., Any], group_id: str, options: GroupOptions) -> None:
        if function.__doc__ and not options.get("tooltip"):
            options = {**options, "tooltip": shown(function.__doc__.strip())}
        self.function = function
        self.group_id = group_id
        self.options = options
        self.name = function.__name__
        update_wrapper(self, function)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        return self.make(lambda group: self.function(*args, **kwargs), {})

    def partial(self, **kwargs: object) -> "PartialGroup":
        """Arguments that are the same for all instances."""
        return PartialGroup(self, kwargs)

    def expand(self, **axes: object) -> Any:
        """The group once for each item; several arguments give their cross product."""
        return PartialGroup(self, {}).expand(**axes)

    def expand_kwargs(self, items: object) -> Any:
        """The group once for each dict of arguments."""
        return PartialGroup(self, {}).expand_kwargs(items)

    def loop(self, **given: Any) -> TaskGroup:
        """The group again and again, until ``until`` returns True, at most ``max_iterations`` times."""
        return PartialGroup(self, {}).loop(**given)

    def override(self, *, group_id: str | None = None, **options: Unpack[GroupOptions]) -> Self:
        """Return the same function as another group."""
        read_group_options(options, f"{self.name}.override()")
        return type(self)(self.function, group_id or self.group_id, {**self.options, **options})

    def new(self) -> TaskGroup:
        """Return a group without tasks, with an id that is free."""
        dag = current_dag(f"{self.name}()")
        outer = dag.groups[-1].prefix if dag.groups else ""
        group = TaskGroup(dag.free_group_id(self.group_id, outer), **self.options)
        group.signature = signature_of(self.function)
        return group

    def make(self, fill: Callable[[TaskGroup], Any], axes: Mapping[str, object]) -> Any:
        """Return what the function returns, or the group."""
        group = self.new()
        if axes:
            group.expansion = Expansion(group, axes)
        with group:
            returned = fill(group)
        if axes:
            for reference in references(axes):
                for task in group.roots():
                    task.add_upstream(reference.task)
        return group if returned is None else returned


class PartialGroup:
    """A group function with some of its arguments; ``expand`` gives the others."""

    def __init__(self, group: GroupFunction, kwargs: dict[str, object]) -> None:
        self.group = group
        self.kwargs = kwargs
        self.signature = signature_of(group.function)
        refuse_unknown(f"{group.name}.partial()", self.signature, (), kwargs)

    def expand(self, **axes: object) -> Any:
        check_axes(self.group.name, self.kwargs, axes)
        word = f"{self.group.name}.expand()"
        given = refuse_unknown(word, self.signature, (), [*self.kwargs, *axes])
        refuse_missing(word, self.signature, given)
        return self.mapped(word, axes, list(axes))

    def expand_kwargs(self, items: object) -> Any:
        check_items(self.group.name, items)
        names = [name for name in self.signature.parameters if name not in self.kwargs]
        return self.mapped(f"{self.group.name}.expand_kwargs()", {"": items}, names)

    def loop(self, **given: Any) -> TaskGroup:
        """The group again and again, until ``until`` returns True, at most ``max_iterations`` times."""
        from headway.authoring.loops import repeat  # few files need it

        return repeat(self.group, self.kwargs, given)

    def mapped(self, word: str, axes: Mapping[str, object], names: Sequence[str]) -> Any:
        outer = current_group()
        if outer is not None and (around := outer.mapped()) is not None:
            raise wrong(
                f"{word} is inside of the mapped group {around.group.group_id}, "
                "and mapped groups cannot be nested",
                hint="map the outer group over all combinations, made by a task before it",
            )
        refuse_in_loop(word)

        def fill(group: TaskGroup) -> Any:
            items = {name: GroupItem(group, name) for name in names}
            return self.group.function(**self.kwargs, **items)

        return self.group.make(fill, axes)


@overload
def task_group(group: Callable[..., Any], /) -> GroupFunction: ...
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
) -> GroupFunction | TaskGroup:
    """``@task_group`` on a function, or ``with task_group("load"):``."""
    if callable(group):
        return GroupFunction(group, group_id or group.__name__, options)
    return TaskGroup(group or group_id or "", **options)
