"""People, their memberships and passwords. Every function takes a connection; none commits.

No hash of a password ever comes back: what it was made with does, and whether another is the same.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection, errors
from psycopg.rows import class_row, scalar_row, tuple_row

from headway.errors import Conflict, NotFound, UsageError


@dataclass(frozen=True, slots=True)
class Standing:
    """The role of a user in one of their teams."""

    name: str
    display_name: str
    home_team_id: int  # whose admins look after them
    team_id: int
    team: str
    role: str
    is_platform_admin: bool


ONE_AT_A_TIME: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('headway admin'))"

STANDING: LiteralString = "SELECT * FROM standing_of(%(person_id)s)"

MAKE_PLATFORM_ADMIN: LiteralString = "SELECT make_platform_admin(%(person_id)s)"

WATCHERS: LiteralString = """
    SELECT person_id, credential
    FROM standing_of_watchers(%(team_id)s, %(people)s::integer[], %(credentials)s::text[])
"""

PARAMETERS: LiteralString = "SELECT team_id, parameters FROM password_parameters(%(name)s)"

MATCHES: LiteralString = "SELECT password_matches(%(name)s, %(computed)s)"

CREATE: LiteralString = """
    INSERT INTO person (team_id, name, display_name, password_hash, created_by, is_service)
    VALUES (%(team_id)s, %(name)s, %(display_name)s, %(password_hash)s, %(actor)s, %(is_service)s)
    RETURNING person_id
"""

JOIN: LiteralString = """
    INSERT INTO membership (team_id, person_id, role, created_by)
    VALUES (%(team_id)s, %(person_id)s, %(role)s, %(actor)s)
"""

BY_NAME: LiteralString = "SELECT person_id FROM person WHERE name = %(name)s"

IS_PLATFORM_ADMIN: LiteralString = (
    "SELECT FROM person WHERE person_id = %(person_id)s AND is_platform_admin"
)

ROLE_IN: LiteralString = """
    SELECT role FROM membership WHERE team_id = %(team_id)s AND person_id = %(person_id)s
"""

ANYWHERE: LiteralString = "SELECT person_named(%(name)s)"

LEAVE: LiteralString = """
    DELETE FROM membership WHERE team_id = %(team_id)s AND person_id = %(person_id)s
"""

OURS: LiteralString = """
    SELECT person_id FROM person
    WHERE name = %(name)s AND team_id = entered_team()
"""

SOURCE: LiteralString = "SELECT source FROM person WHERE name = %(name)s"

SET_PASSWORD: LiteralString = """
    UPDATE person SET password_hash = %(password_hash)s WHERE person_id = %(person_id)s
"""

RENAME: LiteralString = """
    UPDATE person SET display_name = %(display_name)s WHERE person_id = %(person_id)s
"""

DISABLE: LiteralString = """
    UPDATE person SET disabled_at = CASE WHEN %(disabled)s THEN coalesce(disabled_at, now()) END
    WHERE person_id = %(person_id)s
"""

SET_ROLE: LiteralString = """
    UPDATE membership SET role = %(role)s WHERE team_id = %(team_id)s AND person_id = %(person_id)s
"""

# Locked in one order, so that of two admins who remove each other one is refused.
ADMINS: LiteralString = """
    SELECT person_id FROM membership
    WHERE team_id = %(team_id)s AND role = 'admin' AND coalesce(lapses_at > now(), true) AND EXISTS (
        SELECT FROM person
        WHERE person.person_id = membership.person_id AND disabled_at IS NULL)
    ORDER BY person_id
    FOR UPDATE OF membership
"""


def one_at_a_time(conn: Connection[Any]) -> None:
    """Wait for others that create teams or look for the local admin: of two first starts, one creates them."""
    conn.execute(ONE_AT_A_TIME)


def standing(conn: Connection[Any], person_id: int) -> list[Standing]:
    """Return the user's memberships, first team first; none for a disabled user."""
    with conn.cursor(row_factory=class_row(Standing)) as cursor:
        return cursor.execute(STANDING, {"person_id": person_id}).fetchall()


def password_parameters(conn: Connection[Any], name: str) -> tuple[int, str | None] | None:
    """The team that manages a user, and the parameters of the password hash."""
    row = conn.execute(PARAMETERS, {"name": name}).fetchone()
    return None if row is None else (row[0], row[1])


def with_password(conn: Connection[Any], name: str, computed: str) -> int | None:
    """Return the id of the user with this name and password hash."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(MATCHES, {"name": name, "computed": computed}).fetchone()
        return found


def create(
    conn: Connection[Any],
    team_id: int,
    name: str,
    display_name: str,
    password_hash: str | None,
    role: str,
    actor: str,
    *,
    is_service: bool = False,
) -> int:
    """Create a user that the team manages, with a role in it."""
    values: dict[str, Any] = {"team_id": team_id, "name": name, "display_name": display_name}
    values |= {"password_hash": password_hash, "role": role, "actor": actor}
    values |= {"is_service": is_service}
    with conn.cursor(row_factory=scalar_row) as cursor:
        try:
            person_id: int | None = cursor.execute(CREATE, values).fetchone()
        except errors.UniqueViolation as error:
            raise Conflict(
                f"a user named {name!r} already exists", hint="choose another name"
            ) from error
    assert person_id is not None
    conn.execute(JOIN, {**values, "person_id": person_id})
    return person_id


def still_standing(
    conn: Connection[Any], team_id: int, asked: Collection[tuple[int, str]]
) -> list[tuple[int, str]]:
    """Return which users still have access to the team through the given session or token ids."""
    people, credentials = zip(*asked, strict=True)
    values = {"team_id": team_id, "people": list(people), "credentials": list(credentials)}
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(WATCHERS, values).fetchall()


def by_name(conn: Connection[Any], name: str) -> int | None:
    """Return a user who is visible to the team of the transaction."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(BY_NAME, {"name": name}).fetchone()
        return found


def anywhere(conn: Connection[Any], name: str) -> int | None:
    """Return a user of any team."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(ANYWHERE, {"name": name}).fetchone()
        return found


def join(
    conn: Connection[Any], team_id: int, person_id: int, name: str, role: str, actor: str
) -> None:
    values = {"team_id": team_id, "person_id": person_id, "role": role, "actor": actor}
    try:
        conn.execute(JOIN, values)
    except errors.CheckViolation as error:  # a service account of another team
        raise NotFound(f"there is no user {name!r}") from error
    except errors.UniqueViolation as error:
        raise Conflict(
            f"{name!r} is already in the team",
            hint=f"to change their role: headway user role {name} ROLE",
        ) from error


def make_platform_admin(conn: Connection[Any], person_id: int) -> None:
    """Let the local admin, and nobody else, administer the platform."""
    conn.execute(MAKE_PLATFORM_ADMIN, {"person_id": person_id})


def leave(conn: Connection[Any], team_id: int, person_id: int) -> None:
    conn.execute(LEAVE, {"team_id": team_id, "person_id": person_id})


def require(conn: Connection[Any], name: str) -> int:
    found = by_name(conn, name)
    if found is None:
        raise NotFound(f"there is no user {name!r}", hint="to list users: headway user ls")
    return found


def is_platform_admin(conn: Connection[Any], person_id: int) -> bool:
    """Return whether a member is a platform admin, disabled or not."""
    return conn.execute(IS_PLATFORM_ADMIN, {"person_id": person_id}).fetchone() is not None


def role_in(conn: Connection[Any], team_id: int, person_id: int) -> str | None:
    """Return a member's role, even if they are disabled; None for others."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        values = {"team_id": team_id, "person_id": person_id}
        found: str | None = cursor.execute(ROLE_IN, values).fetchone()
        return found


def is_ours(conn: Connection[Any], name: str) -> bool:
    """Return whether the team of the transaction manages the user."""
    return conn.execute(OURS, {"name": name}).fetchone() is not None


def source(conn: Connection[Any], name: str) -> str | None:
    """Return the way to sign in that knows the user; None for a local one."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: str | None = cursor.execute(SOURCE, {"name": name}).fetchone()
        return found


def set_password(conn: Connection[Any], person_id: int, password_hash: str) -> None:
    try:
        conn.execute(SET_PASSWORD, {"person_id": person_id, "password_hash": password_hash})
    except errors.CheckViolation as error:
        raise UsageError(
            "a service account has no password",
            hint="give it a token: headway token create NAME --user ACCOUNT",
        ) from error


def rename(conn: Connection[Any], person_id: int, display_name: str) -> None:
    conn.execute(RENAME, {"person_id": person_id, "display_name": display_name})


def disable(conn: Connection[Any], person_id: int, disabled: bool) -> None:
    conn.execute(DISABLE, {"person_id": person_id, "disabled": disabled})


def set_role(conn: Connection[Any], team_id: int, person_id: int, role: str) -> None:
    conn.execute(SET_ROLE, {"team_id": team_id, "person_id": person_id, "role": role})


def admins(conn: Connection[Any], team_id: int) -> list[int]:
    """Lock and return the admins who are not disabled and whose role has not lapsed."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(ADMINS, {"team_id": team_id}).fetchall()
