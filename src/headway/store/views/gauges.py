"""Gauges of load and delay: each reads a bounded number of rows, by index."""

from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import tuple_row

from headway.store.measures import Histogram, OfTeam, decoded
from headway.store.views import canaries
from headway.store.views.canaries import Proof

DAGS_MAX: Final = 500
RUNS_MAX: Final = 20_000

# Those going on and waiting, by partial indexes: history costs nothing.
ACTIVE: LiteralString = """
    SELECT dag_id, state, runs FROM (
        SELECT dag_id, 'running' AS state, count(*) AS runs FROM run WHERE state = 'running' GROUP BY dag_id
        UNION ALL
        SELECT dag_id, 'queued', count(*) FROM run WHERE state = 'queued' GROUP BY dag_id
    ) AS active
    ORDER BY dag_id, state LIMIT %(limit)s
"""

POOLS: LiteralString = """
    SELECT name, slots, used, coalesce(waiting, 0), coalesce(oldest_s, 0)
    FROM pool LEFT JOIN LATERAL (
        SELECT count(*) AS waiting, extract(epoch FROM now() - min(ready_at))::float8 AS oldest_s
        FROM task_instance
        WHERE task_instance.team_id = pool.team_id AND task_instance.pool = pool.name
            AND rank IS NOT NULL
    ) AS ready ON true
    ORDER BY name LIMIT %(limit)s
"""

# The latest runs that ended well in the last hour: how long they took.
DURATIONS: LiteralString = """
    SELECT dag_id, count(*), sum(took_s), percentile_cont(0.5) WITHIN GROUP (ORDER BY took_s),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY took_s)
    FROM (
        SELECT dag_id, extract(epoch FROM ended_at - started_at)::float8 AS took_s FROM run
        WHERE ended_at > now() - interval '1 hour' AND state = 'success' AND started_at IS NOT NULL
        ORDER BY ended_at DESC LIMIT %(runs)s
    ) AS latest
    GROUP BY dag_id ORDER BY count(*) DESC, dag_id LIMIT %(limit)s
"""

SCHEDULERS: LiteralString = """
    SELECT host, pid, measures::text, CASE WHEN canary_s IS NOT NULL
        THEN extract(epoch FROM now() - coalesce(proved_at, started_at))::float8 END
    FROM scheduler
    WHERE ended_at IS NULL AND measures IS NOT NULL AND heartbeat_at > now() - interval '15 seconds'
    ORDER BY scheduler_id LIMIT 10
"""

CONNECTIONS: LiteralString = """
    SELECT sum(numbackends)::bigint, current_setting('max_connections')::int FROM pg_stat_database
"""

# By the first event that is not known to be handled: what was begun before that moment counts as handled.
FOLLOWERS: LiteralString = """
    SELECT follower, CASE WHEN team_id IS NULL THEN 'all' ELSE 'one' END, coalesce((
        SELECT extract(epoch FROM now() - at)::float8 FROM event
        WHERE xact >= split_part(since, ':', 2)::xid8 ORDER BY xact LIMIT 1), 0)
    FROM event_position ORDER BY follower, team_id LIMIT %(limit)s
"""

ENDED: LiteralString = """
    SELECT state, count(*) FROM run WHERE ended_at > now() - interval '1 hour' GROUP BY state
"""


GUESSES: LiteralString = """
    SELECT count(*) FROM audit
    WHERE team_id = %(team_id)s AND action = 'secrets.guess' AND at > now() - interval '1 hour'
"""


class PoolGauge(NamedTuple):
    name: str
    slots: int
    used: int
    waiting: int
    oldest_s: float  # of those waiting


class DagGauge(NamedTuple):
    """Durations of successful runs in the last hour."""

    dag_id: str
    runs: int
    total_s: float
    p50_s: float
    p95_s: float


class SchedulerGauge(NamedTuple):
    name: str
    ticks: Histogram
    of_team: OfTeam
    unproved_s: float | None  # since its canary got a run to success; None: it has none


class Gauges(NamedTuple):
    active: list[tuple[str, str, int]]  # DAG, state, runs
    pools: list[PoolGauge]
    ended: list[tuple[str, int]]  # state, runs of the last hour
    dags: list[DagGauge]
    schedulers: list[SchedulerGauge]
    followers: list[tuple[str, str, float]]  # of events: name, of one team or all, lag in seconds
    connections: tuple[int, int]  # to the server of the database: open, at most
    proof: Proof | None  # of the team's canary; None: it is not watched
    guesses: int  # attempts of the last hour that guessed names of secrets


def read(conn: Connection[Any], team_id: int) -> Gauges:
    limit = {"limit": DAGS_MAX}
    with conn.cursor(row_factory=tuple_row) as cursor:
        return Gauges(
            cursor.execute(ACTIVE, limit).fetchall(),
            [PoolGauge(*row) for row in cursor.execute(POOLS, limit)],
            cursor.execute(ENDED).fetchall(),
            [DagGauge(*row) for row in cursor.execute(DURATIONS, {**limit, "runs": RUNS_MAX})],
            [scheduler(team_id, *row) for row in cursor.execute(SCHEDULERS)],
            cursor.execute(FOLLOWERS, limit).fetchall(),
            cursor.execute(CONNECTIONS).fetchone() or (0, 0),
            canaries.proof(conn),
            (cursor.execute(GUESSES, {"team_id": team_id}).fetchone() or (0,))[0],
        )


def scheduler(
    team_id: int, host: str, pid: int, text: str, unproved_s: float | None
) -> SchedulerGauge:
    """Return the counters of a scheduler for one team; ticks are for all teams."""
    measures = decoded(text)
    return SchedulerGauge(f"{host}/{pid}", measures.ticks, measures.of_team(team_id), unproved_s)
