"""Setups and teardowns: ``@setup``, ``@teardown``, ``as_setup``, ``as_teardown`` and ``with teardown:``.

``with delete_cluster(create_cluster()):`` puts the tasks of the block between the two: its first tasks below the
setups, its last ones above the teardowns. A block within another one is between the setups and teardowns of that.
"""

from collections.abc import Callable, Iterable
from types import FunctionType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, overload

from headway.authoring.frames import call_site
from headway.authoring.graph import Node, connect
from headway.spec.errors import BadSpec

if TYPE_CHECKING:
    from headway.authoring.decorators import TaskFunction
    from headway.authoring.task import Task

RULE: Final = "all_done_setup_success"
Setups = Node | Iterable[Node] | None


class Markable(Node):
    """A task or its result: what can be a setup or a teardown."""

    __slots__ = ()

    def marked_task(self) -> "Task":
        raise NotImplementedError

    def as_setup(self) -> Self:
        """Make it a setup: it prepares what a teardown directly downstream of it cleans up."""
        mark_setup(self.marked_task())
        return self

    def as_teardown(
        self, *, setups: Setups = None, on_failure_fail_dagrun: bool | None = None
    ) -> Self:
        """Make it a teardown of ``setups``, which become setups and are put directly upstream of it.

        Its failure fails the run only with ``on_failure_fail_dagrun``.
        """
        task = self.marked_task()
        mark_teardown(task, on_failure_fail_dagrun)
        for each in [setups] if isinstance(setups, Node) else setups or ():
            for setup in each.leaves():
                mark_setup(setup)
                task.add_upstream(setup)
        return self

    def __enter__(self) -> Self:
        enter([self.marked_task()])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        leave(self.marked_task())


class context_wrapper(list[Markable]):  # Airflow's name
    """``with context_wrapper([teardown_a, teardown_b]):`` is a block of several setups or several teardowns."""

    def __enter__(self) -> Self:
        enter([each.marked_task() for each in self])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        leave(self[0].marked_task())


class Block:
    """A ``with`` block: the setups and teardowns around it and the tasks inside."""

    def __init__(self, marked: list["Task"]) -> None:
        teardowns = [task for task in marked if is_teardown(task)]
        setups = [task for task in marked if is_setup(task)]
        above = [up for task in teardowns for up in task.upstream.values() if is_setup(up)]
        below = [down for task in setups for down in task.downstream.values() if is_teardown(down)]
        self.setups: list[Node] = [*dict.fromkeys([*setups, *above])]
        self.teardowns: list[Node] = [*dict.fromkeys([*teardowns, *below])]
        self.tasks: list[Task] = []
        self.inner: list[Block] = []

    def work(self) -> list["Task"]:
        return [task for task in self.tasks if not (is_setup(task) or is_teardown(task))]

    def first(self) -> list[Node]:
        """Return what comes first of the block, itself included."""
        return self.setups or [
            *self.roots(),
            *(node for block in self.inner for node in block.first()),
        ]

    def last(self) -> list[Node]:
        return self.teardowns or [
            *self.leaves(),
            *(node for block in self.inner for node in block.last()),
        ]

    def roots(self) -> list["Task"]:
        work = self.work()
        return [task for task in work if not task.upstream] or work[:1]

    def leaves(self) -> list["Task"]:
        work = self.work()
        return [task for task in work if not task.downstream] or work[-1:]

    def close(self) -> None:
        """Draw the arrows of the block."""
        roots, leaves = self.roots(), self.leaves()
        connect(self.setups, roots)
        connect(leaves, self.teardowns)
        for block in self.inner:
            connect(self.setups, block.first())
            connect(block.last(), self.teardowns)


def enter(marked: list["Task"]) -> None:
    if not marked or not all(is_setup(task) or is_teardown(task) for task in marked):
        raise wrong(
            "only setup and teardown tasks can begin a with block",
            "mark the task with as_setup() or as_teardown(setups=…) first",
        )
    blocks = marked[0].dag.blocks
    block = Block(marked)
    if blocks:
        blocks[-1].inner.append(block)
    blocks.append(block)


def leave(task: "Task") -> None:
    task.dag.blocks.pop().close()


def is_setup(task: "Task") -> bool:
    return bool(task.options.get("setup"))


def is_teardown(task: "Task") -> bool:
    return bool(task.options.get("teardown"))


def mark_setup(task: "Task") -> None:
    if is_teardown(task):
        raise wrong(f"{task.task_id} is a teardown, so it cannot be a setup", None)
    task.options["setup"] = True


def mark_teardown(task: "Task", decides: bool | None) -> None:
    if is_setup(task):
        raise wrong(f"{task.task_id} is a setup, so it cannot be a teardown", None)
    before = bool(task.options.get("decides_outcome")) if is_teardown(task) else False
    task.options.update(
        teardown=True,
        trigger_rule=RULE,
        decides_outcome=before if decides is None else decides,
    )


def leaves_inside(tasks: list["Task"]) -> list["Task"]:
    """Return the tasks of a group at which an arrow from it begins: its last ones, without teardowns."""
    inside = {task.task_id for task in tasks}
    found: dict[Task, None] = {}
    for task in tasks:
        if inside.isdisjoint(task.downstream):
            found |= dict.fromkeys([task] if not is_teardown(task) else last_work(task, inside))
    if found or not tasks:
        return list(found)
    return [task for task in tasks if not is_teardown(task) and not has_work_below(task, inside)]


def last_work(teardown: "Task", inside: set[str]) -> Iterable["Task"]:
    seen: set[Task] = set()
    stack = [teardown]
    while stack:
        task = stack.pop()
        if task in seen:
            continue
        seen.add(task)
        for upstream in task.upstream.values():
            if upstream.task_id not in inside or is_setup(upstream):
                continue
            if is_teardown(upstream):
                stack.append(upstream)
            elif not has_work_below(upstream, inside):
                yield upstream


def has_work_below(task: "Task", inside: set[str]) -> bool:
    return any(
        below.task_id in inside and not is_teardown(below) for below in task.downstream.values()
    )


def wrong(message: str, hint: str | None) -> BadSpec:
    site = call_site()
    return BadSpec(message, file=site.file, line=site.line, hint=hint)


def setup(function: "Callable[..., Any] | TaskFunction", /) -> "TaskFunction":
    """``@setup`` on a function, or on one under ``@task``: its tasks are setups."""
    made = task_function(function, "@setup")
    return made.marked(mark_setup)


@overload
def teardown(function: "Callable[..., Any] | TaskFunction", /) -> "TaskFunction": ...
@overload
def teardown(
    function: None = None, /, *, on_failure_fail_dagrun: bool = False
) -> "Callable[[Callable[..., Any] | TaskFunction], TaskFunction]": ...
def teardown(
    function: "Callable[..., Any] | TaskFunction | None" = None,
    /,
    *,
    on_failure_fail_dagrun: bool = False,
) -> "TaskFunction | Callable[[Callable[..., Any] | TaskFunction], TaskFunction]":
    """``@teardown`` or ``@teardown(on_failure_fail_dagrun=True)``: its tasks are teardowns."""

    def decorate(function: "Callable[..., Any] | TaskFunction") -> "TaskFunction":
        made = task_function(function, "@teardown")
        for name in ("trigger_rule", "decides_outcome"):
            if name in made.options:
                raise wrong(
                    f"@teardown: {made.name} cannot have {name}",
                    f'remove it: a teardown has the trigger rule "{RULE}", and fails the run only with '
                    "on_failure_fail_dagrun=True",
                )
        return made.marked(lambda task: mark_teardown(task, on_failure_fail_dagrun))

    return decorate if function is None else decorate(function)


def task_function(function: "Callable[..., Any] | TaskFunction", word: str) -> "TaskFunction":
    from headway.authoring.decorators import TaskFunction, task

    if isinstance(function, TaskFunction):
        return function
    if getattr(function, "is_group", False):
        raise wrong(
            f"{word}: {function.__name__} is a task group, which cannot be a setup or teardown",
            "mark a task inside the group",
        )
    if not isinstance(function, FunctionType):
        raise wrong(f"{word} decorates a function, not {function!r}", None)
    return task(function)
