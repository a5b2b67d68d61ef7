"""Reads and writes of agents' sessions and of the attempts bound to them. None commits.

A session's lease is its heartbeat by the database's clock. A session that has ended is dead for
ever.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row

from headway.store import states


@dataclass(frozen=True, slots=True)
class Bound:
    """A queued attempt that its session may not have heard of."""

    team_id: int
    run_id: str
    task_id: str
    map_index: int
    number: int
    deferrals: int
    token: str
    reported: bool  # something about its run waits in the inbox: it may be its end
    session: str


OPEN: LiteralString = """
    INSERT INTO agent_session (
        team_id, session_id, agent, host, pid, slots, data, token_id, queues, started_at, heartbeat_at)
    SELECT
        %(team_id)s, %(session_id)s, %(agent)s, %(host)s, %(pid)s, %(slots)s, %(data)s, %(token)s, %(queues)s::text[],
        %(now)s, %(now)s
    WHERE NOT EXISTS (
        SELECT FROM agent_session WHERE session_id = %(session_id)s AND team_id <> %(team_id)s)
    ON CONFLICT (team_id, session_id) DO UPDATE SET heartbeat_at = %(now)s
        WHERE agent_session.ended_at IS NULL AND agent_session.heartbeat_at > %(now)s - %(lease)s
    RETURNING session_id
"""

LIVE_OF_CLUSTER: LiteralString = """
    SELECT session_id FROM agent_session
    WHERE ended_at IS NULL AND heartbeat_at > %(now)s - %(lease)s AND team_id = %(team_id)s
        AND agent = %(executor)s AND token_id IS NULL
    ORDER BY session_id LIMIT 1
"""

OF_CLUSTER: LiteralString = """
    SELECT session_id FROM agent_session
    WHERE ended_at IS NULL AND team_id = %(team_id)s AND agent = %(executor)s AND token_id IS NULL
    ORDER BY session_id
"""

# A limit of the team's log bytes is divided equally among its sessions.
RENEW: LiteralString = """
    WITH live AS MATERIALIZED (
        SELECT team_id, count(*) AS sessions FROM agent_session WHERE ended_at IS NULL GROUP BY team_id
    )
    UPDATE agent_session AS mine SET heartbeat_at = %(now)s, log_bytes = beat.log_bytes
    FROM unnest(%(sessions)s::text[], %(log_bytes)s::integer[]) AS beat (session_id, log_bytes), team
    WHERE mine.session_id = beat.session_id AND mine.ended_at IS NULL
        AND mine.heartbeat_at > %(now)s - %(lease)s AND team.team_id = mine.team_id
    RETURNING mine.session_id, CASE WHEN team.limits ? 'log_bytes_per_minute' THEN
        (team.limits ->> 'log_bytes_per_minute')::integer / greatest(1, (
            SELECT live.sessions FROM live WHERE live.team_id = team.team_id))
    END
"""

CLOSE: LiteralString = """
    UPDATE agent_session SET ended_at = %(now)s WHERE session_id = ANY(%(sessions)s) AND ended_at IS NULL
"""

EXPIRE: LiteralString = """
    UPDATE agent_session SET ended_at = %(now)s
    WHERE ended_at IS NULL AND heartbeat_at <= %(now)s - %(lease)s
    RETURNING session_id
"""

# Level-triggered: an attempt may have been bound to a session in the moment of its death, and a run
# that a tick changes at this moment is found the next time.
ALARM: LiteralString = f"""
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT attempt.team_id, attempt.run_id
        FROM attempt JOIN agent_session AS dead
            ON dead.team_id = attempt.team_id AND dead.session_id = attempt.session_id
        WHERE dead.ended_at IS NOT NULL AND attempt.state IN {states.LIVE_ATTEMPTS}
        ORDER BY attempt.team_id, attempt.run_id
    )
    UPDATE run SET due_at = least(due_at, %(now)s)
    FROM wanted CROSS JOIN LATERAL (
        SELECT ctid FROM run AS known
        WHERE known.team_id = wanted.team_id AND known.run_id = wanted.run_id
        OFFSET 0
    ) AS found
    WHERE run.ctid = found.ctid AND run.state = 'running' AND run.set_aside IS NULL
        AND (run.due_at IS NULL OR run.due_at > %(now)s)
"""

DEAD: LiteralString = """
    SELECT session_id FROM agent_session WHERE session_id = ANY(%(sessions)s) AND ended_at IS NOT NULL
"""

UNSENT: LiteralString = f"""
    SELECT mine.session_id, found.*, EXISTS (
        SELECT FROM report WHERE report.team_id = found.team_id AND report.run_id = found.run_id
    ), mine.session_id
    FROM unnest(%(sessions)s::text[], %(teams)s::integer[]) AS mine (session_id, team_id)
    CROSS JOIN LATERAL (
        SELECT team_id, run_id, task_id, map_index, number, deferrals, token FROM attempt
        WHERE attempt.team_id = mine.team_id AND attempt.session_id = mine.session_id
            AND attempt.state IN {states.LIVE_ATTEMPTS}
        OFFSET 0
    ) AS found
    ORDER BY found.run_id, found.task_id, found.map_index
"""

INTENDED: LiteralString = f"""
    SELECT attempt.session_id, attempt.run_id, attempt.task_id, attempt.map_index, attempt.number,
        attempt.deferrals
    FROM task_instance AS instance JOIN attempt
        ON attempt.team_id = instance.team_id AND attempt.run_id = instance.run_id
        AND attempt.task_id = instance.task_id AND attempt.map_index = instance.map_index
        AND attempt.number = instance.attempts
    WHERE instance.intent IS NOT NULL AND attempt.state IN {states.LIVE_ATTEMPTS}
        AND attempt.session_id = ANY(%(sessions)s)
"""


def intended(
    conn: Connection[Any], mine: Collection[str]
) -> dict[str, list[tuple[str, str, int, int, int]]]:
    """Live attempts that are to be ended (run, task, map index, number, deferrals), by session."""
    found: dict[str, list[tuple[str, str, int, int, int]]] = {}
    if mine:
        for session, *key in conn.execute(INTENDED, {"sessions": list(mine)}):
            found.setdefault(session, []).append((key[0], key[1], key[2], key[3], key[4]))
    return found


def open_session(
    conn: Connection[Any],
    team_id: int,
    session: str,
    agent: str,
    host: str,
    pid: int,
    slots: int,
    now: datetime,
    lease: timedelta,
    data: str | None = None,
    token_id: str | None = None,
    queues: Sequence[str] = ("default",),
) -> bool:
    """A new session, or one that comes back within its life. False: it is dead, or another team's.

    ``data``: the directory on its host where its logs and large results are.
    """
    values = {
        "team_id": team_id,
        "session_id": session,
        "agent": agent,
        "host": host,
        "pid": pid,
        "slots": slots,
        "data": data,
        "token": token_id,
        "queues": list(queues),
        "now": now,
        "lease": lease,
    }
    return conn.execute(OPEN, values).fetchone() is not None


def live_of_cluster(
    conn: Connection[Any], team_id: int, executor: str, now: datetime, lease: timedelta
) -> str | None:
    """Return the live session of a team in the cluster of an executor: any scheduler may renew it."""
    values = {"team_id": team_id, "executor": executor, "now": now, "lease": lease}
    row = conn.execute(LIVE_OF_CLUSTER, values).fetchone()
    return None if row is None else row[0]


def renew(
    conn: Connection[Any], sessions: Mapping[str, int], now: datetime, lease: timedelta
) -> dict[str, int | None]:
    """Take heartbeats, with the log bytes of each in the last minute. Returns those it may take in a minute, None
    without a limit; sessions that are not in the answer are dead.
    """
    values = {
        "sessions": list(sessions),
        "log_bytes": list(sessions.values()),
        "now": now,
        "lease": lease,
    }
    return dict(conn.execute(RENEW, values).fetchall())


def close(conn: Connection[Any], sessions: Collection[str], now: datetime) -> None:
    conn.execute(CLOSE, {"sessions": list(sessions), "now": now})


def expire(conn: Connection[Any], now: datetime, lease: timedelta) -> list[str]:
    """End the sessions whose lease is over, and wake the runs whose live attempts are bound to a
    dead one.
    """
    with conn.cursor(row_factory=scalar_row) as cursor:
        ended = cursor.execute(EXPIRE, {"now": now, "lease": lease}).fetchall()
    conn.execute(ALARM, {"now": now})
    return ended


def dead(conn: Connection[Any], sessions: Collection[str]) -> frozenset[str]:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return frozenset(cursor.execute(DEAD, {"sessions": list(sessions)}).fetchall())


def bound(conn: Connection[Any], team_id: int, session: str) -> list[Bound]:
    """The live attempts of a session, to send again what it does not hold."""
    return bound_to(conn, {session: team_id}).get(session, [])


def bound_to_cluster(conn: Connection[Any], team_id: int, executor: str) -> list[Bound]:
    """The live attempts of a team that wait for a pod in the cluster of an executor, whichever scheduler granted them.

    There may be several live sessions: a scheduler that knows an older one than the others, or two that opened one each
    in the same moment.
    """
    values = {"team_id": team_id, "executor": executor}
    with conn.cursor(row_factory=scalar_row) as cursor:
        found = cursor.execute(OF_CLUSTER, values).fetchall()
    of_each = bound_to(conn, dict.fromkeys(found, team_id))
    return [each for session in found for each in of_each.get(session, ())]


def bound_to(conn: Connection[Any], teams: Mapping[str, int]) -> dict[str, list[Bound]]:
    """The live attempts of sessions, by session. ``teams``: whose each of them is."""
    found: dict[str, list[Bound]] = {}
    values = {"sessions": list(teams), "teams": list(teams.values())}
    for session, *fields in conn.execute(UNSENT, values):
        found.setdefault(session, []).append(Bound(*fields))
    return found
