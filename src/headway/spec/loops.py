"""Rules for loops: groups that are repeated."""

from collections.abc import Mapping
from typing import Final

from headway.spec.errors import did_you_mean, listing
from headway.spec.model import Dag, Loop, Task

ITERATIONS_MAX: Final = 10_000

Flaw = tuple[Task | None, str, str | None]  # the task that is wrong, what, and what to do


def flaw_of_loops(dag: Dag, tasks: Mapping[str, Task]) -> Flaw | None:
    """Return what makes a loop invalid: the task, why, and a hint; None if all are valid."""
    loops = {loop.path: loop for loop in dag.loops}
    if len(loops) < len(dag.loops):
        return None, "two loops have the same path", None
    for task in dag.tasks:
        if (found := flaw_of_task(task, loops, tasks)) is not None:
            return found
    return next((found for each in dag.loops if (found := flaw_of_loop(each, tasks))), None)


def flaw_of_loop(loop: Loop, tasks: Mapping[str, Task]) -> Flaw | None:
    told = f"the loop {loop.path}"
    if not 1 <= loop.max_iterations <= ITERATIONS_MAX:
        why = f"max_iterations of {told} is {loop.max_iterations:,}, it must be between 1 and {ITERATIONS_MAX:,}"
        return tasks.get(loop.gate), why, None
    for what, name in (("gate", loop.gate), ("result", loop.result)):
        if name not in tasks or tasks[name].loop != loop.path:
            return None, f'the {what} of {told} is "{name}", which is not a task of it', None
    gate = tasks[loop.gate]
    if gate.upstream != (loop.result,):
        return gate, f'it is the gate of {told} and must wait for "{loop.result}" alone', None
    return None


def flaw_of_task(task: Task, loops: Mapping[str, Loop], tasks: Mapping[str, Task]) -> Flaw | None:
    if task.loop and task.loop not in loops:
        hint = did_you_mean(task.loop, loops) or f"the loops are {listing(loops) or 'none'}"
        return task, f'it is in the loop "{task.loop}", which the DAG does not have', hint
    if task.loop and task.mapping is not None:
        return (
            task,
            f"it is mapped inside of the loop {task.loop}",
            "work through the list in one task, or take the task out of the loop",
        )
    for name in task.upstream:
        above = tasks.get(name)
        if above is None or not above.loop or above.loop == task.loop:
            continue
        if name != loops[above.loop].gate:
            gate = loops[above.loop].gate
            why = f'it waits for "{name}", a task of the loop {above.loop}, before that is over'
            return task, why, f'let it wait for "{gate}", the last task of the loop'
    return None


def gate_of(dag: Dag, task: Task, source: str, tasks: Mapping[str, Task]) -> str | None:
    """Return the gate of the loop that the source is in and the task is not; None: there is no such loop."""
    above = tasks.get(source)
    if above is None or not above.loop or above.loop == task.loop:
        return None
    return next((loop.gate for loop in dag.loops if loop.path == above.loop), None)
