"""The teams of a database and their settings. Every function takes a connection; none commits.

Which team is meant when nobody says is answered in one place: ``headway.config.TEAM``. What concerns
all teams is done by functions of the database's owner, for a platform admin only.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import Connection, errors
from psycopg.rows import class_row, scalar_row

from headway.errors import Conflict, NotFound
from headway.store import states
from headway.store.transact import enter_team, secret_of

NAMED: LiteralString = "SELECT team_id FROM team WHERE name = %(name)s AND deleted_at IS NULL"

ALL: LiteralString = """
    SELECT team_id, name, deleted_at IS NOT NULL AS is_deleted FROM team ORDER BY team_id
"""

LIVE: LiteralString = """
    SELECT team_id, name, title, slots, weight, limits, cluster, created_at FROM live_teams(%(actor)s, %(secret)s)
"""

ONE: LiteralString = """
    SELECT team_id, name, title, slots, weight, limits, cluster, created_at FROM team
    WHERE team_id = %(team_id)s AND deleted_at IS NULL
"""

CREATE: LiteralString = """
    SELECT create_team(%(actor)s, %(secret)s, %(name)s, %(title)s, %(slots)s, %(weight)s)
"""

CHANGE: LiteralString = """
    SELECT change_team(%(actor)s, %(secret)s, %(team_id)s, %(title)s, %(slots)s, %(weight)s)
"""

DELETE: LiteralString = "SELECT delete_team(%(actor)s, %(secret)s, %(team_id)s)"

LIVE_RUNS: LiteralString = f"""
    SELECT run_id FROM run WHERE team_id = %(team_id)s AND state IN {states.OPEN_RUNS} ORDER BY run_id
"""


@dataclass(frozen=True, slots=True)
class Team:
    team_id: int
    name: str
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRow:
    """A team with its settings."""

    team_id: int
    name: str
    title: str | None
    slots: int | None  # nominal; None: no nominal share of its own
    weight: Decimal
    limits: dict[str, int]  # as they are stored: ``store.limits``
    cluster: dict[str, Any]  # as it is stored: ``store.clusters``
    created_at: datetime


def named(conn: Connection[Any], name: str) -> int:
    """Return the id of a team. Raises NotFound."""
    row = conn.execute(NAMED, {"name": name}).fetchone()
    if row is None:
        raise NotFound(f"there is no team {name!r}")
    return int(row[0])


def every(conn: Connection[Any]) -> list[Team]:
    """Return all teams that the role of the connection sees, by id: deleted ones, whose data is to be removed, too."""
    with conn.cursor(row_factory=class_row(Team)) as cursor:
        return cursor.execute(ALL).fetchall()


def live(conn: Connection[Any], actor: int) -> list[TeamRow]:
    """Return all teams with their settings, by name, for a platform admin."""
    with conn.cursor(row_factory=class_row(TeamRow)) as cursor:
        return cursor.execute(LIVE, {"actor": actor, "secret": secret_of(conn)}).fetchall()


def one(conn: Connection[Any], team_id: int) -> TeamRow:
    """Return the settings of a team that the transaction sees. Raises NotFound."""
    with conn.cursor(row_factory=class_row(TeamRow)) as cursor:
        found = cursor.execute(ONE, {"team_id": team_id}).fetchone()
    if found is None:
        raise NotFound("this team was deleted")
    return found


def one_entered(conn: Connection[Any], team_id: int) -> TeamRow:
    """Return the settings of a team, after entering it."""
    enter_team(conn, team_id)
    return one(conn, team_id)


def live_runs(conn: Connection[Any], team_id: int) -> list[str]:
    """Return the ids of all runs that have not ended."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(LIVE_RUNS, {"team_id": team_id}).fetchall()


def create(
    conn: Connection[Any],
    actor: int,
    name: str,
    title: str | None,
    slots: int | None,
    weight: Decimal,
) -> int:
    """Create the row of a team, for a platform admin. Returns its id. Raises Conflict if the name is taken."""
    settings = {"name": name, "title": title, "slots": slots, "weight": weight}
    values = {"actor": actor, "secret": secret_of(conn), **settings}
    with conn.cursor(row_factory=scalar_row) as cursor:
        try:
            team_id: int | None = cursor.execute(CREATE, values).fetchone()
        except errors.UniqueViolation as error:
            raise Conflict(
                f"a team named {name!r} already exists", hint="to list teams: headway team ls"
            ) from error
    assert team_id is not None
    return team_id


def change(
    conn: Connection[Any],
    actor: int,
    team_id: int,
    title: str | None,
    slots: int | None,
    weight: Decimal,
) -> None:
    """Set all settings of a team, for a platform admin."""
    values = {"actor": actor, "team_id": team_id, "title": title, "slots": slots}
    conn.execute(CHANGE, {**values, "weight": weight, "secret": secret_of(conn)})


def delete(conn: Connection[Any], actor: int, team_id: int) -> None:
    """Mark a team as deleted and delete all that opens it, for a platform admin.

    Raises:
        Conflict: the team manages a platform admin.
    """
    try:
        conn.execute(DELETE, {"actor": actor, "secret": secret_of(conn), "team_id": team_id})
    except errors.RestrictViolation as error:
        raise Conflict(
            "this team cannot be deleted, because it manages a platform admin",
            hint="it is the team of the local admin; remove its DAG files instead",
        ) from error
