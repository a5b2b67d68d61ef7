"""The view of the start page: is everything all right, and if not, what is wrong?

Each part is bounded and on an index: the page is asked for every few seconds by everybody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, dict_row, tuple_row

from headway import wire
from headway.core.reasons import Reason
from headway.core.strategies import Strategy, why_first_held
from headway.core.waiting import Line, why_not_created, why_queued
from headway.core.wording import said
from headway.store import states, strategies
from headway.store.views import dags, health, pools, present, stuck, troubles
from headway.store.views.memory import Memory
from headway.store.views.worded import worded

DAY: Final = timedelta(hours=24)
HOUR: Final = timedelta(hours=1)
FAILED_MAX: Final = 20
LISTED_MAX: Final = 10
ERRORS_MAX: Final = 20
PATIENCE: Final = timedelta(seconds=10)  # what waits for less is no news
GRACE: Final = timedelta(seconds=60)  # a run is late when its fire passed this long ago

NOW: LiteralString = "SELECT now()"

DAGS: LiteralString = """
    SELECT count(*) AS total, count(paused_at) AS paused, count(import_error.file) AS broken
    FROM dag LEFT JOIN import_error USING (team_id, file)
    WHERE missing_since IS NULL
"""

RUNS: LiteralString = """
    SELECT (SELECT count(*) FROM run WHERE state = 'running') AS running,
        (SELECT count(*) FROM run WHERE state = 'queued') AS queued,
        count(*) FILTER (WHERE state = 'failed') AS failed_24h,
        count(*) FILTER (WHERE state = 'success') AS success_24h
    FROM run WHERE ended_at > %(since)s
"""

ACTIVITY: LiteralString = """
    SELECT date_trunc('hour', ended_at, 'UTC') AS hour,
        count(*) FILTER (WHERE state = 'success') AS success,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE state = 'skipped') AS skipped,
        count(*) FILTER (WHERE state = 'success' AND failed_instances > 0) AS flawed
    FROM run WHERE ended_at >= %(since)s GROUP BY 1
"""

FAILED: LiteralString = """
    WITH latest AS MATERIALIZED (
        SELECT DISTINCT ON (dag_id) team_id, dag_id, ended_at, run_id,
            count(*) OVER (PARTITION BY dag_id) AS count
        FROM run WHERE state = 'failed' AND ended_at > %(since)s
        ORDER BY dag_id, ended_at DESC
    )
    SELECT run_id, run.revision, dag_id, state, logical_date, started_at, run.ended_at, trigger,
        failed_instances, run.partition, reason::text, latest.team_id, latest.count
    FROM latest JOIN run USING (team_id, run_id, dag_id)
    WHERE NOT EXISTS (
        SELECT FROM run AS good
        WHERE good.team_id = latest.team_id AND good.dag_id = latest.dag_id
            AND good.ended_at > latest.ended_at AND good.state = 'success')
    ORDER BY latest.ended_at DESC LIMIT %(limit)s
"""

# Of a DAG that failed since, that is the news.
FLAWED: LiteralString = f"""
    WITH latest AS MATERIALIZED (
        SELECT DISTINCT ON (dag_id) team_id, dag_id, ended_at, run_id,
            count(*) OVER (PARTITION BY dag_id) AS count
        FROM run WHERE state = 'success' AND failed_instances > 0 AND ended_at > %(since)s
        ORDER BY dag_id, ended_at DESC
    )
    SELECT run_id, run.revision, dag_id, state, logical_date, started_at, run.ended_at, trigger,
        failed_instances, run.partition, reason::text, latest.team_id, latest.count
    FROM latest JOIN run USING (team_id, run_id, dag_id)
    WHERE NOT EXISTS (
        SELECT FROM run AS later
        WHERE later.team_id = latest.team_id AND later.dag_id = latest.dag_id
            AND later.ended_at > latest.ended_at AND later.state IN {states.TRIED_RUNS})
    ORDER BY latest.ended_at DESC LIMIT %(limit)s
"""

# The first of each pool in the order in which they will run; what its own DAG holds back is not
# among them. And what an agent was given and has not begun: as many as there are slots, at most.
WAITING: LiteralString = f"""
    SELECT dag_id, waiting.* FROM (
        SELECT first.* FROM pool CROSS JOIN LATERAL (
            SELECT run_id, task_id, map_index, rendered_map_index, ready_at AS since,
                coalesce(blocked_reason, '{{"kind": "not_seen"}}')::text AS blocked_reason, {present.COLUMNS}
            FROM task_instance AS instance
            WHERE instance.team_id = pool.team_id AND instance.pool = pool.name
                AND rank IS NOT NULL
            ORDER BY rank LIMIT %(limit)s
        ) AS first
        UNION ALL
        SELECT run_id, task_id, map_index, rendered_map_index, queued_at,
            coalesce(blocked_reason, '{{"kind": "handed_over"}}')::text, '', 1, '', ''
        FROM attempt LEFT JOIN LATERAL (
            SELECT blocked_reason, rendered_map_index FROM task_instance AS instance
            WHERE instance.team_id = attempt.team_id AND instance.run_id = attempt.run_id
                AND instance.task_id = attempt.task_id AND instance.map_index = attempt.map_index
        ) AS instance ON true
        WHERE state IN {states.LIVE_ATTEMPTS} AND state = 'queued'
    ) AS waiting JOIN run USING (run_id)
    WHERE since < %(before)s
    ORDER BY since LIMIT %(limit)s
"""

LATE: LiteralString = """
    SELECT team_id, dag_id, next_fire_at AS expected_at, NULL AS paused_by, NULL AS set_aside,
        NULL::integer AS max_active_runs, NULL AS run_strategy
    FROM dag
    WHERE next_fire_at < %(before)s AND paused_at IS NULL AND missing_since IS NULL
    UNION ALL
    SELECT team_id, dag_id, first.created_at, dag.paused_by, first.set_aside, max_active_runs, run_strategy
    FROM dag CROSS JOIN LATERAL (
        SELECT created_at, trigger, set_aside FROM run
        WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id AND state = 'queued'
            AND backfill_id IS NULL
        ORDER BY backfill_id, logical_date, run_id LIMIT 1
    ) AS first
    WHERE has_queued AND first.trigger = 'schedule' AND first.created_at < %(before)s
    ORDER BY expected_at LIMIT %(limit)s
"""

NEXT: LiteralString = """
    SELECT dag_id, next_fire_at AS fire_at FROM dag
    WHERE next_fire_at >= %(now)s AND paused_at IS NULL AND missing_since IS NULL
    ORDER BY next_fire_at, dag_id LIMIT %(limit)s
"""


def home(conn: Connection[Any], memory: Memory) -> wire.Home:
    """Return Home without the components that only the server knows."""
    now = clock(conn)
    components = health.components(conn)
    return wire.Home(
        now=now,
        dags=dag_counts(conn),
        runs=run_counts(conn, now - DAY),
        failed=ended(conn, memory, now, FAILED),
        flawed=ended(conn, memory, now, FLAWED),
        waiting=waiting(conn, now),
        stuck=stuck.every(conn, now),
        late=late(
            conn, now, scheduling=any(c.name == "scheduler" and c.healthy for c in components)
        ),
        slots=pools.every(conn),
        next=upcoming(conn, now),
        components=components,
        import_errors=dags.import_errors(conn, ERRORS_MAX, None).items,
        activity=activity(conn, now),
    )


def clock(conn: Connection[Any]) -> datetime:
    row = conn.execute(NOW).fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def dag_counts(conn: Connection[Any]) -> wire.DagCounts:
    with conn.cursor(row_factory=class_row(wire.DagCounts)) as cursor:
        found = cursor.execute(DAGS).fetchone()
    assert found is not None
    return found


def run_counts(conn: Connection[Any], since: datetime) -> wire.RunCounts:
    with conn.cursor(row_factory=class_row(wire.RunCounts)) as cursor:
        found = cursor.execute(RUNS, {"since": since}).fetchone()
    assert found is not None
    return found


def ended(
    conn: Connection[Any], memory: Memory, now: datetime, statement: LiteralString
) -> list[wire.FailedRun]:
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement, {"since": now - DAY, "limit": FAILED_MAX}).fetchall()
    said = troubles.headlines(conn, memory, rows, now)
    return [
        wire.FailedRun(
            **{name: row[name] for name in wire.RunBrief.__struct_fields__},
            dag_id=row["dag_id"],
            count=row["count"],
            headline=said[row["run_id"]],
        )
        for row in rows
    ]


def waiting(conn: Connection[Any], now: datetime) -> list[wire.WaitingTask]:
    values = {"before": now - PATIENCE, "limit": LISTED_MAX}
    held = present.Present(conn)
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = [held.pop(row) for row in cursor.execute(WAITING, values).fetchall()]
    return [
        wire.WaitingTask(**worded({"reason": row.pop("blocked_reason"), **row})) for row in rows
    ]


def late(conn: Connection[Any], now: datetime, *, scheduling: bool) -> list[wire.LateDag]:
    values = {"before": now - GRACE, "limit": LISTED_MAX}
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(LATE, values).fetchall()
    held = held_in_line(conn, now, rows)
    found = []
    for team_id, dag_id, at, paused_by, set_aside, active_max, strategy in rows:
        if active_max is None:
            why = why_not_created(scheduling=scheduling)
        else:
            in_line = strategy != Strategy.PARALLEL
            line = Line(
                paused_by=paused_by,
                running=0 if in_line else active_max,  # what else would keep the first waiting
                limit=active_max,
                set_aside=set_aside,
                held=held.get((team_id, dag_id)),
                scheduling=scheduling,
            )
            why = why_queued(line)
        found.append((dag_id, at, why))
    return [
        wire.LateDag(dag_id=dag_id, expected_at=at, reason=said(why), why=why)
        for dag_id, at, why in found
    ]


def held_in_line(
    conn: Connection[Any], now: datetime, rows: Sequence[tuple[Any, ...]]
) -> dict[tuple[int, str], Reason | None]:
    """Return what the first queued run waits for, of DAGs with a run strategy."""
    asking = [
        (team_id, dag_id, Strategy(strategy))
        for team_id, dag_id, *_, strategy in rows
        if strategy not in (None, Strategy.PARALLEL)
    ]
    found = strategies.lines(conn, asking, now) if asking else {}
    return {
        (team_id, dag_id): why_first_held(strategy, found[team_id, dag_id])
        for team_id, dag_id, strategy in asking
    }


def upcoming(conn: Connection[Any], now: datetime) -> list[wire.NextRun]:
    with conn.cursor(row_factory=class_row(wire.NextRun)) as cursor:
        return cursor.execute(NEXT, {"now": now, "limit": LISTED_MAX}).fetchall()


def activity(conn: Connection[Any], now: datetime) -> list[wire.Hour]:
    """The last 24 hours, each one, the present one last."""
    last = now.replace(minute=0, second=0, microsecond=0)
    first = last - DAY + HOUR
    with conn.cursor(row_factory=class_row(wire.Hour)) as cursor:
        found = {row.hour: row for row in cursor.execute(ACTIVITY, {"since": first})}
    hours = [first + n * HOUR for n in range(24)]
    nothing = [wire.Hour(hour=hour, success=0, failed=0, cancelled=0) for hour in hours]
    return [found.get(hour.hour, hour) for hour in nothing]
