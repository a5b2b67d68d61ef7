"""Views of users."""

from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from headway import wire
from headway.errors import NotFound
from headway.store.views import pages

PAGE: LiteralString = """
    SELECT name, display_name, role, is_service, by_map, has_password, person.created_at, person.created_by, disabled_at
    FROM membership JOIN person USING (person_id)
    WHERE (%(name)s::text IS NULL OR name = %(name)s)
        AND (%(after)s::text IS NULL OR name > %(after)s)
    ORDER BY name LIMIT %(limit)s
"""


def page(conn: Connection[Any], limit: int, cursor: str | None) -> wire.Page[wire.User]:
    after = pages.decode(cursor, tuple[str])[0] if cursor else None
    limit = pages.capped(limit)
    found = users(conn, None, after, limit + 1)
    more = pages.encode((found[limit - 1].name,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)


def one(conn: Connection[Any], name: str) -> wire.User:
    for user in users(conn, name, None, 1):
        return user
    raise NotFound(f"there is no user {name!r}", hint="to list users: headway user ls")


def users(
    conn: Connection[Any], name: str | None, after: str | None, limit: int
) -> list[wire.User]:
    with conn.cursor(row_factory=class_row(wire.User)) as cursor:
        values = {"name": name, "after": after, "limit": limit}
        return cursor.execute(PAGE, values).fetchall()
