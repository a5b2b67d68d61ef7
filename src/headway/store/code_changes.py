"""Writes of what changed in the code of DAGs. Every function takes a connection; none commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection

from headway.store.rows import rows


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that was ``added``, ``removed`` or ``changed``."""

    file: str
    change: str


@dataclass(frozen=True, slots=True)
class CodeChange:
    """The files that a DAG imports now, and those of them that changed. ``is_new``: a change to record."""

    dag_id: str
    imported: list[str]
    files: list[FileChange]
    is_new: bool


# Fenced by LATERAL and OFFSET 0: each by its full key, also with a plan made for an empty table.
RECORD: LiteralString = """
    WITH code AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS code (
            dag_id text, imported text[], files json, is_new boolean)
    ), known AS (
        UPDATE dag SET files = code.imported
        FROM code
        WHERE dag.team_id = %(team_id)s AND dag.dag_id = code.dag_id AND dag.files IS DISTINCT FROM code.imported
    )
    INSERT INTO code_change (team_id, dag_id, number, version, bundle_version, files, created_at)
    SELECT %(team_id)s, code.dag_id, latest.number + 1, found.version, found.bundle_version, code.files, %(now)s
    FROM code CROSS JOIN LATERAL (
        SELECT version, bundle_version FROM dag
        WHERE dag.team_id = %(team_id)s AND dag.dag_id = code.dag_id
        OFFSET 0
    ) AS found CROSS JOIN LATERAL (
        SELECT coalesce(max(number), 0) AS number FROM code_change AS known
        WHERE known.team_id = %(team_id)s AND known.dag_id = code.dag_id
        OFFSET 0
    ) AS latest
    WHERE code.is_new
"""


def record(
    conn: Connection[Any], team_id: int, changes: Sequence[CodeChange], now: datetime
) -> None:
    """Record the code of DAGs that were put or pinned to a bundle before, in this transaction."""
    told = [
        {
            "dag_id": each.dag_id,
            "imported": each.imported,
            "files": [{"file": file.file, "change": file.change} for file in each.files],
            "is_new": each.is_new,
        }
        for each in changes
    ]
    if told:
        conn.execute(RECORD, {"team_id": team_id, "rows": rows(told), "now": now})
