"""The time that a DAG and its tasks take. Of tasks the latest runs are looked at, so many rows at most."""

from datetime import timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.errors import InvalidParameterValue
from psycopg.rows import class_row, dict_row, scalar_row, tuple_row

from headway import wire
from headway.errors import UsageError
from headway.store.views import calendar, dags
from headway.store.views.expected import LAST_GOOD
from headway.store.views.memory import Memory
from headway.store.views.rounded import rounded_s

DAYS_MAX: Final = 365
RUNS_MAX: Final = 200
INSTANCES_MAX: Final = 60_000

OWNER: LiteralString = "SELECT team_id, now() FROM dag WHERE dag_id = %(dag_id)s"

OF_DAG: LiteralString = """
    SELECT count(*) AS count, avg(seconds)::float8 AS mean_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50_s,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE ended_at < %(middle)s) AS earlier_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE ended_at >= %(middle)s) AS later_s
    FROM (
        SELECT ended_at, extract(epoch FROM ended_at - started_at)::float8 AS seconds FROM run
        WHERE dag_id = %(dag_id)s AND ended_at > %(since)s AND state = 'success'
    ) AS took
"""

BY_DAY: LiteralString = """
    SELECT (ended_at AT TIME ZONE %(zone)s)::date AS day,
        count(*) FILTER (WHERE state = 'success') AS count,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE state = 'success') AS p50_s,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE state = 'success') AS p95_s
    FROM (
        SELECT ended_at, state, extract(epoch FROM ended_at - started_at)::float8 AS seconds FROM run
        WHERE dag_id = %(dag_id)s AND ended_at > %(since)s
    ) AS took
    GROUP BY day ORDER BY day
"""

OF_TASKS: LiteralString = """
    WITH good AS MATERIALIZED (
        SELECT team_id, run_id, ended_at FROM run
        WHERE dag_id = %(dag_id)s AND ended_at > %(since)s AND state = 'success'
        ORDER BY ended_at DESC LIMIT %(runs)s
    ), took AS MATERIALIZED (
        SELECT run_id, good.ended_at, task_id, extract(epoch FROM instance.ended_at - started_at)::float8 AS seconds,
            extract(epoch FROM started_at - ready_at)::float8 AS waited
        FROM good CROSS JOIN LATERAL (
            SELECT task_id, ready_at, started_at, ended_at FROM task_instance AS known
            WHERE known.team_id = good.team_id AND known.run_id = good.run_id
                AND state = 'success' AND started_at IS NOT NULL
        ) AS instance
        LIMIT %(instances)s
    )
    SELECT task_id, count(*) AS count, avg(seconds) AS mean_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50_s,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS wait_p50_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE ended_at < %(middle)s) AS earlier_s,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE ended_at >= %(middle)s) AS later_s,
        (SELECT count(DISTINCT run_id) FROM took) AS sampled
    FROM took GROUP BY task_id ORDER BY p50_s DESC, task_id
"""


def of_dag(
    conn: Connection[Any], memory: Memory, dag_id: str, days: int, zone: str | None = None
) -> wire.Durations:
    """``zone``: whose days are counted; UTC unless given."""
    zone = calendar.checked(zone or "UTC")
    if not 0 < days <= DAYS_MAX:
        raise UsageError(f"days must be between 1 and {DAYS_MAX}")
    with conn.cursor(row_factory=tuple_row) as cursor:
        owner = cursor.execute(OWNER, {"dag_id": dag_id}).fetchone()
    if owner is None:
        raise dags.unknown(conn, dag_id)
    team_id, now = owner
    values = {
        "dag_id": dag_id,
        "since": now - timedelta(days=days),
        "middle": now - timedelta(days=days) / 2,
        "runs": RUNS_MAX,
        "instances": INSTANCES_MAX,
        "zone": zone,
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        whole = cursor.execute(OF_DAG, values).fetchone()
    assert whole is not None
    with conn.cursor(row_factory=class_row(wire.DurationDay)) as cursor:
        try:
            by_day = cursor.execute(BY_DAY, values).fetchall()
        except InvalidParameterValue as error:  # it knows other zones than Python does
            raise UsageError(f"unknown time zone {zone!r}") from error
    sampled, tasks = of_tasks(conn, memory, (team_id, dag_id, days), values)
    return wire.Durations(
        days=days,
        timezone=zone,
        dag=wire.DagDuration(**with_trend(whole)),
        by_day=by_day,
        tasks=tasks,
        sampled_runs=sampled,
    )


def of_tasks(
    conn: Connection[Any], memory: Memory, which: tuple[int, str, int], values: dict[str, Any]
) -> tuple[int, list[wire.TaskDuration]]:
    """Read again when another run has gone well."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        last: str | None = cursor.execute(LAST_GOOD, values).fetchone()
    key = (*which, last or "")
    found = memory.durations.get(key)
    if found is None:
        with conn.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(OF_TASKS, values).fetchall()
        sampled = rows[0]["sampled"] if rows else 0
        for row in rows:
            del row["sampled"]
        found = sampled, [wire.TaskDuration(**with_trend(row)) for row in rows]
        memory.durations.put(key, found)
    return found


def with_trend(row: dict[str, Any]) -> dict[str, Any]:
    """Add the trend of the median."""
    earlier_s, later_s = row.pop("earlier_s"), row.pop("later_s")
    grown = None if not earlier_s or later_s is None else round((later_s / earlier_s - 1) * 100, 1)
    times = {name: rounded_s(value) for name, value in row.items() if name.endswith("_s")}
    return {**row, **times, "trend_pct": grown}
