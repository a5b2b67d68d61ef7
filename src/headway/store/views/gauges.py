"""How full and how late it is, in numbers: each of a bounded number of rows, by index."""

from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import tuple_row

DAGS_MAX: Final = 500

# Those going on and waiting, by partial indexes: history costs nothing.
ACTIVE: LiteralString = """
    SELECT dag_id, state, runs FROM (
        SELECT dag_id, 'running' AS state, count(*) AS runs FROM run WHERE state = 'running' GROUP BY dag_id
        UNION ALL
        SELECT dag_id, 'queued', count(*) FROM run WHERE state = 'queued' GROUP BY dag_id
    ) AS active
    ORDER BY dag_id, state LIMIT %(limit)s
"""

POOLS: LiteralString = """
    SELECT name, slots, used, coalesce(waiting, 0), coalesce(oldest_s, 0)
    FROM pool LEFT JOIN LATERAL (
        SELECT count(*) AS waiting, extract(epoch FROM now() - min(ready_at))::float8 AS oldest_s
        FROM task_instance
        WHERE task_instance.team_id = pool.team_id AND task_instance.pool = pool.name
            AND rank IS NOT NULL
    ) AS ready ON true
    ORDER BY name LIMIT %(limit)s
"""

ENDED: LiteralString = """
    SELECT state, count(*) FROM run WHERE ended_at > now() - interval '1 hour' GROUP BY state
"""


class PoolGauge(NamedTuple):
    name: str
    slots: int
    used: int
    waiting: int
    oldest_s: float  # of those waiting


class Gauges(NamedTuple):
    active: list[tuple[str, str, int]]  # DAG, state, runs
    pools: list[PoolGauge]
    ended: list[tuple[str, int]]  # state, runs of the last hour


def read(conn: Connection[Any]) -> Gauges:
    limit = {"limit": DAGS_MAX}
    with conn.cursor(row_factory=tuple_row) as cursor:
        return Gauges(
            cursor.execute(ACTIVE, limit).fetchall(),
            [PoolGauge(*row) for row in cursor.execute(POOLS, limit)],
            cursor.execute(ENDED).fetchall(),
        )
