"""Values that do not exist yet while a file is read: a task's result, a run's parameter.

They stand in arguments, also inside lists, tuples, sets and dicts, and are replaced just before the
task runs.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from headway.authoring.frames import call_site
from headway.authoring.graph import Node
from headway.authoring.setups import Markable
from headway.spec.errors import BadSpec

if TYPE_CHECKING:
    from headway.authoring.groups import TaskGroup
    from headway.authoring.lists import Concatenated, Mapped, Zipped
    from headway.authoring.task import Task

RESULT_KEY: Final = "return_value"
NO_FILL: Final = object()

# The value of a reference, in an attempt.
LookUp = Callable[["XComArg | ParamRef | GroupItem"], object]


class Unknown:
    """Refuses what needs the value now, with a word on what to do instead."""

    __slots__ = ()

    def described(self) -> str:
        raise NotImplementedError

    def refuse(self, deed: str, hint: str) -> NoReturn:
        site = call_site()
        raise BadSpec(
            f"{self.described()} is not known while the file is read, so it cannot be {deed} here",
            file=site.file,
            line=site.line,
            hint=hint,
        )

    def __bool__(self) -> bool:
        self.refuse("tested", "decide inside a task, with @task.branch or @task.short_circuit")

    def __iter__(self) -> Iterator[object]:
        self.refuse(
            "looped over or unpacked",
            'use .expand(argument=result) to map over it, or result["key"]',
        )

    def __len__(self) -> int:
        self.refuse("counted", "count it inside a task")

    def __str__(self) -> str:
        self.refuse("converted to a string", "pass it to a task as an argument and format it there")

    def __format__(self, spec: str) -> str:
        return str(self)


class Listed(Unknown, Node):
    """A list that tasks can be mapped over: a result, or what ``lists`` makes of several."""

    __slots__ = ()
    parts: "Sequence[Listed]" = ()  # what it is made of

    def whole(self, look_up: LookUp) -> object:
        """Return its value in an attempt."""
        raise NotImplementedError

    def roots(self) -> "list[Task]":
        return list(dict.fromkeys(task for part in self.parts for task in part.roots()))

    def leaves(self) -> "list[Task]":
        return list(dict.fromkeys(task for part in self.parts for task in part.leaves()))

    def __repr__(self) -> str:
        return f"<{self.described()}>"

    def map(self, function: Callable[[Any], object]) -> "Mapped":
        """Each item as ``function`` makes it, in the task that is mapped over it."""
        from headway.authoring.lists import Mapped

        return Mapped(self, function)

    def zip(self, *others: "Listed", fillvalue: object = NO_FILL) -> "Zipped":
        """Tuples of an item of each: as many as the shortest list has, or, with ``fillvalue``, the longest."""
        from headway.authoring.lists import NOTHING, Zipped

        return Zipped((self, *others), NOTHING if fillvalue is NO_FILL else fillvalue)

    def concat(self, *others: "Listed") -> "Concatenated":
        """The items of all of them, one list after the other."""
        from headway.authoring.lists import Concatenated

        return Concatenated((self, *others))


class XComArg(Listed, Markable):
    """The result of ``task``, or the item ``key`` of it."""

    __slots__ = ("key", "task")

    def __init__(self, task: "Task", key: str = RESULT_KEY) -> None:
        self.task = task
        self.key = key

    @property
    def operator(self) -> "Task":
        return self.task

    @property
    def task_id(self) -> str:
        return self.task.task_id

    def roots(self) -> list["Task"]:
        return [self.task]

    def leaves(self) -> list["Task"]:
        return [self.task]

    def whole(self, look_up: LookUp) -> object:
        return look_up(self)

    def marked_task(self) -> "Task":
        return self.task

    def described(self) -> str:
        return f"the result of {self.task_id}"

    def __repr__(self) -> str:
        item = "" if self.key == RESULT_KEY else f"[{self.key!r}]"
        return f"<result of {self.task_id}{item}>"

    def __getitem__(self, key: str) -> "XComArg":
        if self.key == RESULT_KEY and isinstance(key, str) and key and key != RESULT_KEY:
            return XComArg(self.task, key)
        site = call_site()
        raise BadSpec(
            f"only a string key of a result can be referred to, not [{key!r}] of {self!r}",
            file=site.file,
            line=site.line,
            hint="pass the whole result and get the item inside the task",
        )


class ParamRef(Unknown):
    """A parameter of the run."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def described(self) -> str:
        return f"the parameter {self.name}"

    def __repr__(self) -> str:
        return f"<parameter {self.name}>"

    def __str__(self) -> str:
        """Return a template, so that a reference can stand in an f-string of a command."""
        return f"{{{{ params[{self.name!r}] }}}}"


class GroupItem(Unknown):
    """An argument of a mapped group: in each instance of its tasks the item of the index."""

    __slots__ = ("group", "name")

    def __init__(self, group: "TaskGroup", name: str) -> None:
        self.group = group
        self.name = name

    def described(self) -> str:
        return f"{self.name} of the mapped group {self.group.group_id}"

    def __repr__(self) -> str:
        return f"<{self.described()}>"


class Callee:
    """A task function: only its call has a result."""

    __slots__ = ()
    name: str


def references(value: object) -> Iterator[XComArg]:
    """Yield every result that ``value`` contains. Raises BadSpec for a task function that nobody called."""
    if isinstance(value, XComArg):
        yield value
    elif isinstance(value, Listed):
        for part in value.parts:
            yield from references(part)
    elif isinstance(value, Callee):
        site = call_site()
        raise BadSpec(
            f"the argument {value.name} is a task function, not its result",
            file=site.file,
            line=site.line,
            hint=f"call it: {value.name}(); {value.name}.function is the plain function",
        )
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from references(item)
    elif isinstance(value, Node):
        for task in value.results():
            yield XComArg(task)


def resolve(value: object, look_up: LookUp) -> object:
    """``value`` with every reference replaced; what contains none comes back as it is."""
    if isinstance(value, Listed):
        return value.whole(look_up)
    if isinstance(value, (ParamRef, GroupItem)):
        return look_up(value)
    if isinstance(value, dict):
        found = {name: resolve(item, look_up) for name, item in value.items()}
        return found if any(found[name] is not value[name] for name in value) else value
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [resolve(item, look_up) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        if isinstance(value, tuple) and hasattr(value, "_make"):
            return value._make(items)
        return type(value)(items)
    if isinstance(value, Node):
        (task,) = value.results()
        return look_up(XComArg(task))
    return value
