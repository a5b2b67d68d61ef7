"""Views of teams: their settings and what they use."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row

from headway import wire
from headway.core.stored_reasons import stored
from headway.core.wording import said
from headway.store import clusters, limits, warm_pools
from headway.store.clock import clock
from headway.store.teams import TeamRow
from headway.store.transact import enter_team

COUNT_MAX: Final = 100_000  # runs that are counted

USE: LiteralString = """
    SELECT
        (SELECT count(*) FROM membership WHERE team_id = %(team_id)s) AS members,
        (SELECT count(*) FROM dag WHERE team_id = %(team_id)s AND missing_since IS NULL) AS dags,
        (SELECT coalesce(sum(used), 0)::bigint FROM pool WHERE team_id = %(team_id)s) AS used,
        (SELECT count(*) FROM task_instance WHERE team_id = %(team_id)s AND rank IS NOT NULL) AS waiting
"""


def every(conn: Connection[Any], rows: Sequence[TeamRow]) -> list[wire.Team]:
    """Return the teams, after entering each of them."""
    return [one(conn, row) for row in rows]


def one(conn: Connection[Any], row: TeamRow) -> wire.Team:
    """Return a team, after entering it."""
    enter_team(conn, row.team_id)
    with conn.cursor(row_factory=dict_row) as cursor:
        use = cursor.execute(USE, {"team_id": row.team_id}).fetchone()
    assert use is not None
    bounds = limits.read(row.limits)
    return wire.Team(
        name=row.name,
        title=row.title,
        slots=row.slots,
        weight=float(row.weight),
        created_at=row.created_at,
        limits=[
            wire.TeamLimit(name=name, limit=getattr(bounds, name), used=used)
            for name, used in used_of(conn, row.team_id).items()
        ],
        cluster=in_cluster(conn, row),
        **use,
    )


def in_cluster(conn: Connection[Any], row: TeamRow) -> wire.TeamCluster:
    """Return the settings of a team in a cluster, and what schedulers found there."""
    found = [asdict(state) for state in clusters.states(conn, row.team_id)]
    settings = asdict(clusters.read(row.cluster))
    pools = [
        {**asdict(pool), "reason": None if pool.reason is None else said(stored(pool.reason))}
        for pool in warm_pools.of_team(conn, row.team_id)
    ]
    return msgspec.convert({**settings, "found": found, "pools": pools}, wire.TeamCluster)


def used_of(conn: Connection[Any], team_id: int) -> dict[str, int | None]:
    """Return what counts against each limit now. Requests are counted by the API, in memory."""
    minute = limits.created(conn, team_id, clock(conn), COUNT_MAX)
    return {
        "requests_per_s": None,
        "runs_per_minute": len(minute),
        "open_runs": limits.open_runs(conn, team_id, COUNT_MAX),
        "running_tasks": limits.running_tasks(conn, team_id),
        "kept_slots": None,
        "run_tasks": limits.run_tasks(conn, team_id),
        "dag_file_bytes": limits.largest_file(conn, team_id),
        "log_bytes_per_minute": limits.log_bytes(conn, team_id),
    }
