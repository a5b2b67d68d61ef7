"""The teams of a database. Every function takes a connection; none commits.

Which team is meant when nobody says is answered in one place: ``headway.config.TEAM``.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from headway.errors import NotFound

NAMED: LiteralString = "SELECT team_id FROM team WHERE name = %(name)s"

ALL: LiteralString = "SELECT team_id, name FROM team ORDER BY team_id"


@dataclass(frozen=True, slots=True)
class Team:
    team_id: int
    name: str


def named(conn: Connection[Any], name: str) -> int:
    """Return the id of a team. Raises NotFound."""
    row = conn.execute(NAMED, {"name": name}).fetchone()
    if row is None:
        raise NotFound(f"there is no team {name!r}")
    return int(row[0])


def every(conn: Connection[Any]) -> list[Team]:
    """Return all teams that the role of the connection sees, by id."""
    with conn.cursor(row_factory=class_row(Team)) as cursor:
        return cursor.execute(ALL).fetchall()
