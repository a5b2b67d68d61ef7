"""The days for which teams keep their runs. Every function takes a connection; none commits."""

from typing import Any, LiteralString

from psycopg import Connection

DAYS: LiteralString = "SELECT run_days FROM team WHERE team_id = %(team_id)s"

SET: LiteralString = "UPDATE team SET run_days = %(days)s WHERE team_id = %(team_id)s"

# Bounded: a preview tells how many, up to so many.
OLDER: LiteralString = """
    SELECT count(*) FROM (
        SELECT FROM run WHERE team_id = %(team_id)s AND ended_at < %(older_than)s LIMIT %(limit)s
    ) AS old
"""


def days(conn: Connection[Any], team_id: int) -> int | None:
    """Return the team's own setting; None: as the installation says."""
    row = conn.execute(DAYS, {"team_id": team_id}).fetchone()
    assert row is not None
    found: int | None = row[0]
    return found


def set_days(conn: Connection[Any], team_id: int, wanted: int | None) -> None:
    conn.execute(SET, {"team_id": team_id, "days": wanted})


def older(conn: Connection[Any], team_id: int, older_than: object, limit: int) -> int:
    """Count the runs that ended before ``older_than``, up to ``limit``."""
    values = {"team_id": team_id, "older_than": older_than, "limit": limit}
    row = conn.execute(OLDER, values).fetchone()
    assert row is not None
    found: int = row[0]
    return found
