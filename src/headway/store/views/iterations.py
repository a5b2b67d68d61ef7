"""The facts of what a loop's task waits for: tasks of its iteration, and what decides how many iterations there are."""

from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row

from headway.core.loop_wording import first
from headway.core.reasons import AwaitsIteration
from headway.spec.model import Dag, Loop, Task
from headway.store import states

# Of its own iteration, and all instances of tasks before the loop.
OPEN: LiteralString = f"""
    SELECT DISTINCT task_id FROM task_instance
    WHERE run_id = %(run_id)s AND task_id = ANY (%(upstream)s)
        AND (map_index = %(iteration)s OR NOT task_id = ANY (%(inside)s)) AND state NOT IN {states.FINAL_INSTANCES}
"""

LAST: LiteralString = """
    SELECT max(map_index) FROM task_instance WHERE run_id = %(run_id)s AND task_id = %(gate)s
"""


def of(dag: Dag, task_id: str) -> tuple[Task, Loop] | None:
    """Return a task with the loop that it is in; None: it is in no loop."""
    task = next((each for each in dag.tasks if each.task_id == task_id), None)
    if task is None or not task.loop:
        return None
    return task, next(each for each in dag.loops if each.path == task.loop)


def awaited(
    conn: Connection[Any], run_id: str, dag: Dag, task_id: str, iteration: int
) -> AwaitsIteration | None:
    """Return what a waiting instance of a loop waits for; None: it is in no loop."""
    if (found := of(dag, task_id)) is None:
        return None
    task, loop = found
    values = {
        "run_id": run_id,
        "upstream": list(task.upstream),
        "inside": [each.task_id for each in dag.tasks if each.loop == loop.path],
        "iteration": iteration,
    }
    with conn.cursor(row_factory=scalar_row) as cursor:
        still_open = set(cursor.execute(OPEN, values).fetchall())
    names, more = first([name for name in task.upstream if name in still_open])
    return AwaitsIteration(
        iteration=iteration + 1,
        most=loop.max_iterations,
        gate=loop.gate,
        until=loop.until,
        awaits=names,
        more=more,
        decides=task_id == loop.gate,
    )


def not_there(
    conn: Connection[Any], run_id: str, dag: Dag, task_id: str, iteration: int
) -> str | None:
    """Tell why a task of a loop has no instance in an iteration; None: it is in no loop."""
    if (found := of(dag, task_id)) is None:
        return None
    _, loop = found
    if not 0 <= iteration < loop.max_iterations:
        return (
            f"the loop {loop.path} has at most {loop.max_iterations:,} iterations, from index 0 on"
        )
    with conn.cursor(row_factory=scalar_row) as cursor:
        last = cursor.execute(LAST, {"run_id": run_id, "gate": loop.gate}).fetchone()
    begun = 0 if last is None else last + 1
    decides = f"`{loop.until or loop.gate}` decides after each whether another one follows"
    return f"the loop {loop.path} has begun {begun:,} of at most {loop.max_iterations:,} iterations; {decides}"
