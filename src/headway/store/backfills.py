"""Reads and writes of backfills. Every function takes a connection; none commits."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection

CREATE: LiteralString = """
    WITH created AS (
        INSERT INTO backfill (team_id, backfill_id, dag_id, first_date, last_date, max_active_runs,
            created_by, created_at)
        VALUES (%(team)s, %(id)s, %(dag)s, %(first)s, %(last)s, %(max)s, %(actor)s, %(now)s)
        RETURNING team_id, dag_id, created_by
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor, reason)
    SELECT team_id, %(now)s, 'backfill', dag_id, 'create', created_by, %(id)s FROM created
"""


def create(
    conn: Connection[Any],
    team_id: int,
    backfill_id: str,
    dag_id: str,
    dates: tuple[datetime, datetime],
    max_active_runs: int,
    actor: str,
    now: datetime,
) -> None:
    values = {
        "team": team_id,
        "id": backfill_id,
        "dag": dag_id,
        "first": dates[0],
        "last": dates[1],
    }
    conn.execute(CREATE, {**values, "max": max_active_runs, "actor": actor, "now": now})
