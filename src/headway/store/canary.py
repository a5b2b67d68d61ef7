"""The team of a canary. It is never committed."""

from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row

MAKE_TEAM: LiteralString = "INSERT INTO team (name) VALUES (%(name)s) RETURNING team_id"


def make_team(conn: Connection[Any], name: str) -> int:
    with conn.cursor(row_factory=scalar_row) as cursor:
        team_id: int | None = cursor.execute(MAKE_TEAM, {"name": name}).fetchone()
    assert team_id is not None
    return team_id
