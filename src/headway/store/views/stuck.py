"""Ready task instances that can never run as things are: nobody but a person changes what holds them."""

from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.core.graph import Need
from headway.core.reason_kinds import Kind
from headway.core.reasons import NotSeen
from headway.core.stored_reasons import stored
from headway.core.wording import said
from headway.store.views.present import Present

NEVER: Final = frozenset(
    {
        Kind.POOL_MISSING,
        Kind.POOL_NOT_SHARED,
        Kind.POOL_EMPTY,
        Kind.POOL_TOO_SMALL,
        Kind.NO_AGENT,
        Kind.QUEUE_UNSERVED,
        Kind.EXECUTOR_UNKNOWN,
    }
)
# An agent that starts again is no news; a pool that is missing stays so until somebody creates it.
PATIENCE: Final = timedelta(seconds=10)
COMES_BY_ITSELF: Final = frozenset({Kind.NO_AGENT, Kind.QUEUE_UNSERVED})
LINES_MAX: Final = 200
AHEAD_MAX: Final = 500  # of a line, that are looked at

# One step of the index for each pool, queue and executor that something waits for; of each the first by rank. What
# needs more slots than its pool has stays among them.
LINES: LiteralString = """
    WITH RECURSIVE line AS (
        (
            SELECT team_id, pool, queue, executor FROM task_instance WHERE rank IS NOT NULL
            ORDER BY team_id, pool, queue, executor LIMIT 1
        )
        UNION ALL
        SELECT next.* FROM line CROSS JOIN LATERAL (
            SELECT team_id, pool, queue, executor FROM task_instance AS instance
            WHERE rank IS NOT NULL AND (instance.team_id, instance.pool, instance.queue, instance.executor)
                > (line.team_id, line.pool, line.queue, line.executor)
            ORDER BY team_id, pool, queue, executor LIMIT 1
        ) AS next
    )
    SELECT dag_id, first.run_id, task_id, map_index, rendered_map_index, since, count, first.reason, pool_slots,
        line.pool, line.queue, line.executor
    FROM line CROSS JOIN LATERAL (
        SELECT (array_agg(run_id ORDER BY ready_at, run_id))[1] AS run_id,
            (array_agg(task_id ORDER BY ready_at, run_id))[1] AS task_id,
            (array_agg(map_index ORDER BY ready_at, run_id))[1] AS map_index,
            (array_agg(rendered_map_index ORDER BY ready_at, run_id))[1] AS rendered_map_index,
            min(ready_at) AS since, count(*) AS count, min(reason) AS reason, pool_slots
        FROM (
            SELECT run_id, task_id, map_index, rendered_map_index, ready_at, pool_slots, blocked_reason::text AS reason
            FROM task_instance AS instance
            WHERE instance.team_id = line.team_id AND instance.pool = line.pool AND instance.queue = line.queue
                AND instance.executor = line.executor AND rank IS NOT NULL
            ORDER BY rank LIMIT %(ahead)s
        ) AS ahead
        GROUP BY pool_slots
    ) AS first JOIN run ON run.team_id = line.team_id AND run.run_id = first.run_id
    LIMIT %(limit)s
"""


def every(conn: Connection[Any], now: datetime) -> list[wire.StuckTasks]:
    """Return what can never run, one entry for each reason of a pool, the longest wait first."""
    values = {"ahead": AHEAD_MAX, "limit": LINES_MAX}
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(LINES, values).fetchall()
    present = Present(conn)
    found = []
    for (
        dag_id,
        run_id,
        task_id,
        map_index,
        name,
        since,
        count,
        text,
        slots,
        pool,
        queue,
        executor,
    ) in rows:
        before = NotSeen() if text is None else stored(text)
        why = present.reason(before, pool, slots, Need(executor, queue))
        if why.kind in NEVER and (why.kind not in COMES_BY_ITSELF or since < now - PATIENCE):
            found.append(
                wire.StuckTasks(
                    dag_id=dag_id,
                    run_id=run_id,
                    task_id=task_id,
                    map_index=map_index,
                    rendered_map_index=name,
                    since=since,
                    count=count,
                    slots=slots,
                    reason=said(why),
                    why=why,
                )
            )
    return sorted(found, key=lambda each: each.since)
