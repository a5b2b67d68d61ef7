"""Warm pools of teams: what was decided and found, and their load. Functions take a connection; none commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import args_row, class_row

from headway.core.reasons import Reason
from headway.core.stored_reasons import stored
from headway.store import states
from headway.store.rows import rows

EVERY: LiteralString = """
    SELECT team_id, replicas, applied, agents, reason::text, checked_at FROM warm_pool
    WHERE executor = %(executor)s ORDER BY team_id
"""

# One scheduler has it: who waited finds that it was looked at.
CLAIM: LiteralString = """
    INSERT INTO warm_pool AS known (team_id, executor, checked_at) VALUES (%(team_id)s, %(executor)s, %(now)s)
    ON CONFLICT (team_id, executor) DO UPDATE SET checked_at = %(now)s
        WHERE known.checked_at <= %(now)s - make_interval(secs => %(age_s)s)
    RETURNING team_id, replicas, applied, agents, reason::text, checked_at
"""

TELL: LiteralString = """
    UPDATE warm_pool SET replicas = %(replicas)s, agents = %(agents)s::jsonb, reason = %(reason)s::jsonb,
        queues = %(queues)s::text[]
    WHERE team_id = %(team_id)s AND executor = %(executor)s
"""

APPLIED: LiteralString = """
    UPDATE warm_pool SET applied = %(applied)s WHERE team_id = %(team_id)s AND executor = %(executor)s
"""

FORGET: LiteralString = (
    "DELETE FROM warm_pool WHERE team_id = %(team_id)s AND executor = %(executor)s"
)

# What waits for another reason than a place of an agent needs none: slots that are used up start no agent. What became
# ready just now is granted by the next tick, if there is a place. No canary starts an agent, nor keeps one.
WAITING: LiteralString = """
    SELECT least(coalesce(sum(line.waits), 0), (
        SELECT greatest(0, least(allotted, fair) - used) FROM share
        WHERE share.team_id = %(team_id)s AND allotted IS NOT NULL))::integer
    FROM pool CROSS JOIN LATERAL (
        SELECT count(*) AS waits FROM (
            SELECT FROM unnest(%(executors)s::text[]) AS need (executor)
            CROSS JOIN unnest(%(queues)s::text[]) AS served (queue)
            CROSS JOIN LATERAL (
                SELECT FROM task_instance AS instance
                WHERE instance.team_id = pool.team_id AND instance.pool = pool.name AND instance.queue = served.queue
                    AND instance.executor = need.executor AND instance.rank IS NOT NULL
                    AND instance.pool_slots <= pool.slots AND instance.ready_at <= %(before)s
                ORDER BY instance.rank LIMIT %(limit)s
            ) AS ready
            LIMIT least(%(limit)s, greatest(0, coalesce(pool.allotted, pool.slots) - pool.used))
        ) AS first
    ) AS line
    WHERE pool.team_id = %(team_id)s AND pool.is_open AND pool.name <> '~canary'
"""

# The agents of a pool by the names of their pods.
AGENTS: LiteralString = f"""
    SELECT agent, sum((
        SELECT count(*) FROM attempt
        WHERE attempt.session_id = agent_session.session_id AND attempt.team_id = agent_session.team_id
            AND state IN {states.LIVE_ATTEMPTS} AND NOT starts_with(run_id, '~')))::integer
    FROM agent_session
    WHERE ended_at IS NULL AND team_id = %(team_id)s AND agent = ANY(%(names)s)
    GROUP BY agent
"""

COMING: LiteralString = """
    SELECT dag_id, version FROM dag
    WHERE team_id = %(team_id)s AND next_fire_at IS NOT NULL AND paused_at IS NULL AND missing_since IS NULL
        AND next_fire_at > %(now)s AND next_fire_at <= %(now)s + make_interval(secs => %(within_s)s)
    ORDER BY next_fire_at LIMIT %(limit)s
"""

OF_TEAM: LiteralString = """
    SELECT executor, replicas, agents, reason::text, checked_at FROM warm_pool
    WHERE team_id = %(team_id)s ORDER BY executor
"""


class PoolAgent(msgspec.Struct, frozen=True):
    """An agent of a pool, as it was found."""

    name: str
    since: datetime | None
    is_ready: bool
    held: int
    idle_since: datetime | None


@dataclass(frozen=True, slots=True)
class Pool:
    """``agents``: as stored; ``reason``: why not all are there, as JSON."""

    team_id: int
    replicas: int
    applied: str
    agents: list[dict[str, Any]]
    reason: str | None
    checked_at: datetime

    @property
    def known(self) -> dict[str, PoolAgent]:
        found = msgspec.convert(self.agents, list[PoolAgent])
        return {each.name: each for each in found}

    @property
    def why(self) -> Reason | None:
        return None if self.reason is None else stored(self.reason)


@dataclass(frozen=True, slots=True)
class Shown:
    """A pool, for people."""

    executor: str
    replicas: int
    agents: list[dict[str, Any]]
    reason: str | None
    checked_at: datetime


def every(conn: Connection[Any], executor: str) -> dict[int, Pool]:
    """Return the pools of an executor, by team."""
    with conn.cursor(row_factory=args_row(Pool)) as cursor:
        return {p.team_id: p for p in cursor.execute(EVERY, {"executor": executor})}


def claim(
    conn: Connection[Any], team_id: int, executor: str, now: datetime, age_s: float
) -> Pool | None:
    """Take on to look at a pool. None: another scheduler did within ``age_s``."""
    values = {"team_id": team_id, "executor": executor, "now": now, "age_s": age_s}
    with conn.cursor(row_factory=args_row(Pool)) as cursor:
        return cursor.execute(CLAIM, values).fetchone()


def tell(
    conn: Connection[Any],
    team_id: int,
    executor: str,
    replicas: int,
    agents: Sequence[PoolAgent],
    reason: Reason | None,
    queues: Sequence[str],
) -> None:
    """Store what was decided and found."""
    values = {
        "team_id": team_id,
        "executor": executor,
        "replicas": replicas,
        "queues": list(queues),
    }
    text = None if reason is None else msgspec.json.encode(reason).decode()
    conn.execute(TELL, {**values, "agents": rows(msgspec.to_builtins(agents)), "reason": text})


def tell_applied(conn: Connection[Any], team_id: int, executor: str, applied: str) -> None:
    conn.execute(APPLIED, {"team_id": team_id, "executor": executor, "applied": applied})


def forget(conn: Connection[Any], team_id: int, executor: str) -> None:
    """Forget a pool of which nothing is left in the cluster."""
    conn.execute(FORGET, {"team_id": team_id, "executor": executor})


def waiting(
    conn: Connection[Any],
    team_id: int,
    executors: Sequence[str],
    queues: Sequence[str],
    before: datetime,
    limit: int,
) -> int:
    """Count the task instances of a team, ready since ``before``, that only need a place of an agent.

    Counts up to ``limit`` for each pool of slots.
    """
    values = {"team_id": team_id, "executors": list(executors), "queues": list(queues)}
    row = conn.execute(WAITING, {**values, "before": before, "limit": limit}).fetchone()
    assert row is not None
    return int(row[0])


def held(conn: Connection[Any], team_id: int, names: Sequence[str]) -> dict[str, int]:
    """Return how many attempts the agents with these names have. One that has not connected is left out."""
    found = conn.execute(AGENTS, {"team_id": team_id, "names": list(names)}).fetchall()
    return dict(found)


def coming(
    conn: Connection[Any], team_id: int, now: datetime, within_s: float, limit: int
) -> list[tuple[str, int]]:
    """Return the DAGs whose next scheduled run starts within ``within_s``, and their versions."""
    values = {"team_id": team_id, "now": now, "within_s": within_s, "limit": limit}
    return [(dag_id, number) for dag_id, number in conn.execute(COMING, values).fetchall()]


def of_team(conn: Connection[Any], team_id: int) -> list[Shown]:
    """Return the warm pools of a team in each cluster."""
    with conn.cursor(row_factory=class_row(Shown)) as cursor:
        return cursor.execute(OF_TEAM, {"team_id": team_id}).fetchall()
