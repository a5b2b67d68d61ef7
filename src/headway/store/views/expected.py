"""The time for which tasks of a DAG usually run: the median of the latest runs that succeeded."""

from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row, tuple_row

from headway.store.views.memory import Memory

RUNS_MAX: Final = 20
INSTANCES_MAX: Final = 50_000

LAST_GOOD: LiteralString = """
    SELECT run_id FROM run WHERE dag_id = %(dag_id)s AND ended_at IS NOT NULL AND state = 'success'
    ORDER BY ended_at DESC LIMIT 1
"""

MEDIANS: LiteralString = """
    WITH good AS MATERIALIZED (
        SELECT team_id, run_id FROM run
        WHERE dag_id = %(dag_id)s AND ended_at IS NOT NULL AND state = 'success'
        ORDER BY ended_at DESC LIMIT %(runs)s
    ), took AS MATERIALIZED (
        SELECT task_id, extract(epoch FROM instance.ended_at - instance.started_at) AS seconds
        FROM good CROSS JOIN LATERAL (
            SELECT task_id, started_at, ended_at FROM task_instance AS known
            WHERE known.team_id = good.team_id AND known.run_id = good.run_id
                AND state = 'success' AND started_at IS NOT NULL
        ) AS instance
        LIMIT %(instances)s
    )
    SELECT task_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM took GROUP BY task_id
"""


def by_task(conn: Connection[Any], memory: Memory, team_id: int, dag_id: str) -> dict[str, float]:
    """Seconds. Read again when another run has gone well."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        last: str | None = cursor.execute(LAST_GOOD, {"dag_id": dag_id}).fetchone()
    if last is None:
        return {}
    key = (team_id, dag_id, last)
    found = memory.expected.get(key)
    if found is None:
        values = {"dag_id": dag_id, "runs": RUNS_MAX, "instances": INSTANCES_MAX}
        with conn.cursor(row_factory=tuple_row) as cursor:
            found = dict(cursor.execute(MEDIANS, values).fetchall())
        memory.expected.put(key, found)
    return found
