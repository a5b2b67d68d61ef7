"""Reads and writes of pools. Every function takes a connection; none commits."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection

from headway.core.admission import Pool

WAITING_MAX: Final = 20_000  # task instances whose reason a change of their pool makes untrue

# One order for everybody: two ticks that need the same pools wait for each other, never in a ring.
# A pool comes before what other teams have of it.
LOCK: LiteralString = """
    SELECT team_id, name, slots, used, allotted, is_open FROM pool
    WHERE (team_id, name) IN (SELECT * FROM unnest(%(teams)s::integer[], %(names)s::text[]))
    ORDER BY coalesce(lender_id, team_id), coalesce(lent_name, name), lender_id IS NOT NULL, team_id
    FOR NO KEY UPDATE
"""

SET: LiteralString = """
    WITH changed AS (
        INSERT INTO pool (team_id, name, slots) VALUES (%(team_id)s, %(name)s, %(slots)s)
        ON CONFLICT (team_id, name) DO UPDATE SET slots = excluded.slots
        RETURNING team_id
    )
    INSERT INTO event (team_id, at, subject, name, actor, reason)
    SELECT team_id, %(now)s, 'pool', 'resize', %(actor)s,
        jsonb_build_object('kind', 'pool_resized', 'pool', %(name)s::text, 'slots', %(slots)s::integer)
    FROM changed
"""

DELETE: LiteralString = """
    WITH gone AS (
        DELETE FROM pool WHERE team_id = %(team_id)s AND name = %(name)s AND used = 0 RETURNING team_id
    ), history AS (
        INSERT INTO event (team_id, at, subject, name, actor, reason)
        SELECT team_id, %(now)s, 'pool', 'delete', %(actor)s,
            jsonb_build_object('kind', 'about', 'what', %(name)s::text) FROM gone
    )
    SELECT FROM gone
"""

# Waits for who is about to lend it.
LOCK_TO_DELETE: LiteralString = """
    SELECT FROM pool WHERE team_id = %(team_id)s AND name = %(name)s FOR UPDATE
"""

WAITING: LiteralString = """
    SELECT DISTINCT run_id FROM (
        SELECT run_id FROM task_instance WHERE team_id = %(team_id)s AND pool = %(name)s AND rank IS NOT NULL
        ORDER BY rank LIMIT %(limit)s
    ) AS waiting
"""

# Runs before pools, as everywhere, and in the order in which they are given.
LOCK_RUNS: LiteralString = """
    SELECT locked.run_id FROM unnest(%(runs)s::text[]) AS wanted (run_id) CROSS JOIN LATERAL (
        SELECT run_id FROM run
        WHERE run.team_id = %(team_id)s AND run.run_id = wanted.run_id AND set_aside IS NULL
        FOR NO KEY UPDATE
    ) AS locked
"""

# With another revision no scheduler's model of them is true any more.
FORGET_REASONS: LiteralString = """
    WITH forgotten AS (
        UPDATE task_instance SET blocked_reason = NULL
        FROM (
            SELECT waiting.ctid FROM unnest(%(runs)s::text[]) AS wanted (run_id) CROSS JOIN LATERAL (
                SELECT ctid FROM task_instance AS known
                WHERE known.team_id = %(team_id)s AND known.run_id = wanted.run_id
                    AND known.pool = %(name)s AND known.rank IS NOT NULL OFFSET 0
            ) AS waiting
        ) AS found
        WHERE task_instance.ctid = found.ctid
    )
    UPDATE run SET revision = revision + 1, due_at = least(due_at, %(now)s)
    FROM (
        SELECT held.ctid FROM unnest(%(runs)s::text[]) AS wanted (run_id) CROSS JOIN LATERAL (
            SELECT ctid FROM run AS known
            WHERE known.team_id = %(team_id)s AND known.run_id = wanted.run_id OFFSET 0
        ) AS held
    ) AS found
    WHERE run.ctid = found.ctid
"""


def lock(conn: Connection[Any], wanted: Collection[tuple[int, str]]) -> dict[int, dict[str, Pool]]:
    """Lock pools by team and name. Missing ones are skipped."""
    asked = sorted(wanted)
    values = {"teams": [team for team, _ in asked], "names": [name for _, name in asked]}
    found: dict[int, dict[str, Pool]] = {}
    for team_id, *pool in conn.execute(LOCK, values):
        found.setdefault(team_id, {})[pool[0]] = Pool(*pool)
    return found


def lock_waiting(conn: Connection[Any], team_id: int, name: str) -> list[str]:
    """Lock the runs that wait for a pool and return their ids. Call before you change the pool."""
    values = {"team_id": team_id, "name": name, "limit": WAITING_MAX}
    waiting = sorted(run_id for (run_id,) in conn.execute(WAITING, values))
    locked = conn.execute(LOCK_RUNS, {"team_id": team_id, "runs": waiting})
    return [run_id for (run_id,) in locked]


def forget_reasons(
    conn: Connection[Any], team_id: int, name: str, run_ids: list[str], now: datetime
) -> None:
    """Let the next tick update the reasons of instances that wait for a changed pool."""
    values = {"team_id": team_id, "name": name, "runs": run_ids, "now": now}
    conn.execute(FORGET_REASONS, values)


def resize(
    conn: Connection[Any], team_id: int, name: str, slots: int, actor: str, now: datetime
) -> None:
    """Create a pool, or change its size.

    Below what is in use: nothing starts until enough has ended.
    """
    values = {"team_id": team_id, "name": name, "slots": slots}
    conn.execute(SET, {**values, "actor": actor, "now": now})


def lock_to_delete(conn: Connection[Any], team_id: int, name: str) -> None:
    """Let nobody lend or use the pool before the transaction ends."""
    conn.execute(LOCK_TO_DELETE, {"team_id": team_id, "name": name})


def delete(conn: Connection[Any], team_id: int, name: str, actor: str, now: datetime) -> bool:
    """Delete the pool. Returns False if it is in use or does not exist."""
    values = {"team_id": team_id, "name": name, "actor": actor, "now": now}
    return conn.execute(DELETE, values).fetchone() is not None
