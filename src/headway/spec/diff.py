"""Compares two DAG versions by their specs. Line numbers are ignored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from headway.core import schedules
from headway.spec.model import Dag, Task

ELSEWHERE: Final = frozenset({"line", "tasks", "spec_version", "arguments"})


@dataclass(frozen=True, slots=True)
class Change:
    what: str
    path: str
    before: Any
    after: Any


def changes(before: Dag, after: Dag) -> list[Change]:
    """List the differences: fields of the DAG, tasks in the order of the new version, removed tasks."""
    found = [Change(name, name, was, now) for name, was, now in differing(before, after)]
    old = {task.task_id: task for task in before.tasks}
    new = {task.task_id: task for task in after.tasks}
    for task_id, task in new.items():
        if task_id not in old:
            found.append(Change("task added", task_id, None, told(task)))
        else:
            found += [
                Change("task changed", f"{task_id}.{name}", was, now)
                for name, was, now in (
                    *differing(old[task_id], task),
                    *differing_arguments(old[task_id], task),
                )
            ]
    gone = [task for task_id, task in old.items() if task_id not in new]
    found += [Change("task removed", task.task_id, told(task), None) for task in gone]
    return found


def differing(before: Dag | Task, after: Dag | Task) -> Iterator[tuple[str, Any, Any]]:
    for name in before.__struct_fields__:
        was, now = getattr(before, name), getattr(after, name)
        if name == "schedule" and schedules.brief(was) != schedules.brief(now):
            was, now = schedules.brief(was), schedules.brief(now)  # not thousands of dates
        if name not in ELSEWHERE and was != now:
            yield name, msgspec.to_builtins(was), msgspec.to_builtins(now)


def differing_arguments(before: Task, after: Task) -> Iterator[tuple[str, Any, Any]]:
    """Return each differing argument by its name; nothing where one of the two versions does not say its arguments."""
    if before.arguments is None or after.arguments is None:
        return
    for name in dict.fromkeys((*before.arguments, *after.arguments)):
        was, now = before.arguments.get(name), after.arguments.get(name)
        if was != now or (name in before.arguments) != (name in after.arguments):
            yield f"arguments.{name}", was, now


def told(task: Task) -> Any:
    return msgspec.to_builtins(task)
