"""Views of tokens, never with the token itself, which only its owner knows."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from headway import wire
from headway.errors import NotFound
from headway.store.views import pages

# Without that of the agent that the server starts: it is made anew by each start.
PAGE: LiteralString = """
    SELECT token_id AS id, api_token.name, person.name AS user, role, scope, verbs, dag_ids,
        api_token.created_at, expires_at, last_used_at, revoked_at
    FROM api_token JOIN person USING (person_id)
    WHERE (%(token_id)s::text IS NULL OR token_id = %(token_id)s) AND token_id <> 'local-agent'
        AND (%(person_id)s::integer IS NULL OR person_id = %(person_id)s)
        AND (%(after)s::timestamptz IS NULL
            OR (api_token.created_at, token_id) < (%(after)s, %(after_id)s))
    ORDER BY api_token.created_at DESC, token_id DESC LIMIT %(limit)s
"""


def page(
    conn: Connection[Any], person_id: int | None, limit: int, cursor: str | None
) -> wire.Page[wire.Token]:
    """List tokens of one user, or of all in the team."""
    after, after_id = pages.decode(cursor, tuple[datetime, str]) if cursor else (None, None)
    limit = pages.capped(limit)
    values = {"token_id": None, "person_id": person_id, "limit": limit + 1}
    found = tokens(conn, {**values, "after": after, "after_id": after_id})
    if len(found) <= limit:
        return wire.Page(found)
    last = found[limit - 1]
    return wire.Page(found[:limit], pages.encode((last.created_at, last.id)))


def one(conn: Connection[Any], token_id: str, person_id: int | None) -> wire.Token:
    """NotFound also for a token of somebody other than ``person_id``."""
    values = {"token_id": token_id, "person_id": person_id, "limit": 1}
    for token in tokens(conn, {**values, "after": None, "after_id": None}):
        return token
    raise NotFound(f"there is no token {token_id!r}", hint="to list tokens: headway token ls")


def tokens(conn: Connection[Any], values: dict[str, Any]) -> list[wire.Token]:
    with conn.cursor(row_factory=class_row(wire.Token)) as cursor:
        return cursor.execute(PAGE, values).fetchall()
