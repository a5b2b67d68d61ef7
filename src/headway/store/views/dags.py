"""What the API shows of DAGs, their versions and the files that could not be loaded."""

from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from headway import wire
from headway.errors import NotFound
from headway.spec import model
from headway.spec.errors import did_you_mean
from headway.store.views import pages

LIST: LiteralString = """
    SELECT dag.dag_id, dag.file, dag.number AS version, dag.bundle_version,
        spec -> 'schedule' AS schedule, coalesce(spec -> 'tags', '[]') AS tags,
        paused_at, paused_by, missing_since, next_slot_at AS next_run_at,
        latest.state AS last_run_state, latest.created_at AS last_run_at, updated_at
    FROM dag
    JOIN dag_version USING (team_id, dag_id, number)
    LEFT JOIN LATERAL (
        SELECT state, created_at FROM run
        WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
        ORDER BY logical_date DESC, run_id LIMIT 1
    ) AS latest ON true
    WHERE (%(dag_id)s::text IS NULL OR dag.dag_id = %(dag_id)s)
        AND (%(after)s::text IS NULL OR dag.dag_id > %(after)s)
        AND (%(with_missing)s OR missing_since IS NULL)
    ORDER BY dag.dag_id LIMIT %(limit)s
"""

SPEC: LiteralString = """
    SELECT spec::text FROM dag JOIN dag_version USING (team_id, dag_id, number)
    WHERE dag_id = %(dag_id)s
"""

VERSIONS: LiteralString = """
    SELECT number AS version, spec_hash, created_at FROM dag_version
    WHERE dag_id = %(dag_id)s ORDER BY number DESC LIMIT 100
"""

IDS: LiteralString = "SELECT dag_id FROM dag ORDER BY dag_id LIMIT 10000"

IMPORT_ERRORS: LiteralString = """
    SELECT file, line, message, at FROM import_error
    WHERE %(after)s::text IS NULL OR file > %(after)s
    ORDER BY file LIMIT %(limit)s
"""


def page(conn: Connection[Any], limit: int, cursor: str | None) -> wire.Page[wire.DagSummary]:
    limit = pages.capped(limit)
    after = pages.decode(cursor, tuple[str])[0] if cursor else None
    rows = summaries(conn, dag_id=None, after=after, with_missing=False, limit=limit + 1)
    more = pages.encode((rows[limit - 1].dag_id,)) if len(rows) > limit else None
    return wire.Page(rows[:limit], more)


def summaries(
    conn: Connection[Any], *, dag_id: str | None, after: str | None, with_missing: bool, limit: int
) -> list[wire.DagSummary]:
    values = {"dag_id": dag_id, "after": after, "with_missing": with_missing, "limit": limit}
    with conn.cursor(row_factory=class_row(wire.DagSummary)) as cursor:
        return cursor.execute(LIST, values).fetchall()


def detail(conn: Connection[Any], dag_id: str) -> wire.DagDetail:
    found = summaries(conn, dag_id=dag_id, after=None, with_missing=True, limit=1)
    if not found:
        raise unknown(conn, dag_id)
    with conn.cursor(row_factory=class_row(wire.DagVersion)) as cursor:
        versions = cursor.execute(VERSIONS, {"dag_id": dag_id}).fetchall()
    return wire.DagDetail(
        **msgspec.structs.asdict(found[0]),
        spec=msgspec.Raw(spec_text(conn, dag_id).encode()),
        versions=versions,
    )


def spec_text(conn: Connection[Any], dag_id: str) -> str:
    with conn.cursor(row_factory=scalar_row) as cursor:
        text: str | None = cursor.execute(SPEC, {"dag_id": dag_id}).fetchone()
    if text is None:
        raise unknown(conn, dag_id)
    return text


def spec(conn: Connection[Any], dag_id: str) -> model.Dag:
    """The current version."""
    return model.decode(spec_text(conn, dag_id))


def require(conn: Connection[Any], dag_id: str) -> None:
    """NotFound, with what was probably meant, when there is no such DAG."""
    spec_text(conn, dag_id)


def unknown(conn: Connection[Any], dag_id: str) -> NotFound:
    with conn.cursor(row_factory=scalar_row) as cursor:
        known: list[str] = cursor.execute(IDS).fetchall()
    advice = did_you_mean(dag_id, known) or "headway ls shows the DAGs there are"
    return NotFound(f"there is no DAG {dag_id!r}", hint=advice)


def import_errors(
    conn: Connection[Any], limit: int, cursor: str | None
) -> wire.Page[wire.ImportError]:
    limit = pages.capped(limit)
    after = pages.decode(cursor, tuple[str])[0] if cursor else None
    with conn.cursor(row_factory=class_row(wire.ImportError)) as rows_cursor:
        rows = rows_cursor.execute(IMPORT_ERRORS, {"after": after, "limit": limit + 1}).fetchall()
    more = pages.encode((rows[limit - 1].file,)) if len(rows) > limit else None
    return wire.Page(rows[:limit], more)
