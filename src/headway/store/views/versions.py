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
    SELECT team_id, version, spec::text,
        ARRAY(SELECT task_id FROM regexp_split_to_table(task_ids, E'\\n') AS task_id ORDER BY task_id)
    FROM dag_version WHERE dag_id = %(dag_id)s AND version = ANY(%(versions)s)
"""

# The bundle is a run's: of the latest that had the version, or of those to come.
LIST: LiteralString = """
    SELECT version.version, spec_hash, version.created_at, used.runs, used.last_run_at,
        coalesce(
            CASE WHEN dag.version = version.version THEN dag.bundle_version END,
            (SELECT bundle_version FROM run
                WHERE run.dag_id = version.dag_id AND run.version = version.version
                    AND run.team_id = version.team_id
                ORDER BY created_at DESC LIMIT 1)
        ) AS bundle_version
    FROM dag_version AS version
    JOIN dag ON dag.team_id = version.team_id AND dag.dag_id = version.dag_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS runs, max(created_at) AS last_run_at FROM run
        WHERE run.dag_id = version.dag_id AND run.version = version.version
            AND run.team_id = version.team_id
    ) AS used
    WHERE version.dag_id = %(dag_id)s
        AND (%(version)s::integer IS NULL OR version.version = %(version)s)
        AND (%(before)s::integer IS NULL OR version.version < %(before)s)
    ORDER BY version.version DESC LIMIT %(limit)s
"""

SPEC: LiteralString = """
    SELECT spec::text FROM dag_version WHERE dag_id = %(dag_id)s AND version = %(version)s
"""

OF_RUN: LiteralString = """
    SELECT version, spec ->> 'file', run.bundle_version
    FROM run JOIN dag_version USING (team_id, dag_id, version) WHERE run_id = %(run_id)s
"""


def of_dag(
    conn: Connection[Any], memory: Memory, team_id: int, dag_id: str, wanted: Collection[int]
) -> dict[int, Version]:
    known = {version: memory.versions.get((team_id, dag_id, version)) for version in wanted}
    found = {version: spec for version, spec in known.items() if spec is not None}
    if unread := [version for version in known if version not in found]:
        with conn.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(OF_DAG, {"dag_id": dag_id, "versions": unread}).fetchall()
        for team, version, text, names in rows:
            found[version] = Version(decode(text), tuple(names))
            memory.versions.put((team, dag_id, version), found[version])
    return found


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
    values = {"dag_id": dag_id, "before": before, "version": None, "limit": limit + 1}
    with conn.cursor(row_factory=class_row(wire.VersionSummary)) as rows_cursor:
        rows = rows_cursor.execute(LIST, values).fetchall()
    more = pages.encode((rows[limit - 1].version,)) if len(rows) > limit else None
    return wire.Page(rows[:limit], more)


def spec_text(conn: Connection[Any], dag_id: str, version: int) -> str:
    with conn.cursor(row_factory=scalar_row) as cursor:
        text: str | None = cursor.execute(SPEC, {"dag_id": dag_id, "version": version}).fetchone()
    if text is None:
        raise unknown(conn, dag_id, version)
    return text


def pinned(conn: Connection[Any], dag_id: str, version: int) -> Pinned:
    spec = decode(spec_text(conn, dag_id, version))
    values = {"dag_id": dag_id, "before": None, "version": version, "limit": 1}
    with conn.cursor(row_factory=class_row(wire.VersionSummary)) as cursor:
        found = cursor.execute(LIST, values).fetchone()
    assert found is not None, "versions are not removed"
    return Pinned(version, spec.file, found.bundle_version)


def of_run(conn: Connection[Any], run_id: str) -> Pinned:
    """The run exists."""
    with conn.cursor(row_factory=args_row(Pinned)) as cursor:
        found = cursor.execute(OF_RUN, {"run_id": run_id}).fetchone()
    assert found is not None
    return found


def unknown(conn: Connection[Any], dag_id: str, version: int) -> NotFound:
    dags.require(conn, dag_id)
    return NotFound(
        f"the DAG {dag_id!r} has no version {version}",
        hint=f"headway show {dag_id} lists its versions",
    )
