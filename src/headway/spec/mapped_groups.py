"""Rules for groups that are mapped as a whole."""

from collections.abc import Mapping, Sequence

from headway.spec.model import Task


def flaw_of_groups(ordered: Sequence[Task], tasks: Mapping[str, Task]) -> tuple[Task, str] | None:
    """Return a task that makes its mapped group invalid, and why: all tasks of it are mapped over the same, and over
    nothing of the group itself.
    """
    first: dict[str, Task] = {}
    for task in ordered:
        if task.mapping is None or not task.mapping.group:
            continue
        other = first.setdefault(task.mapping.group, task)
        if other.mapping != task.mapping:
            return task, (
                f'it is mapped over something else than "{other.task_id}", '
                f"which is in the same mapped group, {task.mapping.group}"
            )
    for task in first.values():
        for source in sources_of(task):
            if source in tasks and is_peer(task, tasks[source]):
                return task, f'its group is mapped over "{source}", which is in the group'
    return None


def has_from_peers(task: Task, source: str, tasks: Mapping[str, Task]) -> bool:
    """Return whether it waits for a task of its mapped group that reads the result too, and so waits for it."""
    if task.mapping is None or not task.mapping.group or source not in tasks:
        return False
    above = (tasks[name] for name in task.upstream if name in tasks)
    return any(is_peer(task, each) and source in read_by(each) for each in above)


def is_peer(task: Task, other: Task) -> bool:
    """Return whether both are in one mapped group."""
    mine, theirs = task.mapping, other.mapping
    return mine is not None and theirs is not None and mine.group != "" and mine == theirs


def read_by(task: Task) -> set[str]:
    return {*(each.task_id for each in task.inputs), *sources_of(task)}


def sources_of(task: Task) -> list[str]:
    """Return the tasks over whose results it is mapped."""
    axes = task.mapping.axes if task.mapping else ()
    leaves = [leaf.task_id for axis in axes for leaf in axis.leaves()]
    return [task_id for task_id in leaves if task_id is not None]
