"""The differences of two runs of a DAG: as the diagnosis compares, and task by task."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.errors import UsageError
from headway.store.views import diagnosis, run_tasks, runs
from headway.store.views.memory import Memory

# A task's time is told when it is another by this much, and by this part of the longer one.
NOTABLE_S: Final = 1.0
NOTABLE_PART: Final = 0.25

ATTEMPTS: LiteralString = """
    SELECT task_id, sum(attempts)::integer FROM task_instance WHERE run_id = %(run_id)s GROUP BY task_id
"""


def of_runs(conn: Connection[Any], memory: Memory, before_id: str, after_id: str) -> wire.RunDiff:
    """Both exist. UsageError: they are of different DAGs."""
    before, after = runs.whole(conn, before_id), runs.whole(conn, after_id)
    if before.dag_id != after.dag_id:
        raise UsageError(
            f"run {before_id} belongs to {before.dag_id} and {after_id} to {after.dag_id}; only "
            f"runs of the same DAG can be compared",
            hint=f"headway ls runs --dag {before.dag_id} lists the runs of the first",
        )
    return wire.RunDiff(
        before=before,
        after=after,
        differences=[*outcome(before, after), *diagnosis.differences(before, after)],
        tasks=list(
            by_task(
                run_tasks.of_run(conn, memory, before_id),
                run_tasks.of_run(conn, memory, after_id),
                attempts(conn, before_id),
                attempts(conn, after_id),
            )
        ),
    )


def attempts(conn: Connection[Any], run_id: str) -> dict[str, int]:
    """Return how many attempts each task had, all its instances together."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(ATTEMPTS, {"run_id": run_id}).fetchall())


def outcome(before: wire.Run, after: wire.Run) -> Iterator[wire.Difference]:
    """Yield differences that cannot explain a failure, and so are not part of a diagnosis."""
    if before.state != after.state:
        yield wire.Difference(what="state", before=before.state, after=after.state)
    if before.logical_date != after.logical_date:
        yield wire.Difference(
            what="logical date", before=before.logical_date, after=after.logical_date
        )


def by_task(
    before: Sequence[wire.RunTask],
    after: Sequence[wire.RunTask],
    tried_before: Mapping[str, int],
    tried_after: Mapping[str, int],
) -> Iterator[wire.TaskDifference]:
    then = {task.task_id: task for task in before}
    now = {task.task_id: task for task in after}
    for task_id in dict.fromkeys([*then, *now]):
        old, new = then.get(task_id), now.get(task_id)
        pairs: list[tuple[str, Any, Any]] = [("task", old is not None, new is not None)]
        if old is not None and new is not None:
            pairs.append(("states", old.counts, new.counts))
            pairs.append(("attempts", tried_before.get(task_id, 0), tried_after.get(task_id, 0)))
            if notable(old.duration_s, new.duration_s):
                pairs.append(("duration", old.duration_s, new.duration_s))
        for what, one, other in pairs:
            if one != other:
                yield wire.TaskDifference(task_id=task_id, what=what, before=one, after=other)


def notable(before: float | None, after: float | None) -> bool:
    """One that has no time yet has its state to tell."""
    if before is None or after is None:
        return False
    return abs(before - after) >= max(NOTABLE_S, NOTABLE_PART * max(before, after))
