"""The order of a DAG's tasks.

Linear in tasks and arrows, and never recursive: 100,000 tasks may form one chain.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from headway.core import setups
from headway.spec.errors import BadSpec, did_you_mean
from headway.spec.model import Task


def in_order(tasks: Mapping[str, Task], file: str) -> list[Task]:
    """Sort tasks upstream first, otherwise in file order. Raises BadSpec with the path of a cycle."""
    waits_for = {task_id: len(set(task.upstream)) for task_id, task in tasks.items()}
    downstream: dict[str, list[str]] = {task_id: [] for task_id in tasks}
    for task in tasks.values():
        for upstream in set(task.upstream):
            if upstream not in tasks:
                raise missing(task, upstream, tasks, file)
            downstream[upstream].append(task.task_id)
    free = deque(task_id for task_id, count in waits_for.items() if count == 0)
    ordered = []
    while free:
        task_id = free.popleft()
        ordered.append(tasks[task_id])
        for below in downstream[task_id]:
            waits_for[below] -= 1
            if waits_for[below] == 0:
                free.append(below)
    if len(ordered) < len(tasks):
        raise cycle({t: tasks[t] for t, count in waits_for.items() if count}, file)
    return ordered


def branches_above(tasks: Sequence[Task], most: int | None = None) -> list[frozenset[int]]:
    """Return for each task, in their topological order, the branches that may leave it out, by their places.

    These are the direct upstream branches, and all further up that skip all below. Tasks with the same further up share
    one set. Raises OverflowError when all sets together exceed ``most``.
    """
    places = {task.task_id: place for place, task in enumerate(tasks)}
    reaching: list[frozenset[int]] = []  # what is below the task, however far
    found: list[frozenset[int]] = []
    size = 0
    for place, task in enumerate(tasks):
        upstream = [places[name] for name in task.upstream]
        sets = {reaching[each] for each in upstream}
        further = sets.pop() if len(sets) == 1 else frozenset[int]().union(*sets)
        direct = frozenset(each for each in upstream if tasks[each].branch)
        found.append(further if direct <= further else further | direct)
        below = further | {place} if task.skips_all_below else further
        reaching.append(below)
        size += len(below) if len(sets) > 1 or task.skips_all_below else 0
        if most is not None and size > most:
            raise OverflowError
    return found


def shape_of(tasks: Sequence[Task]) -> setups.Shape:
    """Return where the setups and teardowns of tasks are, which are in their topological order."""
    places = {task.task_id: place for place, task in enumerate(tasks)}
    downstream: list[list[int]] = [[] for _ in tasks]
    for place, task in enumerate(tasks):
        for name in task.upstream:
            downstream[places[name]].append(place)
    return setups.shape_of(
        ([places[name] for name in task.upstream], downstream[place], task.setup, task.teardown)
        for place, task in enumerate(tasks)
    )


def cycle(stuck: Mapping[str, Task], file: str) -> BadSpec:
    """Find a cycle. ``stuck`` are tasks in or downstream of cycles, so walking upstream must reach one."""
    path: dict[str, None] = {}
    at = next(iter(stuck))
    while at not in path:
        path[at] = None
        at = next(upstream for upstream in sorted(stuck[at].upstream) if upstream in stuck)
    walked = list(path)
    ring = walked[walked.index(at) :][::-1]
    first = min(range(len(ring)), key=lambda place: (stuck[ring[place]].line, ring[place]))
    ring = ring[first:] + ring[:first]
    shown = [*ring, ring[0]] if len(ring) <= 12 else [*ring[:10], "…", ring[-1], ring[0]]
    return BadSpec(
        f"the tasks form a cycle: {' → '.join(shown)}",
        file=file,
        line=stuck[ring[0]].line,
        hint=f"remove one of these dependencies, for instance {ring[-1]} → {ring[0]}",
    )


def missing(task: Task, upstream: str, tasks: Mapping[str, Task], file: str) -> BadSpec:
    return BadSpec(
        f'{task.task_id} waits for "{upstream}", which is not a task of this DAG',
        file=file,
        line=task.line,
        hint=did_you_mean(upstream, tasks),
    )
