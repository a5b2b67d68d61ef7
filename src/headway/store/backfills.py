"""Reads and writes of backfills. Every function takes a connection; none commits."""

from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import scalar_row

CREATE: LiteralString = """
    WITH created AS (
        INSERT INTO backfill (team_id, backfill_id, dag_id, first_date, last_date, max_active_runs, newest_first,
            left_out, created_by, created_at)
        VALUES (%(team_id)s, %(id)s, %(dag_id)s, %(first)s, %(last)s, %(max)s, %(newest_first)s,
            %(left_out)s::jsonb, %(actor)s, %(now)s)
        RETURNING team_id, dag_id, created_by
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor, reason)
    SELECT team_id, %(now)s, 'backfill', dag_id, 'create', created_by,
        jsonb_build_object('kind', 'about', 'what', %(id)s::text) FROM created
"""


CANCEL: LiteralString = """
    WITH cancelled AS (
        UPDATE backfill SET cancelled_at = %(now)s, cancelled_by = %(actor)s
        WHERE team_id = %(team_id)s AND backfill_id = %(id)s AND cancelled_at IS NULL
        RETURNING team_id, dag_id, backfill_id
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor, reason)
    SELECT team_id, %(now)s, 'backfill', dag_id, 'cancel', %(actor)s,
        jsonb_build_object('kind', 'about', 'what', backfill_id) FROM cancelled
"""

PAUSE: LiteralString = """
    WITH paused AS (
        UPDATE backfill SET paused_at = %(now)s, paused_by = %(actor)s
        WHERE team_id = %(team_id)s AND backfill_id = %(id)s AND paused_at IS NULL
        RETURNING team_id, dag_id, backfill_id
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor, reason)
    SELECT team_id, %(now)s, 'backfill', dag_id, 'pause', %(actor)s,
        jsonb_build_object('kind', 'about', 'what', backfill_id) FROM paused
"""

RESUME: LiteralString = """
    WITH resumed AS (
        UPDATE backfill SET paused_at = NULL, paused_by = NULL
        WHERE team_id = %(team_id)s AND backfill_id = %(id)s AND paused_at IS NOT NULL
        RETURNING team_id, dag_id, backfill_id
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor, reason)
    SELECT team_id, %(now)s, 'backfill', dag_id, 'resume', %(actor)s,
        jsonb_build_object('kind', 'about', 'what', backfill_id) FROM resumed
"""

STANDING: LiteralString = """
    SELECT dag_id, cancelled_by, EXISTS (
        SELECT FROM run WHERE run.team_id = backfill.team_id AND run.backfill_id = backfill.backfill_id
            AND ended_at IS NULL)
    FROM backfill WHERE team_id = %(team_id)s AND backfill_id = %(id)s
"""

OPEN_RUNS: LiteralString = """
    SELECT run_id FROM run
    WHERE team_id = %(team_id)s AND backfill_id = %(id)s AND ended_at IS NULL AND cancelled_by IS NULL
    ORDER BY state, run_id LIMIT %(limit)s
"""


def create(
    conn: Connection[Any],
    team_id: int,
    backfill_id: str,
    dag_id: str,
    dates: tuple[datetime, datetime],
    max_active_runs: int,
    newest_first: bool,
    left_out: dict[str, int],
    actor: str,
    now: datetime,
) -> None:
    values = {
        "team_id": team_id,
        "id": backfill_id,
        "dag_id": dag_id,
        "first": dates[0],
        "last": dates[1],
        "newest_first": newest_first,
        "left_out": msgspec.json.encode(left_out).decode(),
    }
    conn.execute(CREATE, {**values, "max": max_active_runs, "actor": actor, "now": now})


def cancel(
    conn: Connection[Any], team_id: int, backfill_id: str, actor: str, now: datetime
) -> None:
    """Record who cancelled the backfill, once. Its runs are cancelled one by one."""
    values = {"team_id": team_id, "id": backfill_id, "actor": actor, "now": now}
    conn.execute(CANCEL, values)


def pause(conn: Connection[Any], team_id: int, backfill_id: str, actor: str, now: datetime) -> None:
    """Let no more of its runs start. Those that run continue."""
    conn.execute(PAUSE, {"team_id": team_id, "id": backfill_id, "actor": actor, "now": now})


def resume(
    conn: Connection[Any], team_id: int, backfill_id: str, actor: str, now: datetime
) -> None:
    """Let its queued runs start again."""
    conn.execute(RESUME, {"team_id": team_id, "id": backfill_id, "actor": actor, "now": now})


def standing(conn: Connection[Any], team_id: int, backfill_id: str) -> tuple[str, str | None, bool]:
    """Return the DAG of an existing backfill, who cancelled it, and whether any of its runs has not ended."""
    row = conn.execute(STANDING, {"team_id": team_id, "id": backfill_id}).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def open_runs(conn: Connection[Any], team_id: int, backfill_id: str, limit: int) -> list[str]:
    """Return runs that are not yet being cancelled, queued ones first, in lock order."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: list[str] = cursor.execute(
            OPEN_RUNS, {"team_id": team_id, "id": backfill_id, "limit": limit}
        ).fetchall()
    return sorted(found)
