"""Changes between two moments, for the live stream.

It returns current states, not events, so that a thousand changes of one run are one answer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, tuple_row

from headway import wire
from headway.store.moments import BEGUN_SINCE, OPEN_THEN, Moment, between
from headway.store.views.present import Present
from headway.store.views.runs import COUNTED
from headway.store.views.worded import why, worded_row, words

EVENTS_MAX: Final = 20_000  # between two looks; beyond it is cheaper to read everything anew

# Both parts by index: what began after the earlier moment, and what was open then.
CHANGED: LiteralString = f"""
    WITH recent AS MATERIALIZED (
        (
            SELECT subject, dag_id, run_id, task_id, map_index FROM event
            WHERE {BEGUN_SINCE}
        ) UNION ALL (
            SELECT subject, dag_id, run_id, task_id, map_index FROM event
            WHERE {OPEN_THEN}
        ) LIMIT %(limit)s
    )
    SELECT DISTINCT CASE subject WHEN 'task_instance' THEN 'run' ELSE subject END, dag_id, run_id,
        CASE WHEN in_detail THEN task_id END, CASE WHEN in_detail THEN map_index END,
        (SELECT count(*) FROM recent)
    FROM recent, LATERAL (
        SELECT subject = 'task_instance'
            AND (run_id = ANY (%(runs)s::text[]) OR dag_id = ANY (%(dags)s::text[])) AS in_detail
    ) AS wanted
"""

RUNS: LiteralString = f"""
    SELECT run.run_id, run.dag_id, run.state, run.version, run.reason::text, run.started_at,
        run.ended_at, coalesce(counted.counts, '{{}}') AS counts
    FROM unnest(%(runs)s::text[]) AS wanted (run_id)
    CROSS JOIN LATERAL (SELECT * FROM run WHERE run.run_id = wanted.run_id OFFSET 0) AS run
    {COUNTED}
"""

INSTANCES: LiteralString = """
    SELECT wanted.run_id, wanted.task_id, wanted.map_index, state, attempts, started_at, ended_at,
        blocked_reason::text, pool, pool_slots, queue, executor
    FROM unnest(%(runs)s::text[], %(tasks)s::text[], %(indexes)s::integer[])
        AS wanted (run_id, task_id, map_index)
    LEFT JOIN LATERAL (
        SELECT * FROM task_instance AS instance
        WHERE instance.run_id = wanted.run_id AND instance.task_id = wanted.task_id
            AND instance.map_index = wanted.map_index
        OFFSET 0
    ) AS instance ON true
"""

DAGS: LiteralString = """
    SELECT dag_id, version, bundle_version, paused_at, missing_since, updated_at
    FROM dag WHERE dag_id = ANY (%(dags)s::text[])
"""

POOLS: LiteralString = "SELECT name, slots, used FROM pool ORDER BY name LIMIT 1000"


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes between two moments; ``too_many`` if there are too many to list."""

    runs: dict[str, str]  # with their DAGs
    instances: list[tuple[str, str, int]]  # run, task, map index: of the runs asked for in detail
    dags: set[str]
    pools: bool
    too_many: bool


def changed(
    conn: Connection[Any],
    since: Moment,
    until: Moment,
    runs: Collection[str],
    dags: Collection[str],
) -> Changes:
    """``runs`` and ``dags``: those whose task instances are wanted one by one."""
    found = Changes({}, [], set(), pools=False, too_many=False)
    values = {
        **between(since, until),
        "runs": list(runs),
        "dags": list(dags),
        "limit": EVENTS_MAX + 1,
    }
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(CHANGED, values).fetchall()
    if rows and rows[0][5] > EVENTS_MAX:
        return Changes({}, [], set(), pools=False, too_many=True)
    pools = False
    for subject, dag_id, run_id, task_id, map_index, _ in rows:
        if run_id is not None:
            found.runs[run_id] = dag_id
            if task_id is not None:
                found.instances.append((run_id, task_id, map_index))
        elif subject == "dag":
            found.dags.add(dag_id)
        pools = pools or subject == "pool"
    return Changes(found.runs, found.instances, found.dags, pools, too_many=False)


def runs_now(conn: Connection[Any], runs: Sequence[str]) -> list[wire.RunDelta]:
    with conn.cursor(row_factory=worded_row(wire.RunDelta)) as cursor:
        return cursor.execute(RUNS, {"runs": list(runs)}).fetchall()


def instances_now(
    conn: Connection[Any], wanted: Sequence[tuple[str, str, int]]
) -> dict[str, list[wire.InstanceChange]]:
    """Return the instances by run. An instance that is gone has no state."""
    values = {
        "runs": [run for run, _, _ in wanted],
        "tasks": [task for _, task, _ in wanted],
        "indexes": [index for _, _, index in wanted],
    }
    found: dict[str, list[wire.InstanceChange]] = {}
    present = Present(conn)
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(INSTANCES, values).fetchall()
        for run_id, *columns, stored_reason, pool, slots, queue, executor in rows:
            held_by = present.text(stored_reason, pool, slots, queue, executor)
            columns += [words(held_by), why(held_by)]
            found.setdefault(run_id, []).append(wire.InstanceChange(*columns))
    return found


def dags_now(conn: Connection[Any], dags: Collection[str]) -> list[wire.DagDelta]:
    with conn.cursor(row_factory=class_row(wire.DagDelta)) as cursor:
        return cursor.execute(DAGS, {"dags": list(dags)}).fetchall()


def pools_now(conn: Connection[Any]) -> list[wire.PoolDelta]:
    with conn.cursor(row_factory=class_row(wire.PoolDelta)) as cursor:
        return cursor.execute(POOLS).fetchall()
