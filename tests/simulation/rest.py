"""What must hold when all runs have ended and the agents are gone: nothing is left (S10), and
nobody does anything any more (S7).
"""

from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from headway.agent.protocol import LEASE_S

LEFT: Final = """
    SELECT 'a live attempt' WHERE EXISTS (SELECT FROM attempt WHERE state IN ('queued', 'running'))
    UNION ALL SELECT 'a token' WHERE EXISTS (SELECT FROM attempt WHERE token IS NOT NULL)
    UNION ALL SELECT 'a slot in use' WHERE EXISTS (SELECT FROM pool WHERE used <> 0)
    UNION ALL SELECT 'a report in the inbox' WHERE EXISTS (SELECT FROM report)
    UNION ALL SELECT 'a lease' WHERE EXISTS (SELECT FROM agent_session WHERE ended_at IS NULL)
    UNION ALL SELECT 'a timer' WHERE EXISTS (SELECT FROM run WHERE due_at IS NOT NULL)
    UNION ALL SELECT 'a place in a queue' WHERE EXISTS (
        SELECT FROM task_instance WHERE rank IS NOT NULL)
    UNION ALL SELECT 'a wait' WHERE EXISTS (SELECT FROM wait)
    UNION ALL SELECT 'an intent' WHERE EXISTS (
        SELECT FROM task_instance WHERE intent IS NOT NULL)
    UNION ALL SELECT 'an open transaction' WHERE EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
            AND pid <> pg_backend_pid() AND xact_start IS NOT NULL)
    UNION ALL SELECT 'an advisory lock' WHERE EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (
            SELECT oid FROM pg_database WHERE datname = current_database()))
"""
UNFINISHED: Final = """
    SELECT run_id, run.state, run.due_at, cancelled_by, task_id, map_index, ti.state, ti.rank, intent, blocked_reason,
        attempt.session_id, agent_session.ended_at
    FROM run LEFT JOIN task_instance AS ti USING (team_id, run_id)
    LEFT JOIN attempt USING (team_id, run_id, task_id, map_index)
    LEFT JOIN agent_session USING (team_id, session_id)
    WHERE run.state IN ('queued', 'running') AND attempt.number IS NOT DISTINCT FROM nullif(ti.attempts, 0)
    ORDER BY 1, 5, 6
"""
WRITTEN: Final = "SELECT (SELECT sum(revision) FROM run), (SELECT max(seq) FROM event)"


def left(conn: Connection[Any]) -> list[str]:
    return [str(row[0]) for row in conn.execute(LEFT)]


def written(conn: Connection[Any]) -> tuple[Any, ...] | None:
    """Differs from one look to the next when somebody changed a run meanwhile."""
    return conn.execute(WRITTEN).fetchone()


def last_lease_ends_in_s(conn: Connection[Any], now: datetime) -> float:
    """Longer than a lease where the clock has gone back since the last heartbeat."""
    row = conn.execute(
        "SELECT max(heartbeat_at) FROM agent_session WHERE ended_at IS NULL"
    ).fetchone()
    ahead_s = (row[0] - now).total_seconds() if row and row[0] else 0.0
    return max(0.0, ahead_s) + LEASE_S


def unfinished_rows(conn: Connection[Any]) -> list[str]:
    """For whoever reads a failure."""
    return [" ".join(str(value) for value in row) for row in conn.execute(UNFINISHED)]
