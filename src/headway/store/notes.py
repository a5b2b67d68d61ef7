"""Writes of notes on runs. None commits."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection

# NUL is no text for PostgreSQL; the state is told again, so that history goes on agreeing with the run.
WRITE: LiteralString = """
    WITH noted AS (
        UPDATE run SET note = %(note)s
        WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND note IS DISTINCT FROM %(note)s
        RETURNING team_id, dag_id, run_id, state
    )
    INSERT INTO event (team_id, at, subject, dag_id, run_id, name, state, actor, reason)
    SELECT team_id, %(now)s, 'run', dag_id, run_id, 'note', state, %(actor)s,
        CASE WHEN %(note)s::text <> '' THEN
            jsonb_build_object('kind', 'text', 'text', left(%(note)s::text, 200)) END
    FROM noted
"""


def write(
    conn: Connection[Any], team_id: int, run_id: str, note: str | None, actor: str, now: datetime
) -> None:
    text = None if note is None else note.replace("\0", "\u2400")
    values = {"team_id": team_id, "run_id": run_id, "note": text, "actor": actor, "now": now}
    conn.execute(WRITE, values)
