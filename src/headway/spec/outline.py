"""The tasks of a DAG as rows: a tree of groups, sorted upstream first.

The group of a task is the part of its id before the last dot, or what its spec says. The outline of several versions
has the current tasks and, marked as removed, those that only older versions had.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from headway.spec.model import Dag, Task


@dataclass(frozen=True, slots=True)
class Row:
    task: Task
    removed: bool

    @property
    def group(self) -> str:
        return group_of(self.task)

    @property
    def label(self) -> str:
        return label_of(self.task)

    @property
    def depth(self) -> int:
        return self.group.count(".") + 1 if self.group else 0


@dataclass(frozen=True, slots=True)
class Group:
    group_id: str
    parent: str
    tooltip: str = ""
    mapped: bool = False  # as a whole, or a loop

    @property
    def label(self) -> str:
        return self.group_id.rpartition(".")[2]


@dataclass(slots=True)
class Outline:
    rows: list[Row] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def places(self) -> dict[str, int]:
        return {row.task.task_id: place for place, row in enumerate(self.rows)}


def outline(current: Dag, older: Sequence[Dag] = ()) -> Outline:
    """Build the outline. ``older`` are older versions, newest first."""
    rows = {task.task_id: Row(task, removed=False) for task in current.tasks}
    for dag in older:
        for task in dag.tasks:
            rows.setdefault(task.task_id, Row(task, removed=True))
    tooltips = {group.path: group.tooltip for group in current.groups}
    mapped = {mapped_group_of(row.task) for row in rows.values()}
    inside: dict[str, list[Row | Group]] = {"": []}
    for row in rows.values():
        for group in reversed(list(groups_around(row.group))):
            if group not in inside:
                inside[group] = []
                inside[parent_of(group)].append(
                    Group(group, parent_of(group), tooltips.get(group, ""), group in mapped)
                )
        inside[row.group].append(row)
    found = Outline()
    fill(found, inside)
    return found


def fill(found: Outline, inside: dict[str, list[Row | Group]]) -> None:
    """Yield rows depth first, each group at its first task. Not recursive, because ids may be deep."""
    stack = [iter(inside[""])]
    while stack:
        entry = next(stack[-1], None)
        match entry:
            case None:
                stack.pop()
            case Row():
                found.rows.append(entry)
            case Group():
                found.groups.append(entry)
                stack.append(iter(inside[entry.group_id]))


def group_of(task: Task) -> str:
    """Return the path of its group; empty if it is in none."""
    return parent_of(task.task_id) if task.group is None else task.group


def mapped_group_of(task: Task) -> str:
    """Return the path of the group that is mapped as a whole, or repeated, and has the task; empty if none has."""
    return task.loop if task.mapping is None else task.mapping.group


def label_of(task: Task) -> str:
    """Return its id without the part that is that of its group."""
    prefix = group_of(task)
    while prefix and not task.task_id.startswith(f"{prefix}."):
        prefix = prefix.partition(".")[2]  # a group around it adds none
    return task.task_id.removeprefix(f"{prefix}.")


def parent_of(name: str) -> str:
    return name.rpartition(".")[0]


def groups_around(group: str) -> Iterator[str]:
    """Yield a group and those around it, innermost first, without the root."""
    while group:
        yield group
        group = parent_of(group)
