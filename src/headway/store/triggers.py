"""Waits that the triggerers of a team look after. Every function takes a connection; none commits.

A wait is *free*, or *held* by the session of an agent, whose lease says until when. One that two look after for a
moment is taken in once: what is found names the attempt and which of its waits is meant.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import args_row

from headway.store.claims import Claim
from headway.store.rows import rows

HELD_MAX: Final = 20_000  # by one session

# Rows are taken by their places in an array, a fence too (see ``headway.store``): a join with them may read all.
OPEN: LiteralString = "kind = 'trigger' AND NOT is_over AND NOT reported"

ANY: LiteralString = f"""
    SELECT EXISTS (SELECT FROM wait WHERE {OPEN} AND session_id IS NULL)
        OR EXISTS (SELECT FROM wait WHERE {OPEN} AND session_id IS NOT NULL)
"""

# The holders are found one by one, so that this costs nothing for what they hold.
FREE: LiteralString = f"""
    WITH RECURSIVE holder (session_id) AS (
        (SELECT session_id FROM wait WHERE {OPEN} AND session_id IS NOT NULL ORDER BY session_id LIMIT 1)
        UNION ALL
        SELECT (SELECT wait.session_id FROM wait
            WHERE {OPEN} AND wait.session_id IS NOT NULL AND wait.session_id > holder.session_id
            ORDER BY session_id LIMIT 1)
        FROM holder WHERE holder.session_id IS NOT NULL
    ), gone AS MATERIALIZED (
        SELECT holder.session_id FROM holder CROSS JOIN LATERAL (
            SELECT FROM agent_session AS known WHERE known.session_id = holder.session_id
                AND (known.ended_at IS NOT NULL OR known.heartbeat_at <= %(now)s - %(silence)s)
            OFFSET 0
        ) AS known
    ), place AS MATERIALIZED (
        SELECT known.ctid FROM gone CROSS JOIN LATERAL (
            SELECT ctid FROM wait WHERE wait.session_id = gone.session_id AND {OPEN}
            FOR UPDATE SKIP LOCKED
        ) AS known
    )
    UPDATE wait SET session_id = NULL WHERE ctid = ANY(ARRAY(SELECT ctid FROM place))
"""

CLAIM: LiteralString = f"""
    WITH place AS MATERIALIZED (
        SELECT ctid FROM wait
        WHERE {OPEN} AND session_id IS NULL AND team_id = %(team_id)s AND queue = ANY(%(queues)s::text[])
            AND EXISTS (SELECT FROM agent_session AS mine WHERE mine.session_id = %(session_id)s
                AND mine.ended_at IS NULL AND mine.heartbeat_at > %(now)s - %(silence)s)
        ORDER BY team_id, queue, run_id, task_id, map_index LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    )
    UPDATE wait SET session_id = %(session_id)s WHERE ctid = ANY(ARRAY(SELECT ctid FROM place))
    RETURNING wait.run_id, wait.task_id, wait.map_index, wait.attempt, wait.deferrals, wait.facts::text, wait.secrets
"""

TEAMS: LiteralString = f"""
    SELECT mine.team_id FROM unnest(%(teams)s::integer[]) AS mine (team_id) CROSS JOIN LATERAL (
        SELECT FROM wait WHERE wait.team_id = mine.team_id AND {OPEN} AND wait.session_id IS NULL LIMIT 1
    ) AS free
"""

COUNT: LiteralString = f"""
    SELECT session_id, count(*) FROM wait WHERE session_id = ANY(%(sessions)s) AND {OPEN} GROUP BY session_id
"""

HELD: LiteralString = f"""
    SELECT run_id, task_id, map_index, attempt, deferrals, facts::text, secrets
    FROM wait WHERE session_id = %(session_id)s AND {OPEN}
"""

# As far as a trigger is told of its run.
RUNS: LiteralString = """
    SELECT found.* FROM unnest(%(runs)s::text[]) AS wanted (run_id) CROSS JOIN LATERAL (
        SELECT run.run_id, team.name, run.dag_id, run.version, run.bundle_version,
            run.logical_date, run.interval_start, run.interval_end, run.trigger, run.params::text, run.partition
        FROM run JOIN team ON team.team_id = run.team_id
        WHERE run.team_id = %(team_id)s AND run.run_id = wanted.run_id
        OFFSET 0
    ) AS found
"""

# Only what this session holds, and without a wait for who changes the row at this moment: it ends.
NOTE: LiteralString = f"""
    WITH told AS MATERIALIZED (
        SELECT known.ctid AS place, new.looks, new.age_s, new.again_s, new.note
        FROM json_to_recordset(%(rows)s::json) AS new (run_id text, task_id text, map_index integer, attempt integer,
            deferrals integer, looks integer, age_s double precision, again_s double precision, note text)
        CROSS JOIN LATERAL (
            SELECT ctid FROM wait
            WHERE wait.team_id = %(team_id)s AND wait.run_id = new.run_id AND wait.task_id = new.task_id
                AND wait.map_index = new.map_index AND wait.attempt = new.attempt
                AND wait.deferrals = new.deferrals AND wait.session_id = %(session_id)s AND {OPEN}
            FOR UPDATE SKIP LOCKED
        ) AS known
    )
    UPDATE wait SET looks = told.looks, note = told.note,
        looked_at = %(now)s - told.age_s * interval '1 second',
        looks_at = %(now)s - told.age_s * interval '1 second' + told.again_s * interval '1 second'
    FROM told WHERE wait.ctid = told.place AND wait.ctid = ANY(ARRAY(SELECT place FROM told))
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A wait that a session holds. ``facts``: JSON."""

    run_id: str
    task_id: str
    map_index: int
    attempt: int
    deferrals: int
    facts: str
    secrets: list[str] | None  # in them


class RunFacts(NamedTuple):
    run_id: str
    team: str
    dag_id: str
    version: int
    bundle_version: str
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    trigger: str
    params: str
    partition: str | None


class Look(NamedTuple):
    """A look of a trigger, told by its agent. ``again_s``: after it, the next one; None: that is not known."""

    run_id: str
    task_id: str
    map_index: int
    attempt: int
    deferrals: int
    looks: int
    age_s: float
    again_s: float | None
    note: str


def any_open(conn: Connection[Any]) -> bool:
    row = conn.execute(ANY).fetchone()
    return row is not None and bool(row[0])


def free(conn: Connection[Any], now: datetime, silence: timedelta) -> int:
    """Free what sessions hold that have ended, or gave no sign of life for ``silence``. Return how many waits."""
    return conn.execute(FREE, {"now": now, "silence": silence}).rowcount


def claim(conn: Connection[Any], claim: Claim) -> list[Held]:
    """Let a session hold free waits of its team, whose tasks are of its queues."""
    with conn.cursor(row_factory=args_row(Held)) as cursor:
        return cursor.execute(CLAIM, claim._asdict()).fetchall()


def teams(conn: Connection[Any], among: Collection[int]) -> set[int]:
    """Return those of the teams that have free waits."""
    return {team_id for (team_id,) in conn.execute(TEAMS, {"teams": list(among)})}


def count(conn: Connection[Any], sessions: Collection[str]) -> dict[str, int]:
    """Return how many waits sessions hold; those that hold none are left out."""
    return dict(conn.execute(COUNT, {"sessions": list(sessions)}).fetchall())


def held(conn: Connection[Any], session: str) -> list[Held]:
    with conn.cursor(row_factory=args_row(Held)) as cursor:
        return cursor.execute(HELD, {"session_id": session}).fetchall()


def runs(conn: Connection[Any], team_id: int, wanted: Collection[str]) -> dict[str, RunFacts]:
    """Return what triggers are told of these runs, by their ids."""
    values = {"team_id": team_id, "runs": sorted(wanted)}
    return {row[0]: RunFacts(*row) for row in conn.execute(RUNS, values)}


def note(
    conn: Connection[Any], team_id: int, session: str, looks: Sequence[Look], now: datetime
) -> None:
    """Store the last look of each wait."""
    batch = rows([look._asdict() for look in looks])
    conn.execute(NOTE, {"team_id": team_id, "session_id": session, "rows": batch, "now": now})
