"""Reads of what running tasks ask about the runs of DAGs. Every function takes a connection; none commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import args_row, class_row

from headway.core.foreign import Foreign
from headway.core.grants import GrantKind

WINDOW: Final = 1_000  # runs that are looked through for the last one in a state

COLUMNS: LiteralString = """
    run.run_id, run.run_key, run.dag_id, run.version, run.state, run.trigger, run.logical_date, run.interval_start,
    run.interval_end, run.created_at, run.created_by, run.started_at, run.ended_at, run.note,
    CASE WHEN %(whole)s THEN run.params::text END AS params, run.partition
"""

# By our id, or by the one that somebody gave to the run. Each branch enters its own unique index.
BY_ID: LiteralString = f"""
    SELECT {COLUMNS} FROM unnest(%(runs)s::text[]) AS wanted (id)
    CROSS JOIN LATERAL (
        (SELECT * FROM run AS known
            WHERE known.team_id = %(team_id)s AND known.run_id = wanted.id AND known.dag_id = %(dag_id)s OFFSET 0)
        UNION ALL
        (SELECT * FROM run AS known
            WHERE known.team_id = %(team_id)s AND known.dag_id = %(dag_id)s
                AND known.run_key = 'manual:' || wanted.id AND known.run_id <> wanted.id OFFSET 0)
    ) AS run
    LIMIT %(limit)s
"""

BY_DATE: LiteralString = f"""
    SELECT {COLUMNS} FROM unnest(%(dates)s::timestamptz[]) AS wanted (date)
    CROSS JOIN LATERAL (
        SELECT * FROM run AS known
        WHERE known.team_id = %(team_id)s AND known.dag_id = %(dag_id)s AND known.logical_date = wanted.date
        OFFSET 0
    ) AS run
    LIMIT %(limit)s
"""

BEFORE: LiteralString = f"""
    SELECT {COLUMNS} FROM (
        SELECT * FROM run AS known
        WHERE known.team_id = %(team_id)s AND known.dag_id = %(dag_id)s
            AND known.logical_date < coalesce(%(before)s::timestamptz, 'infinity')
        ORDER BY known.logical_date DESC, known.run_id LIMIT %(window)s
    ) AS run
    WHERE %(state)s::text IS NULL OR run.state = %(state)s
    ORDER BY run.logical_date DESC, run.run_id LIMIT %(limit)s
"""

OF_RUNS: LiteralString = """
    SELECT found.* FROM unnest(%(runs)s::text[]) AS wanted (run_id)
    CROSS JOIN LATERAL (
        SELECT run_id, task_id, map_index, state, attempts, started_at, ended_at FROM task_instance AS ti
        WHERE ti.team_id = %(team_id)s AND ti.run_id = wanted.run_id OFFSET 0
    ) AS found
    LIMIT %(limit)s
"""

OF_TASKS: LiteralString = """
    SELECT found.* FROM unnest(%(runs)s::text[]) AS wanted (run_id)
    CROSS JOIN unnest(%(tasks)s::text[]) AS named (task_id)
    CROSS JOIN LATERAL (
        SELECT run_id, task_id, map_index, state, attempts, started_at, ended_at FROM task_instance AS ti
        WHERE ti.team_id = %(team_id)s AND ti.run_id = wanted.run_id AND ti.task_id = named.task_id OFFSET 0
    ) AS found
    LIMIT %(limit)s
"""

HAS: LiteralString = "SELECT FROM dag WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s"

GRANTED: LiteralString = """
    SELECT host.team_id FROM team_grant AS given
    JOIN team AS host ON host.name = given.owner AND host.deleted_at IS NULL
    WHERE given.grantee = %(team)s AND given.owner = %(owner)s AND given.name = %(dag_id)s AND given.kind = %(kind)s
        AND given.state = 'given'
"""

DAG: LiteralString = """
    SELECT version, bundle_version, file, paused_at IS NOT NULL AS paused, next_fire_at FROM dag
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""


@dataclass(frozen=True, slots=True)
class AskedRun:
    """A run. ``params``: JSON, if they were asked for."""

    run_id: str
    run_key: str
    dag_id: str
    version: int
    state: str
    trigger: str
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    created_at: datetime
    created_by: str
    started_at: datetime | None
    ended_at: datetime | None
    note: str | None
    params: str | None
    partition: str | None


@dataclass(frozen=True, slots=True)
class AskedInstance:
    run_id: str
    task_id: str
    map_index: int
    state: str
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class AskedDag:
    version: int
    bundle_version: str
    file: str
    paused: bool
    next_fire_at: datetime | None


def has(conn: Connection[Any], team_id: int, dag_id: str) -> bool:
    return conn.execute(HAS, {"team_id": team_id, "dag_id": dag_id}).fetchone() is not None


def granting(conn: Connection[Any], team: str, named: Foreign, kind: GrantKind) -> int | None:
    """Return the id of the team that lets this one do that with its DAG; None: none does."""
    values = {"team": team, "owner": named.team, "dag_id": named.name, "kind": kind}
    row = conn.execute(GRANTED, values).fetchone()
    return None if row is None else row[0]


def by_id(
    conn: Connection[Any],
    team_id: int,
    dag_id: str,
    ids: Collection[str],
    *,
    whole: bool,
    limit: int,
) -> list[AskedRun]:
    """Return the runs of a DAG that have one of these ids: of ours, or as it was given to them."""
    values = {"runs": sorted(set(ids)), "whole": whole, "limit": limit}
    return runs(conn, BY_ID, {"team_id": team_id, "dag_id": dag_id, **values})


def by_date(
    conn: Connection[Any], team_id: int, dag_id: str, dates: Collection[datetime], limit: int
) -> list[AskedRun]:
    values = {"dates": sorted(set(dates)), "whole": False, "limit": limit}
    return runs(conn, BY_DATE, {"team_id": team_id, "dag_id": dag_id, **values})


def before(
    conn: Connection[Any],
    team_id: int,
    dag_id: str,
    date: datetime | None,
    state: str | None,
    *,
    whole: bool,
    limit: int,
) -> list[AskedRun]:
    """Return the last runs before a date, the newest first. Of those in a state, ``WINDOW`` are looked through."""
    values = {"team_id": team_id, "dag_id": dag_id, "before": date, "state": state, "whole": whole}
    return runs(conn, BEFORE, {**values, "window": max(limit, WINDOW), "limit": limit})


def runs(conn: Connection[Any], statement: LiteralString, values: dict[str, Any]) -> list[AskedRun]:
    with conn.cursor(row_factory=class_row(AskedRun)) as cursor:
        return cursor.execute(statement, values).fetchall()


def instances(
    conn: Connection[Any],
    team_id: int,
    run_ids: Sequence[str],
    task_ids: Sequence[str] | None,
    limit: int,
) -> list[AskedInstance]:
    """Return the instances of tasks in these runs; of all tasks with None."""
    values: dict[str, Any] = {"team_id": team_id, "runs": list(run_ids), "limit": limit}
    with conn.cursor(row_factory=args_row(AskedInstance)) as cursor:
        if task_ids is None:
            return cursor.execute(OF_RUNS, values).fetchall()
        named = sorted(set(task_ids))
        return cursor.execute(OF_TASKS, {**values, "tasks": named}).fetchall()


def dag(conn: Connection[Any], team_id: int, dag_id: str) -> AskedDag | None:
    with conn.cursor(row_factory=class_row(AskedDag)) as cursor:
        return cursor.execute(DAG, {"team_id": team_id, "dag_id": dag_id}).fetchone()
