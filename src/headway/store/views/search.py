"""Search: DAGs and tasks that contain all words of a text, runs whose id starts with it."""

from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, tuple_row

from headway import wire

FOUND_MAX: Final = 8
TEXT_MAX: Final = 200

# What begins with it comes first.
DAGS: LiteralString = """
    SELECT dag_id, description FROM dag JOIN dag_version USING (team_id, dag_id, version)
    WHERE missing_since IS NULL AND NOT EXISTS (
        SELECT FROM unnest(%(words)s::text[]) AS word
        WHERE strpos(lower(dag.dag_id || ' ' || description), word) = 0
    )
    ORDER BY strpos(lower(dag.dag_id), lower(%(q)s)) = 1 DESC,
        strpos(lower(dag.dag_id), lower(%(q)s)) = 0, dag_id
    LIMIT %(limit)s
"""

RUNS: LiteralString = """
    SELECT run_id, dag_id, state, logical_date FROM run
    WHERE run_id >= %(q)s AND run_id <= %(q)s || 'zzzzzzzzzzzz' AND starts_with(run_id, %(q)s)
    ORDER BY run_id LIMIT %(limit)s
"""

# The ids of a DAG lie in one text, a line an id: so many DAGs are looked through at once.
TASKS: LiteralString = """
    SELECT dag_id, task_ids FROM dag JOIN dag_version USING (team_id, dag_id, version)
    WHERE missing_since IS NULL AND NOT EXISTS (
        SELECT FROM unnest(%(words)s::text[]) AS word
        WHERE strpos(lower(dag_id || ' ' || task_ids), word) = 0
    ) AND EXISTS (
        SELECT FROM unnest(%(words)s::text[]) AS word WHERE strpos(lower(task_ids), word) > 0
    )
    ORDER BY dag_id LIMIT %(limit)s
"""


def find(conn: Connection[Any], q: str) -> wire.Found:
    q = q.strip()[:TEXT_MAX]
    if not q:
        return wire.Found(dags=[], runs=[], tasks=[])
    words = q.lower().split()
    values = {"q": q, "words": words, "limit": FOUND_MAX}
    with conn.cursor(row_factory=class_row(wire.FoundDag)) as cursor:
        dags = cursor.execute(DAGS, values).fetchall()
    with conn.cursor(row_factory=class_row(wire.FoundRun)) as cursor:
        runs = cursor.execute(RUNS, values).fetchall()
    with conn.cursor(row_factory=tuple_row) as cursor:
        tasks = cursor.execute(TASKS, values).fetchall()
    return wire.Found(dags=dags, runs=runs, tasks=best(tasks, words))


def best(rows: list[tuple[str, str]], words: list[str]) -> list[wire.FoundTask]:
    """Sort names that start with the first word first, then names with a part that does, then the rest.

    Each word is in the task's name or in its DAG's, and one at least in the task's.
    """
    found = [
        (
            not folded.startswith(words[0]),
            f".{words[0]}" not in folded and f"_{words[0]}" not in folded,
            dag_id,
            task_id,
        )
        for dag_id, text in rows
        for task_id in text.split("\n")
        if any(word in (folded := task_id.lower()) for word in words)
        and all(word in folded or word in dag_id.lower() for word in words)
    ]
    return [
        wire.FoundTask(dag_id=dag_id, task_id=task_id)
        for *_, dag_id, task_id in sorted(found)[:FOUND_MAX]
    ]
