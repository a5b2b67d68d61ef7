"""Failures of runs, task by task, with a summary."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway.core.diagnosis import Facts, TaskTrouble, headline
from headway.core.states import RunState
from headway.store import states
from headway.store.views.memory import Memory
from headway.store.views.worded import why

# Only tasks of which something went wrong; of those all instances are counted.
OF_RUNS: LiteralString = f"""
    SELECT asked.run_id, found.* FROM unnest(%(run_ids)s::text[]) AS asked (run_id)
    CROSS JOIN LATERAL (
        SELECT task_id,
            count(*) FILTER (WHERE state = 'failed') AS failed,
            count(*) FILTER (WHERE state = 'upstream_failed') AS blocked,
            count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
            count(*) AS total
        FROM task_instance AS instance WHERE instance.run_id = asked.run_id
        GROUP BY task_id
        HAVING count(*) FILTER (WHERE state IN {states.BROKEN_INSTANCES}) > 0
    ) AS found
"""


def of_runs(conn: Connection[Any], run_ids: Sequence[str]) -> dict[str, list[TaskTrouble]]:
    found: dict[str, list[TaskTrouble]] = {run_id: [] for run_id in run_ids}
    if not run_ids:
        return found
    with conn.cursor(row_factory=tuple_row) as cursor:
        for row in cursor.execute(OF_RUNS, {"run_ids": list(run_ids)}):
            run_id, task_id, failed, blocked, cancelled, total = row
            found[run_id].append(
                TaskTrouble(
                    task_id=task_id,
                    failed=failed,
                    blocked=blocked,
                    cancelled=cancelled,
                    total=total,
                )
            )
    return found


def headlines(
    conn: Connection[Any], memory: Memory, runs: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, str]:
    """Return the headlines of runs that have ended, by run: read once for each revision of a run."""
    keys = {run["run_id"]: (run["team_id"], run["run_id"], run["revision"]) for run in runs}
    said = {run_id: memory.headlines.get(key) for run_id, key in keys.items()}
    unread = [run for run in runs if said[run["run_id"]] is None]
    found = of_runs(conn, [run["run_id"] for run in unread])
    for run in unread:
        text = headline(
            Facts(
                state=RunState(run["state"]),
                reason=why(run["reason"]),
                started_at=run["started_at"],
                ended_at=run["ended_at"],
                now=now,
                troubles=found[run["run_id"]],
            )
        )
        memory.headlines.put(keys[run["run_id"]], text)
        said[run["run_id"]] = text
    return {run_id: text or "" for run_id, text in said.items()}
