"""Removing what is old. Every function takes a connection; none commits.

A run goes with all that hangs on it, in the order of locks that everybody has; what is locked is
left for the next time. History is append-only for every role: it goes only through two functions
of the schema's owner, which refuse what belongs to a run that is there or is younger than a week.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection

# Ended is final (a CHECK says so); one that is opened again meanwhile is seen by the lock.
OLD_RUNS: LiteralString = """
    SELECT team_id, run_id, (SELECT name FROM team WHERE team.team_id = run.team_id) FROM run
    WHERE ended_at < %(older_than)s
    ORDER BY ended_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
"""

# The rest goes by ON DELETE CASCADE. One row of history is left: that it was removed.
DELETE_RUNS: LiteralString = """
    WITH gone AS (
        DELETE FROM run
        USING unnest(%(teams)s::integer[], %(runs)s::text[]) AS old (team_id, run_id)
        CROSS JOIN LATERAL (
            SELECT ctid FROM run AS known
            WHERE known.team_id = old.team_id AND known.run_id = old.run_id
            OFFSET 0
        ) AS found
        WHERE run.ctid = found.ctid
        RETURNING run.team_id, run.dag_id, run.run_id
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor, reason)
    SELECT team_id, %(now)s, 'retention', dag_id, 'prune', 'janitor',
        jsonb_build_object('kind', 'about', 'what', run_id) FROM gone
"""

DELETE_REPORTS: LiteralString = """
    DELETE FROM report
    WHERE (team_id, run_id) IN (SELECT * FROM unnest(%(teams)s::integer[], %(runs)s::text[]))
"""

PRUNE_HISTORY: LiteralString = """
    SELECT prune_events_of_runs(%(teams)s::integer[], %(runs)s::text[], %(older_than)s::timestamptz)
"""

PRUNE_OTHER_HISTORY: LiteralString = """
    SELECT prune_other_events(%(older_than)s::timestamptz, %(limit)s::integer)
"""

# Of both kinds: runs, and logs of runs.
REMOVED: LiteralString = """
    SELECT at, seq, (SELECT name FROM team WHERE team.team_id = event.team_id), reason ->> 'what',
        name = 'prune'
    FROM event
    WHERE run_id IS NULL AND subject = 'retention' AND name IN ('prune', 'remove_logs')
        AND (at, seq) > (%(at)s, %(seq)s)
    ORDER BY at, seq LIMIT %(limit)s
"""

OLD_IMPORT_ERRORS: LiteralString = "DELETE FROM import_error WHERE at < %(older_than)s"

OLD_BACKFILLS: LiteralString = """
    DELETE FROM backfill
    WHERE created_at < %(older_than)s AND NOT EXISTS (
        SELECT FROM run
        WHERE run.team_id = backfill.team_id AND run.backfill_id = backfill.backfill_id OFFSET 0)
"""

OLD_SESSIONS: LiteralString = """
    DELETE FROM agent_session
    WHERE ended_at < %(older_than)s AND NOT EXISTS (
        SELECT FROM attempt
        WHERE attempt.team_id = agent_session.team_id
            AND attempt.session_id = agent_session.session_id OFFSET 0)
"""

# One that was killed never said that it ended.
OLD_SCHEDULERS: LiteralString = "DELETE FROM scheduler WHERE heartbeat_at < %(older_than)s"

OLD_BUNDLES: LiteralString = """
    DELETE FROM bundle
    WHERE created_at < %(older_than)s
        AND NOT EXISTS (
            SELECT FROM dag
            WHERE dag.team_id = bundle.team_id AND dag.bundle_version = bundle.version OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM run
            WHERE run.team_id = bundle.team_id AND run.bundle_version = bundle.version OFFSET 0)
"""

OLD_BROWSER_SESSIONS: LiteralString = """
    DELETE FROM browser_session WHERE expires_at < %(older_than)s
"""

OLD_LINKS: LiteralString = "DELETE FROM login_link WHERE expires_at < %(older_than)s"

REST: tuple[LiteralString, ...] = (
    *(OLD_IMPORT_ERRORS, OLD_BACKFILLS, OLD_SESSIONS, OLD_SCHEDULERS, OLD_BUNDLES),
    *(OLD_BROWSER_SESSIONS, OLD_LINKS),
)


class Removed(NamedTuple):
    at: datetime
    seq: int
    team: str
    run_id: str
    is_run: bool  # else its logs only


def prune_runs(
    conn: Connection[Any], older_than: datetime, now: datetime, limit: int
) -> Sequence[tuple[str, str]]:
    """Remove runs that ended before ``older_than``, the oldest first; answers with teams and ids."""
    old = conn.execute(OLD_RUNS, {"older_than": older_than, "limit": limit}).fetchall()
    if not old:
        return []
    values = {"teams": [team for team, *_ in old], "runs": [run for _, run, _ in old]}
    conn.execute(DELETE_REPORTS, values)
    conn.execute(DELETE_RUNS, {**values, "now": now})
    conn.execute(PRUNE_HISTORY, {**values, "older_than": older_than})
    return [(team, run) for _, run, team in old]


def prune_rest(conn: Connection[Any], older_than: datetime, limit: int) -> None:
    """What hangs on no run any more, and history that never did."""
    for statement in REST:
        conn.execute(statement, {"older_than": older_than})
    conn.execute(PRUNE_OTHER_HISTORY, {"older_than": older_than, "limit": limit})


def removed_after(conn: Connection[Any], at: datetime, seq: int, limit: int) -> list[Removed]:
    """The runs that were removed after that, or whose logs were, in this order."""
    rows = conn.execute(REMOVED, {"at": at, "seq": seq, "limit": limit})
    return [Removed(*row) for row in rows]
