"""A task's arguments as data: JSON, with a tag where JSON has no word for it, as results are stored.

``{"__headway__": "result", "task_id": "a", "key": "return_value"}`` and ``{"__headway__": "param", "name": "day"}``
stand for what only a run knows. ``{"__headway__": "absent", "why": …}`` stands for a value that is not data,
which only the task's file can create. Templates are text. The other tags are those of stored values
(``authoring.values``).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from headway.spec.carried import TAG
from headway.spec.model import RESULT_KEY, Dag, Task

TASK_BYTES_MAX: Final = 32 * 1024  # of the arguments of one task, as JSON
DAG_BYTES_MAX: Final = 1024 * 1024  # of all tasks of a DAG that is built here

# object: a function, a connection, …; size: beyond the bounds above; place: it names the folder that the file was
# imported from; private: it holds what the file has from its environment; unstable: the address of an object.
Why = Literal["object", "size", "place", "private", "unstable"]


def result(task_id: str, key: str = RESULT_KEY) -> dict[str, Any]:
    """The result of a task, or the item ``key`` of it."""
    return {TAG: "result", "task_id": task_id, "key": key}


def param(name: str) -> dict[str, Any]:
    """A parameter of the run."""
    return {TAG: "param", "name": name}


def absent(why: Why) -> dict[str, Any]:
    """Return the mark of a value that is not data, with the reason."""
    return {TAG: "absent", "why": why}


def tagged(value: object, kind: str) -> Iterator[Mapping[str, Any]]:
    """Everything in ``value`` that has this tag."""
    if isinstance(value, Mapping):
        if value.get(TAG) == kind:
            yield value
        for item in value.values():
            yield from tagged(item, kind)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tagged(item, kind)


def is_whole(task: Task) -> bool:
    """Return whether the task can run from its arguments alone, without its file."""
    return (
        task.arguments is not None
        and not task.function
        and not any(tagged(task.arguments, "absent"))
    )


def without_arguments(dag: Dag) -> Dag:
    """The same DAG, of which nothing is known that only its tasks' calls say."""
    replace = msgspec.structs.replace
    tasks = (replace(task, function="", arguments=None) for task in dag.tasks)
    return replace(dag, tasks=tuple(tasks))


def same_but_arguments(dag: Dag, other: Dag) -> bool:
    return without_arguments(dag) == without_arguments(other)
