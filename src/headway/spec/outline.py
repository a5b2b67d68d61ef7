"""The tasks of a DAG as rows: a tree of groups, sorted upstream first.

The group of a task is the part of its id before the last dot. The outline of several versions has
the current tasks and, marked as removed, those that only older versions had.
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
        return group_of(self.task.task_id)

    @property
    def label(self) -> str:
        return self.task.task_id.rpartition(".")[2]

    @property
    def depth(self) -> int:
        return self.task.task_id.count(".")


@dataclass(frozen=True, slots=True)
class Group:
    group_id: str
    parent: str

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
    inside: dict[str, list[Row | Group]] = {"": []}
    for row in rows.values():
        for group in reversed(list(groups_of(row.task.task_id))):
            if group not in inside:
                inside[group] = []
                inside[group_of(group)].append(Group(group, group_of(group)))
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


def group_of(name: str) -> str:
    return name.rpartition(".")[0]


def groups_of(task_id: str) -> Iterator[str]:
    """Yield the groups of a task, innermost first, without the root."""
    group = group_of(task_id)
    while group:
        yield group
        group = group_of(group)
