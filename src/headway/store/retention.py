"""Removing what is old. Every function takes a connection; none commits.

A run goes with all that hangs on it, in the order of locks that everybody has; what is locked is
left for the next time. History is append-only for every role: it goes only through functions
of the schema's owner, which refuse what belongs to a run that is there or is younger than a week.
All but schedulers is of one team, which the transaction has entered: the policies let nothing else go.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import scalar_row

# Ended is final (a CHECK says so); one that is opened again meanwhile is seen by the lock.
OLD_RUNS: LiteralString = """
    SELECT run_id FROM run
    WHERE team_id = %(team_id)s AND ended_at < %(older_than)s
    ORDER BY ended_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
"""

# The rest goes by ON DELETE CASCADE. One row of history is left: that it was removed.
DELETE_RUNS: LiteralString = """
    WITH gone AS (
        DELETE FROM run
        USING unnest(%(runs)s::text[]) AS old (run_id)
        CROSS JOIN LATERAL (
            SELECT ctid FROM run AS known
            WHERE known.team_id = %(team_id)s AND known.run_id = old.run_id
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
    DELETE FROM report WHERE team_id = %(team_id)s AND run_id = ANY (%(runs)s::text[])
"""

PRUNE_HISTORY: LiteralString = """
    SELECT prune_events_of_runs(
        array_fill(%(team_id)s::integer, ARRAY[cardinality(%(runs)s::text[])]), %(runs)s::text[],
        %(older_than)s::timestamptz)
"""

PRUNE_OTHER_HISTORY: LiteralString = """
    SELECT prune_other_events_of_team(
        %(team_id)s::integer, %(older_than)s::timestamptz, %(limit)s::integer)
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

OLD_IMPORT_ERRORS: LiteralString = """
    DELETE FROM import_error WHERE team_id = %(team_id)s AND at < %(older_than)s
"""

OLD_BACKFILLS: LiteralString = """
    DELETE FROM backfill
    WHERE team_id = %(team_id)s AND created_at < %(older_than)s AND NOT EXISTS (
        SELECT FROM run
        WHERE run.team_id = backfill.team_id AND run.backfill_id = backfill.backfill_id OFFSET 0)
"""

OLD_SESSIONS: LiteralString = """
    DELETE FROM agent_session
    WHERE team_id = %(team_id)s AND ended_at < %(older_than)s AND NOT EXISTS (
        SELECT FROM attempt
        WHERE attempt.team_id = agent_session.team_id
            AND attempt.session_id = agent_session.session_id OFFSET 0)
"""

# One that was killed never said that it ended.
OLD_SCHEDULERS: LiteralString = "DELETE FROM scheduler WHERE heartbeat_at < %(older_than)s"

OLD_BUNDLES: LiteralString = """
    DELETE FROM bundle
    WHERE team_id = %(team_id)s AND created_at < %(older_than)s
        AND NOT EXISTS (
            SELECT FROM dag
            WHERE dag.team_id = bundle.team_id AND dag.bundle_version = bundle.version OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM run
            WHERE run.team_id = bundle.team_id AND run.bundle_version = bundle.version OFFSET 0)
"""

# The last change of a DAG is the code that it has.
OLD_CODE_CHANGES: LiteralString = """
    DELETE FROM code_change
    WHERE team_id = %(team_id)s AND created_at < %(older_than)s AND EXISTS (
        SELECT FROM code_change AS later
        WHERE later.team_id = code_change.team_id AND later.dag_id = code_change.dag_id
            AND later.number > code_change.number
        OFFSET 0)
"""

# Those that no consumer knows yet are new, whatever their time says.
OLD_ASSET_EVENTS: LiteralString = """
    DELETE FROM asset_event
    WHERE team_id = %(team_id)s AND at < %(older_than)s AND position IS NOT NULL
"""

# Those that were never completed: nothing has arrived for them since.
OLD_PARTITIONS: LiteralString = """
    DELETE FROM pending_partition WHERE team_id = %(team_id)s AND latest_at < %(older_than)s
"""

# Those that no DAG names any more, and of which nothing is left to show.
OLD_ASSETS: LiteralString = """
    DELETE FROM asset
    WHERE team_id = %(team_id)s AND created_at < %(older_than)s
        AND NOT EXISTS (
            SELECT FROM asset_use
            WHERE asset_use.team_id = asset.team_id AND asset_use.asset = asset.name OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM asset_consumer
            WHERE asset_consumer.team_id = asset.team_id AND asset_consumer.asset = asset.name OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM asset_event
            WHERE asset_event.team_id = asset.team_id AND asset_event.asset = asset.name OFFSET 0)
"""

# What a deleted team leaves once its runs are gone: all but its history, its audit, and its row.
# Ordered: without, a team that has none would be looked for in all of the table.
HAS_RUNS: LiteralString = """
    SELECT FROM run WHERE team_id = %(team_id)s ORDER BY team_id, run_id LIMIT 1
"""

DEAD_VERSIONS: LiteralString = "DELETE FROM dag_version WHERE team_id = %(team_id)s"

DEAD_DAGS: LiteralString = "DELETE FROM dag WHERE team_id = %(team_id)s"

# Those that are gone are of no alias, and an alias that is gone has none.
OLD_ALIASES: LiteralString = """
    DELETE FROM asset_alias AS member
    WHERE team_id = %(team_id)s AND created_at < %(older_than)s AND (
        NOT EXISTS (
            SELECT FROM asset WHERE asset.team_id = member.team_id AND asset.name = member.asset OFFSET 0)
        OR NOT EXISTS (
            SELECT FROM asset
            WHERE asset.team_id = member.team_id AND asset.name = '@alias:' || member.alias OFFSET 0))
"""

# Whose time is over, whatever its run is doing. The rest goes with its run.
EXPIRED_STATES: LiteralString = """
    DELETE FROM task_state WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM task_state WHERE team_id = %(team_id)s AND expires_at < %(now)s
        ORDER BY team_id, expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
"""

DEAD_ASSETS: LiteralString = "DELETE FROM asset WHERE team_id = %(team_id)s"

DEAD_ALIASES: LiteralString = "DELETE FROM asset_alias WHERE team_id = %(team_id)s"

# Their runs are removed by age, as long as there are some.
DEAD_AIRFLOW_DAGS: LiteralString = (
    "DELETE FROM airflow_dag WHERE team_id = %(team_id)s AND runs = 0"
)

DEAD_POOLS: LiteralString = "DELETE FROM pool WHERE team_id = %(team_id)s"

OLD_BROWSER_SESSIONS: LiteralString = """
    DELETE FROM browser_session WHERE team_id = %(team_id)s AND expires_at < %(older_than)s
"""

OLD_LINKS: LiteralString = """
    DELETE FROM login_link WHERE team_id = %(team_id)s AND expires_at < %(older_than)s
"""

# One that was revoked or has expired. Who had it is in the audit.
OLD_TOKENS: LiteralString = """
    DELETE FROM api_token
    WHERE team_id = %(team_id)s AND least(expires_at, revoked_at) < %(older_than)s AND token_id <> 'local-agent'
"""

REST: tuple[LiteralString, ...] = (
    *(OLD_IMPORT_ERRORS, OLD_BACKFILLS, OLD_SESSIONS, OLD_BUNDLES),
    *(OLD_BROWSER_SESSIONS, OLD_LINKS, OLD_TOKENS, OLD_CODE_CHANGES, OLD_ASSET_EVENTS, OLD_ASSETS),
    *(OLD_PARTITIONS, OLD_ALIASES),
)


# Its events of assets are old at once.
DEAD: tuple[LiteralString, ...] = (
    *(DEAD_DAGS, DEAD_VERSIONS, DEAD_POOLS, DEAD_ASSETS),
    *(DEAD_ALIASES, DEAD_AIRFLOW_DAGS),
)


class Removed(NamedTuple):
    at: datetime
    seq: int
    team: str
    run_id: str
    is_run: bool  # else its logs only


def prune_runs(
    conn: Connection[Any], team_id: int, older_than: datetime, now: datetime, limit: int
) -> Sequence[str]:
    """Remove runs that ended before ``older_than``, oldest first. Returns their ids."""
    values = {"team_id": team_id, "older_than": older_than}
    with conn.cursor(row_factory=scalar_row) as cursor:
        old: list[str] = cursor.execute(OLD_RUNS, {**values, "limit": limit}).fetchall()
    if old:
        conn.execute(DELETE_REPORTS, {"team_id": team_id, "runs": old})
        conn.execute(DELETE_RUNS, {"team_id": team_id, "runs": old, "now": now})
        conn.execute(PRUNE_HISTORY, {**values, "runs": old})
    return old


def prune_rest(conn: Connection[Any], team_id: int, older_than: datetime) -> None:
    """Remove what no run refers to any more."""
    for statement in REST:
        conn.execute(statement, {"team_id": team_id, "older_than": older_than})


def prune_dead(conn: Connection[Any], team_id: int) -> None:
    """Remove the DAGs and pools of a deleted team that has no runs any more."""
    if conn.execute(HAS_RUNS, {"team_id": team_id}).fetchone() is None:
        for statement in DEAD:
            conn.execute(statement, {"team_id": team_id})


def prune_states(conn: Connection[Any], team_id: int, now: datetime, limit: int) -> None:
    """Remove the state of task instances that has expired."""
    conn.execute(EXPIRED_STATES, {"team_id": team_id, "now": now, "limit": limit})


def prune_history(conn: Connection[Any], team_id: int, older_than: datetime, limit: int) -> None:
    """Remove history that is of no run."""
    values = {"team_id": team_id, "older_than": older_than, "limit": limit}
    conn.execute(PRUNE_OTHER_HISTORY, values)


def prune_schedulers(conn: Connection[Any], older_than: datetime) -> None:
    """Remove those that have been silent since ``older_than``: they are of no team."""
    conn.execute(OLD_SCHEDULERS, {"older_than": older_than})


def removed_after(conn: Connection[Any], at: datetime, seq: int, limit: int) -> list[Removed]:
    """The runs that were removed after that, or whose logs were, in this order."""
    rows = conn.execute(REMOVED, {"at": at, "seq": seq, "limit": limit})
    return [Removed(*row) for row in rows]
