"""Views of teams: their settings and what they use."""

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import dict_row

from headway import wire
from headway.store.teams import TeamRow
from headway.store.transact import enter_team

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
    return wire.Team(
        name=row.name,
        title=row.title,
        slots=row.slots,
        weight=float(row.weight),
        created_at=row.created_at,
        **use,
    )
