"""Reads of what changed in the code of a DAG."""

from collections.abc import Sequence
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from headway import wire
from headway.errors import NotFound
from headway.store.views import dags, pages

LIST: LiteralString = """
    SELECT number, version, bundle_version, files, created_at FROM code_change
    WHERE dag_id = %(dag_id)s AND (%(before)s::integer IS NULL OR number < %(before)s)
    ORDER BY number DESC LIMIT %(limit)s
"""

# Both ends of a comparison: the change, and the one that is asked for or came before it.
ENDS: LiteralString = """
    SELECT number, version, bundle_version, files, created_at FROM code_change
    WHERE dag_id = %(dag_id)s AND (number = %(number)s OR number = coalesce(%(since)s::integer, (
        SELECT max(number) FROM code_change AS earlier
        WHERE earlier.dag_id = %(dag_id)s AND earlier.number < %(number)s)))
    ORDER BY number
"""

TOUCHED: LiteralString = """
    SELECT DISTINCT file ->> 'file' FROM code_change CROSS JOIN LATERAL json_array_elements(files) AS file
    WHERE dag_id = %(dag_id)s AND number > %(since)s AND number <= %(number)s
"""

IMPORTED: LiteralString = "SELECT coalesce(files, ARRAY[file]) FROM dag WHERE dag_id = %(dag_id)s"


def page(
    conn: Connection[Any], dag_id: str, limit: int, cursor: str | None
) -> wire.Page[wire.CodeChange]:
    """Newest first."""
    limit = pages.capped(limit)
    dags.require(conn, dag_id)
    before = pages.decode(cursor, tuple[int])[0] if cursor else None
    values = {"dag_id": dag_id, "before": before, "limit": limit + 1}
    with conn.cursor(row_factory=class_row(wire.CodeChange)) as rows_cursor:
        rows = [typed(row) for row in rows_cursor.execute(LIST, values)]
    more = pages.encode((rows[limit - 1].number,)) if len(rows) > limit else None
    return wire.Page(rows[:limit], more)


def ends(
    conn: Connection[Any], dag_id: str, number: int, since: int | None
) -> tuple[wire.CodeChange | None, wire.CodeChange]:
    """Return a change, and the earlier one to compare it with; None for the first. Raises NotFound."""
    dags.require(conn, dag_id)
    values = {"dag_id": dag_id, "number": number, "since": since}
    with conn.cursor(row_factory=class_row(wire.CodeChange)) as cursor:
        found = {row.number: row for row in map(typed, cursor.execute(ENDS, values))}
    for asked in (number, since):
        if asked is not None and asked not in found:
            raise NotFound(f"the code of DAG {dag_id!r} has no change {asked}")
    change = found.pop(number)
    return next(iter(found.values()), None), change


def typed(row: wire.CodeChange) -> wire.CodeChange:
    """The files come as the JSON that they are stored as."""
    return msgspec.convert(msgspec.to_builtins(row), wire.CodeChange)


def touched(conn: Connection[Any], dag_id: str, since: int, number: int) -> Sequence[str]:
    """Return the files that changed after ``since``, up to ``number``."""
    values = {"dag_id": dag_id, "since": since, "number": number}
    with conn.cursor(row_factory=scalar_row) as cursor:
        return sorted(cursor.execute(TOUCHED, values).fetchall())


def imported(conn: Connection[Any], dag_id: str) -> set[str]:
    """Return the files that the DAG's file imports, itself included, as far as they are known."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute(IMPORTED, {"dag_id": dag_id}).fetchone() or ())
