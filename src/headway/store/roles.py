"""Roles that a team defines. Every function takes a connection; none commits."""

from typing import Any, LiteralString

from psycopg import Connection, errors
from psycopg.rows import class_row

from headway import wire
from headway.core.roles import BUILT_IN, ORDER, Role, Verbs, known
from headway.errors import Conflict, NotFound, UsageError
from headway.spec.errors import did_you_mean

VERBS: LiteralString = "SELECT verbs_of_role(%(team_id)s, %(name)s)"

LIST: LiteralString = """
    SELECT name, verbs, description, false AS built_in, created_at, created_by
    FROM team_role ORDER BY name
"""

CREATE: LiteralString = """
    INSERT INTO team_role (team_id, name, verbs, description, created_by)
    VALUES (%(team_id)s, %(name)s, %(verbs)s, %(description)s, %(actor)s)
"""

CHANGE: LiteralString = """
    UPDATE team_role SET verbs = %(verbs)s, description = %(description)s
    WHERE team_id = %(team_id)s AND name = %(name)s
"""

DELETE: LiteralString = "DELETE FROM team_role WHERE team_id = %(team_id)s AND name = %(name)s"


def verbs_of(conn: Connection[Any], team_id: int, name: str) -> Verbs:
    """Return what a role may do in a team; nothing for a role that is not there."""
    if name in ORDER:
        return BUILT_IN[Role(name)]
    row = conn.execute(VERBS, {"team_id": team_id, "name": name}).fetchone()
    return known(row[0] or ()) if row else frozenset()


def require(conn: Connection[Any], team_id: int, name: str) -> Verbs:
    """Return the verbs of a role of the entered team. Raises UsageError."""
    if found := verbs_of(conn, team_id, name):
        return found
    names = [role.name for role in all_of_team(conn)]
    raise UsageError(
        f"{name!r} is not a role of this team",
        hint=did_you_mean(name, names) or f"roles are {', '.join(names)}",
    )


def all_of_team(conn: Connection[Any]) -> list[wire.TeamRoleDetail]:
    """List the built-in roles, lowest first, then those of the entered team."""
    built_in = [
        wire.TeamRoleDetail(name=role, verbs=sorted(BUILT_IN[role]), built_in=True)
        for role in ORDER
    ]
    with conn.cursor(row_factory=class_row(wire.TeamRoleDetail)) as cursor:
        return built_in + cursor.execute(LIST).fetchall()


def one(conn: Connection[Any], name: str) -> wire.TeamRoleDetail:
    for role in all_of_team(conn):
        if role.name == name:
            return role
    raise NotFound(f"there is no role {name!r}", hint="to list roles: headway role ls")


def create(
    conn: Connection[Any], team_id: int, name: str, verbs: Verbs, description: str, actor: str
) -> None:
    values = {"team_id": team_id, "name": name, "verbs": sorted(verbs)}
    try:
        conn.execute(CREATE, {**values, "description": description, "actor": actor})
    except errors.UniqueViolation as error:
        raise Conflict(
            f"a role named {name!r} already exists",
            hint=f"to change it: headway role set {name} --verb …",
        ) from error


def change(conn: Connection[Any], team_id: int, name: str, verbs: Verbs, description: str) -> None:
    values = {"team_id": team_id, "name": name, "verbs": sorted(verbs)}
    conn.execute(CHANGE, {**values, "description": description})


def delete(conn: Connection[Any], team_id: int, name: str) -> None:
    """Raises Conflict while somebody, or a token, has the role."""
    try:
        conn.execute(DELETE, {"team_id": team_id, "name": name})
    except errors.ForeignKeyViolation as error:
        raise Conflict(
            f"members or tokens of this team have the role {name!r}",
            hint="give them another role first; to list them: headway user ls, headway token ls",
        ) from error
