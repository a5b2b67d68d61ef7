"""Versions of DAGs as they were registered. A version never changes, so it is read once."""

from collections.abc import Collection
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import args_row, class_row, scalar_row, tuple_row

from headway import wire
from headway.errors import NotFound
from headway.spec.model import decode
from headway.store.views import dags, pages
from headway.store.views.memory import Memory, Version

# The ids in the order of the database's own collation, in which rows come by key.
OF_DAG: LiteralString = """
    SELECT team_id, number, spec::text,
        ARRAY(SELECT task_id FROM regexp_split_to_table(task_ids, E'\\n') AS task_id ORDER BY task_id)
    FROM dag_version WHERE dag_id = %(dag_id)s AND number = ANY(%(numbers)s)
"""

# The bundle is a run's: of the latest that had the version, or of those to come.
LIST: LiteralString = """
    SELECT version.number AS version, spec_hash, version.created_at, used.runs, used.last_run_at,
        coalesce(
            CASE WHEN dag.number = version.number THEN dag.bundle_version END,
            (SELECT bundle_version FROM run
                WHERE run.dag_id = version.dag_id AND run.number = version.number
                    AND run.team_id = version.team_id
                ORDER BY created_at DESC LIMIT 1)
        ) AS bundle_version
    FROM dag_version AS version
    JOIN dag ON dag.team_id = version.team_id AND dag.dag_id = version.dag_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS runs, max(created_at) AS last_run_at FROM run
        WHERE run.dag_id = version.dag_id AND run.number = version.number
            AND run.team_id = version.team_id
    ) AS used
    WHERE version.dag_id = %(dag_id)s
        AND (%(number)s::integer IS NULL OR version.number = %(number)s)
        AND (%(before)s::integer IS NULL OR version.number < %(before)s)
    ORDER BY version.number DESC LIMIT %(limit)s
"""

SPEC: LiteralString = """
    SELECT spec::text FROM dag_version WHERE dag_id = %(dag_id)s AND number = %(number)s
"""

OF_RUN: LiteralString = """
    SELECT number, spec ->> 'file', run.bundle_version
    FROM run JOIN dag_version USING (team_id, dag_id, number) WHERE run_id = %(run_id)s
"""


def of_dag(
    conn: Connection[Any], memory: Memory, team_id: int, dag_id: str, numbers: Collection[int]
) -> dict[int, Version]:
    found = {number: memory.versions.get((team_id, dag_id, number)) for number in numbers}
    unread = [number for number, version in found.items() if version is None]
    if unread:
        with conn.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(OF_DAG, {"dag_id": dag_id, "numbers": unread}).fetchall()
        for team, number, text, names in rows:
            version = Version(decode(text), tuple(names))
            memory.versions.put((team, dag_id, number), version)
            found[number] = version
    return {number: version for number, version in found.items() if version is not None}


class Pinned(msgspec.Struct, frozen=True):
    """The source of a version: its file, and the latest bundle of its runs."""

    version: int
    file: str
    bundle_version: str | None


def page(
    conn: Connection[Any], dag_id: str, limit: int, cursor: str | None
) -> wire.Page[wire.VersionSummary]:
    """Newest first."""
    limit = pages.capped(limit)
    dags.require(conn, dag_id)
    before = pages.decode(cursor, tuple[int])[0] if cursor else None
    values = {"dag_id": dag_id, "before": before, "number": None, "limit": limit + 1}
    with conn.cursor(row_factory=class_row(wire.VersionSummary)) as rows_cursor:
        rows = rows_cursor.execute(LIST, values).fetchall()
    more = pages.encode((rows[limit - 1].version,)) if len(rows) > limit else None
    return wire.Page(rows[:limit], more)


def spec_text(conn: Connection[Any], dag_id: str, number: int) -> str:
    with conn.cursor(row_factory=scalar_row) as cursor:
        text: str | None = cursor.execute(SPEC, {"dag_id": dag_id, "number": number}).fetchone()
    if text is None:
        raise unknown(conn, dag_id, number)
    return text


def pinned(conn: Connection[Any], dag_id: str, number: int) -> Pinned:
    spec = decode(spec_text(conn, dag_id, number))
    values = {"dag_id": dag_id, "before": None, "number": number, "limit": 1}
    with conn.cursor(row_factory=class_row(wire.VersionSummary)) as cursor:
        found = cursor.execute(LIST, values).fetchone()
    assert found is not None, "versions are not removed"
    return Pinned(number, spec.file, found.bundle_version)


def of_run(conn: Connection[Any], run_id: str) -> Pinned:
    """The run exists."""
    with conn.cursor(row_factory=args_row(Pinned)) as cursor:
        found = cursor.execute(OF_RUN, {"run_id": run_id}).fetchone()
    assert found is not None
    return found


def unknown(conn: Connection[Any], dag_id: str, number: int) -> NotFound:
    dags.require(conn, dag_id)
    return NotFound(
        f"the DAG {dag_id!r} has no version {number}",
        hint=f"headway show {dag_id} lists its versions",
    )
