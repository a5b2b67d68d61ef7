"""Grants between teams. Row security shows a team those that it gave or asked for, and those that it got or was asked
for. Every function takes a connection; none commits.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection, errors
from psycopg.rows import args_row, class_row, kwargs_row, scalar_row, tuple_row

from headway import wire
from headway.core.foreign import Foreign
from headway.core.grants import GrantKind, GrantState
from headway.errors import Conflict, NotFound
from headway.store.transact import secret_of
from headway.store.views import pages


@dataclass(frozen=True, slots=True)
class Open:
    """A given grant, with the ids of the teams."""

    owner_id: int
    grantee_id: int
    name: str
    kind: str


GRANTS_OF: LiteralString = """
    SELECT owner_id, grantee_id, name, kind
    FROM grants_of(%(secret)s, %(owner)s, %(teams)s::integer[])
"""

MAKE: LiteralString = """
    INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, note, changed_by, changed_in)
    VALUES (%(grant_id)s, %(owner)s, %(grantee)s, %(name)s, %(kind)s, %(state)s, %(note)s, %(actor)s,
        entered_team_name())
"""

CHANGE: LiteralString = """
    UPDATE team_grant SET state = %(state)s, note = coalesce(%(note)s::text, note), changed_at = now(),
        changed_by = %(actor)s, changed_in = entered_team_name()
    WHERE grant_id = %(grant_id)s
"""

COLUMNS: LiteralString = """
    SELECT grant_id AS id, owner, grantee, name, kind, state, note, created_at, changed_at, changed_by, changed_in
    FROM team_grant
"""

PAGE: LiteralString = f"""
    {COLUMNS}
    WHERE (%(after)s::timestamptz IS NULL OR (created_at, grant_id) < (%(after)s, %(after_id)s))
    ORDER BY created_at DESC, grant_id DESC LIMIT %(limit)s
"""

ONE: LiteralString = f"{COLUMNS} WHERE grant_id = %(grant_id)s FOR NO KEY UPDATE"

NAMED: LiteralString = f"""
    {COLUMNS}
    WHERE owner = %(owner)s AND grantee = %(grantee)s AND name = %(name)s AND kind = %(kind)s
    FOR NO KEY UPDATE
"""

COUNT: LiteralString = "SELECT count(*) FROM team_grant WHERE changed_in = entered_team_name()"

GIVEN: LiteralString = """
    SELECT grantee, name FROM team_grant
    WHERE owner = entered_team_name() AND kind = %(kind)s AND state = 'given'
        AND grantee = ANY (%(grantees)s)
"""

GOT: LiteralString = """
    SELECT owner, name FROM team_grant
    WHERE grantee = entered_team_name() AND kind = %(kind)s AND state = 'given' AND owner = ANY (%(owners)s)
"""


def grant(kind: str, state: str, **row: Any) -> wire.Grant:
    return wire.Grant(kind=GrantKind(kind), state=GrantState(state), **row)


def open_to(conn: Connection[Any], owner: str, teams: Collection[int]) -> list[Open]:
    """Return what a team, by its name, lets people of other teams do. Nothing for a team that does not exist."""
    values = {"secret": secret_of(conn), "owner": owner, "teams": list(teams)}
    with conn.cursor(row_factory=class_row(Open)) as cursor:
        return cursor.execute(GRANTS_OF, values).fetchall()


def given_to(
    conn: Connection[Any], grantees: Collection[str], kind: GrantKind
) -> set[tuple[str, str]]:
    """Return the grantee and name of the grants of a kind that the entered team has given and not taken back."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        return set(cursor.execute(GIVEN, {"kind": kind, "grantees": list(grantees)}).fetchall())


def closed(
    conn: Connection[Any], wanted: Collection[Foreign], kind: GrantKind
) -> frozenset[Foreign]:
    """Return what no grant opens to the entered team, whether it exists or not."""
    if not wanted:
        return frozenset()
    values = {"kind": kind, "owners": sorted({each.team for each in wanted})}
    with conn.cursor(row_factory=args_row(Foreign)) as cursor:
        return frozenset(wanted) - set(cursor.execute(GOT, values).fetchall())


def page(conn: Connection[Any], limit: int, cursor: str | None) -> wire.Page[wire.Grant]:
    """List the grants of the entered team in both directions, newest first."""
    after, after_id = pages.decode(cursor, tuple[datetime, str]) if cursor else (None, None)
    limit = pages.capped(limit)
    with conn.cursor(row_factory=kwargs_row(grant)) as rows:
        values = {"limit": limit + 1, "after": after, "after_id": after_id}
        found = rows.execute(PAGE, values).fetchall()
    if len(found) <= limit:
        return wire.Page(found)
    last = found[limit - 1]
    return wire.Page(found[:limit], pages.encode((last.created_at, last.id)))


def one(conn: Connection[Any], grant_id: str) -> wire.Grant:
    """Return a grant and lock it. Raises NotFound."""
    with conn.cursor(row_factory=kwargs_row(grant)) as cursor:
        found = cursor.execute(ONE, {"grant_id": grant_id}).fetchone()
    if found is None:
        raise NotFound(f"there is no grant {grant_id!r}", hint="to list grants: headway grant ls")
    return found


def named(
    conn: Connection[Any], owner: str, grantee: str, name: str, kind: GrantKind
) -> wire.Grant | None:
    """Return the grant of a kind between two teams, locked; None without one."""
    values = {"owner": owner, "grantee": grantee, "name": name, "kind": kind}
    with conn.cursor(row_factory=kwargs_row(grant)) as cursor:
        return cursor.execute(NAMED, values).fetchone()


def count(conn: Connection[Any]) -> int:
    """Count the grants whose last word is that of the entered team."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute(COUNT).fetchone() or 0)


def make(
    conn: Connection[Any],
    grant_id: str,
    owner: str,
    grantee: str,
    name: str,
    kind: GrantKind,
    state: GrantState,
    note: str,
    actor: str,
) -> None:
    """Raises Conflict if another request made the grant at the same time."""
    values = {"grant_id": grant_id, "owner": owner, "grantee": grantee, "name": name}
    try:
        conn.execute(MAKE, {**values, "kind": kind, "state": state, "note": note, "actor": actor})
    except errors.UniqueViolation as error:
        raise Conflict("another request made this grant just now", hint="try again") from error


def change(
    conn: Connection[Any], grant_id: str, state: GrantState, note: str | None, actor: str
) -> None:
    """Set the state; a note of None stays as it is."""
    conn.execute(CHANGE, {"grant_id": grant_id, "state": state, "note": note, "actor": actor})
