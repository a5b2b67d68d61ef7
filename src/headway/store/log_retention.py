"""The time for which teams keep logs, and runs whose logs are to be removed.

Every function takes a connection; none commits.

The files are another matter: first it is written here that the logs of a run are gone, then they go.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row

from headway.core.log_retention import Policy

POLICY: LiteralString = """
    SELECT log_days, log_local_days FROM team WHERE team_id = %(team_id)s
"""

SET: LiteralString = """
    UPDATE team SET log_days = %(days)s, log_local_days = %(local_days)s WHERE team_id = %(team_id)s
"""

# What is locked is left for the next time: somebody may be opening it again.
OLD: LiteralString = """
    SELECT run_id FROM run
    WHERE team_id = %(team_id)s AND ended_at < %(older_than)s
        AND (logs_removed_at IS NULL OR logs_removed_at < ended_at)
    ORDER BY ended_at LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
"""

REMOVE: LiteralString = """
    WITH removed AS (
        UPDATE run SET logs_removed_at = %(now)s
        FROM unnest(%(runs)s::text[]) AS old (run_id)
        CROSS JOIN LATERAL (
            SELECT ctid FROM run AS known
            WHERE known.team_id = %(team_id)s AND known.run_id = old.run_id
            OFFSET 0
        ) AS found
        WHERE run.ctid = found.ctid
        RETURNING run.team_id, run.dag_id, run.run_id
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor, reason)
    SELECT team_id, %(now)s, 'retention', dag_id, 'remove_logs', 'janitor',
        jsonb_build_object('kind', 'about', 'what', run_id) FROM removed
"""

# Nothing is changed by it, so nothing is locked.
ENDED: LiteralString = """
    SELECT ended_at, run_id FROM run
    WHERE team_id = %(team_id)s AND ended_at < %(older_than)s
        AND (ended_at, run_id) > (%(first)s, %(run_id)s)
    ORDER BY ended_at, run_id LIMIT %(limit)s
"""


def policy(conn: Connection[Any], team_id: int) -> Policy:
    row = conn.execute(POLICY, {"team_id": team_id}).fetchone()
    assert row is not None
    return Policy(*row)


def set_policy(conn: Connection[Any], team_id: int, wanted: Policy) -> None:
    values = {"days": wanted.days, "local_days": wanted.local_days}
    conn.execute(SET, {"team_id": team_id, **values})


def remove(
    conn: Connection[Any], team_id: int, older_than: datetime, now: datetime, limit: int
) -> Sequence[str]:
    """Mark logs of runs that ended before ``older_than``, oldest first. Returns the run ids."""
    values = {"team_id": team_id, "older_than": older_than, "limit": limit}
    with conn.cursor(row_factory=scalar_row) as cursor:
        old: list[str] = cursor.execute(OLD, values).fetchall()
    if old:
        conn.execute(REMOVE, {"team_id": team_id, "runs": old, "now": now})
    return old


def ended(
    conn: Connection[Any],
    team_id: int,
    after: tuple[datetime, str],
    older_than: datetime,
    limit: int,
) -> list[tuple[datetime, str]]:
    """Return runs with the times of their ends, the first after ``after``."""
    values = {"team_id": team_id, "older_than": older_than, "limit": limit}
    return conn.execute(ENDED, {**values, "first": after[0], "run_id": after[1]}).fetchall()
