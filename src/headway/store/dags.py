"""Reads and writes of DAGs and their versions. Every function takes a connection; none commits.

A change of a team's DAGs holds ``lock`` on the team first, so that versions are
numbered without gaps and two loaders never meet. Rows of ``dag`` are then locked in the order of
their ids, as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import args_row, class_row, scalar_row

from headway.core.strategies import Strategy
from headway.errors import Conflict, NotFound
from headway.spec.model import Dag, decode
from headway.store.clock import clock


@dataclass(frozen=True, slots=True)
class Known:
    """The current version of a DAG."""

    dag_id: str
    version: int
    spec_hash: str
    bundle_version: str
    file: str
    missing: bool
    warnings: list[str]
    files: list[str] | None = None  # that its file imported; None: not known yet


class Standing(msgspec.Struct, frozen=True):
    """The versions to which new runs of a DAG are pinned; ``missing``: no runs are possible."""

    version: int
    bundle_version: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Version:
    """A spec to make the current one, new or not."""

    dag_id: str
    file: str
    spec_hash: str
    spec: str
    max_active_runs: int
    scheduled: bool
    retimed: bool  # the timetable is to be asked at once
    goes_on: bool = False  # its next run begins when the last has ended
    run_strategy: str = Strategy.PARALLEL


# NO KEY: rows that hold the team by a foreign key go on being written.
LOCK: LiteralString = "SELECT FROM team WHERE team_id = %(team_id)s FOR NO KEY UPDATE"

LOCK_IF_FREE: LiteralString = f"{LOCK} SKIP LOCKED"

# Those that come from files.
KNOWN: LiteralString = """
    SELECT dag_id, version, spec_hash, bundle_version, file, missing_since IS NOT NULL AS missing,
        warnings, files
    FROM dag JOIN dag_version USING (team_id, dag_id, version)
    WHERE team_id = %(team_id)s AND dag_id <> '~canary'
    ORDER BY dag_id
"""

# Fenced by LATERAL and OFFSET 0: each by its full key, also with a plan made for an empty table.
SPECS: LiteralString = """
    SELECT spec::text FROM unnest(%(dag_ids)s::text[], %(versions)s::integer[]) AS asked (dag_id, version)
    CROSS JOIN LATERAL (
        SELECT spec FROM dag_version AS v
        WHERE v.team_id = %(team_id)s AND v.dag_id = asked.dag_id AND v.version = asked.version
        OFFSET 0
    ) AS found
"""

CURRENT: LiteralString = """
    SELECT spec::text, missing_since IS NOT NULL
    FROM dag JOIN dag_version USING (team_id, dag_id, version)
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""

EXISTS: LiteralString = "SELECT FROM dag WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s"

STANDING: LiteralString = """
    SELECT version, bundle_version, missing_since IS NOT NULL FROM dag
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""

FIRST_SEEN: LiteralString = """
    SELECT created_at FROM dag_version
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s ORDER BY version LIMIT 1
"""

LOCK_DAGS: LiteralString = """
    SELECT FROM dag WHERE team_id = %(team_id)s AND dag_id = ANY(%(dag_ids)s)
    ORDER BY dag_id FOR NO KEY UPDATE
"""

ADD_VERSIONS: LiteralString = """
    INSERT INTO dag_version (team_id, dag_id, version, spec_hash, spec, created_at)
    SELECT %(team_id)s, wanted.dag_id, latest.version + 1, wanted.spec_hash, wanted.spec, %(now)s
    FROM unnest(%(dag_ids)s::text[], %(spec_hashes)s::text[], %(specs)s::json[])
        AS wanted (dag_id, spec_hash, spec)
    CROSS JOIN LATERAL (
        SELECT coalesce(max(version), 0) AS version FROM dag_version AS v
        WHERE v.team_id = %(team_id)s AND v.dag_id = wanted.dag_id
    ) AS latest
    ON CONFLICT (team_id, dag_id, spec_hash) DO NOTHING
"""

PUT: LiteralString = """
    WITH wanted AS MATERIALIZED (
        SELECT wanted.*, version.version
        FROM unnest(%(dag_ids)s::text[], %(spec_hashes)s::text[], %(files)s::text[],
            %(max_active_runs)s::integer[], %(run_strategies)s::text[], %(scheduled)s::boolean[],
            %(goes_on)s::boolean[]
        ) AS wanted (dag_id, spec_hash, file, max_active_runs, run_strategy, scheduled, goes_on)
        CROSS JOIN LATERAL (
            SELECT version FROM dag_version AS v
            WHERE v.team_id = %(team_id)s AND v.dag_id = wanted.dag_id
                AND v.spec_hash = wanted.spec_hash
            OFFSET 0
        ) AS version
    ), put AS (
        INSERT INTO dag (team_id, dag_id, version, bundle_version, file, max_active_runs, run_strategy,
            next_fire_at, goes_on, updated_at)
        SELECT %(team_id)s, dag_id, version, %(bundle_version)s, file, max_active_runs, run_strategy,
            CASE WHEN scheduled THEN %(now)s END, goes_on, %(now)s
        FROM wanted
        ON CONFLICT (team_id, dag_id) DO UPDATE SET
            version = excluded.version,
            bundle_version = excluded.bundle_version,
            file = excluded.file,
            max_active_runs = excluded.max_active_runs,
            run_strategy = excluded.run_strategy,
            missing_since = NULL,
            next_fire_at = CASE WHEN excluded.dag_id = ANY(%(retimed)s)
                THEN excluded.next_fire_at ELSE dag.next_fire_at END,
            goes_on = excluded.goes_on,
            updated_at = excluded.updated_at
        RETURNING dag_id, version, file
    )
    INSERT INTO event (team_id, at, subject, dag_id, version, name, actor, reason)
    SELECT %(team_id)s, %(now)s, 'dag', dag_id, version, 'load', 'loader',
        jsonb_build_object('kind', 'about', 'what', file) FROM put
"""

REPIN: LiteralString = """
    UPDATE dag SET bundle_version = %(bundle_version)s, updated_at = %(now)s
    WHERE team_id = %(team_id)s AND dag_id = ANY(%(dag_ids)s)
"""

MISS: LiteralString = """
    WITH missed AS (
        UPDATE dag SET missing_since = %(now)s, updated_at = %(now)s
        WHERE team_id = %(team_id)s AND dag_id = ANY(%(dag_ids)s) AND missing_since IS NULL
        RETURNING dag_id, version, file
    )
    INSERT INTO event (team_id, at, subject, dag_id, version, name, actor, reason)
    SELECT %(team_id)s, %(now)s, 'dag', dag_id, version, 'miss', 'loader',
        jsonb_build_object('kind', 'text', 'text', file || ' no longer defines it')
    FROM missed ORDER BY dag_id
"""

WARN: LiteralString = """
    UPDATE dag SET warnings = ARRAY(SELECT json_array_elements_text(found.warnings)), updated_at = %(now)s
    FROM unnest(%(dag_ids)s::text[], %(warnings)s::json[]) AS found (dag_id, warnings)
    WHERE dag.team_id = %(team_id)s AND dag.dag_id = found.dag_id
"""

PAUSE: LiteralString = """
    WITH paused AS (
        UPDATE dag SET paused_at = %(now)s, paused_by = %(actor)s, updated_at = %(now)s
        WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND paused_at IS NULL
        RETURNING dag_id
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor)
    SELECT %(team_id)s, %(now)s, 'dag', dag_id, 'pause', %(actor)s FROM paused
    RETURNING true
"""

RESUME: LiteralString = """
    WITH resumed AS (
        UPDATE dag SET paused_at = NULL, paused_by = NULL, updated_at = %(now)s
        WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND paused_at IS NOT NULL
        RETURNING dag_id
    )
    INSERT INTO event (team_id, at, subject, dag_id, name, actor)
    SELECT %(team_id)s, %(now)s, 'dag', dag_id, 'resume', %(actor)s FROM resumed
    RETURNING true
"""


def lock(conn: Connection[Any], team_id: int) -> datetime:
    """Lock changes of the team's DAGs. Returns the database's time."""
    conn.execute(LOCK, {"team_id": team_id})
    return clock(conn)


def lock_if_free(conn: Connection[Any], team_id: int) -> bool:
    """Lock changes of the team's DAGs, unless somebody else has. Returns whether it did."""
    return conn.execute(LOCK_IF_FREE, {"team_id": team_id}).fetchone() is not None


def known(conn: Connection[Any], team_id: int) -> list[Known]:
    with conn.cursor(row_factory=class_row(Known)) as cursor:
        return cursor.execute(KNOWN, {"team_id": team_id}).fetchall()


def specs(conn: Connection[Any], team_id: int, versions: Sequence[tuple[str, int]]) -> list[Dag]:
    """Return the specs of (DAG, version) pairs that exist, in any order."""
    names = [dag_id for dag_id, _ in versions]
    values = {
        "team_id": team_id,
        "dag_ids": names,
        "versions": [version for _, version in versions],
    }
    with conn.cursor(row_factory=scalar_row) as cursor:
        texts = cursor.execute(SPECS, values).fetchall()
    return [readable(text, ", ".join(sorted(set(names)))) for text in texts]


def spec(conn: Connection[Any], team_id: int, dag_id: str, version: int | None = None) -> Dag:
    """Return a version of a DAG; None: the current one. Raises NotFound."""
    if version is None:
        return current(conn, team_id, dag_id)[0]
    found = specs(conn, team_id, [(dag_id, version)])
    if not found:
        raise unknown(f"{dag_id} in version {version}")
    return found[0]


def current(conn: Connection[Any], team_id: int, dag_id: str) -> tuple[Dag, bool]:
    """Return the current version of a DAG, and whether its file was removed or no longer defines it.

    Raises NotFound.
    """
    row = conn.execute(CURRENT, {"team_id": team_id, "dag_id": dag_id}).fetchone()
    if row is None:
        raise unknown(dag_id)
    text, is_missing = row
    return readable(text, dag_id), is_missing


def unknown(dag: str) -> NotFound:
    return NotFound(f"there is no DAG {dag}", hint="to list DAGs: headway ls")


def check_known(conn: Connection[Any], team_id: int, dag_id: str) -> None:
    """Check that the DAG exists, even if its version cannot be read. Raises NotFound."""
    if conn.execute(EXISTS, {"team_id": team_id, "dag_id": dag_id}).fetchone() is None:
        raise unknown(dag_id)


def readable(text: str, dag_id: str) -> Dag:
    try:
        return decode(text)
    except msgspec.DecodeError as error:
        raise Conflict(
            f"a stored version of DAG {dag_id} cannot be read: {error}",
            hint="to continue its runs, start the Headway version that stored it or a newer one; "
            "to end them, use headway cancel",
        ) from error


def first_seen(conn: Connection[Any], team_id: int, dag_id: str) -> datetime | None:
    """Return the start of the schedule of a DAG without ``start_date``."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(FIRST_SEEN, {"team_id": team_id, "dag_id": dag_id}).fetchone()


def put(
    conn: Connection[Any],
    team_id: int,
    versions: Sequence[Version],
    bundle_version: str,
    now: datetime,
) -> None:
    """Make each the current version of its DAG, in the bundle.

    A known specification keeps its version.
    """
    values = {
        "team_id": team_id,
        "bundle_version": bundle_version,
        "now": now,
        "dag_ids": [version.dag_id for version in versions],
        "spec_hashes": [version.spec_hash for version in versions],
        "specs": [version.spec for version in versions],
        "files": [version.file for version in versions],
        "max_active_runs": [version.max_active_runs for version in versions],
        "run_strategies": [version.run_strategy for version in versions],
        "scheduled": [version.scheduled for version in versions],
        "goes_on": [version.goes_on for version in versions],
        "retimed": [version.dag_id for version in versions if version.retimed],
    }
    conn.execute(ADD_VERSIONS, values)
    conn.execute(LOCK_DAGS, values)
    conn.execute(PUT, values)


def repin(
    conn: Connection[Any], team_id: int, dag_ids: Sequence[str], bundle_version: str, now: datetime
) -> None:
    """Let new runs of these DAGs use this bundle. Their specs are unchanged."""
    values = {
        "team_id": team_id,
        "dag_ids": list(dag_ids),
        "bundle_version": bundle_version,
        "now": now,
    }
    conn.execute(LOCK_DAGS, values)
    conn.execute(REPIN, values)


def miss(conn: Connection[Any], team_id: int, dag_ids: Sequence[str], now: datetime) -> None:
    values = {"team_id": team_id, "dag_ids": list(dag_ids), "now": now}
    conn.execute(LOCK_DAGS, values)
    conn.execute(MISS, values)


def warn(
    conn: Connection[Any], team_id: int, warned: Sequence[tuple[str, list[str]]], now: datetime
) -> None:
    """Replace the warnings about each DAG's file."""
    values = {
        "team_id": team_id,
        "dag_ids": [dag_id for dag_id, _ in warned],
        "warnings": [msgspec.json.encode(warnings).decode() for _, warnings in warned],
        "now": now,
    }
    conn.execute(LOCK_DAGS, values)
    conn.execute(WARN, values)


def pause(conn: Connection[Any], team_id: int, dag_id: str, actor: str, now: datetime) -> bool:
    """Pause the DAG: no new scheduled runs. Returns whether anything changed."""
    values = {"team_id": team_id, "dag_id": dag_id, "actor": actor, "now": now}
    return conn.execute(PAUSE, values).fetchone() is not None


def resume(conn: Connection[Any], team_id: int, dag_id: str, actor: str, now: datetime) -> bool:
    """Write the change. Returns whether anything changed."""
    values = {"team_id": team_id, "dag_id": dag_id, "actor": actor, "now": now}
    return conn.execute(RESUME, values).fetchone() is not None


def standing(conn: Connection[Any], team_id: int, dag_id: str) -> Standing:
    """Return the standing of a known DAG."""
    with conn.cursor(row_factory=args_row(Standing)) as cursor:
        found = cursor.execute(STANDING, {"team_id": team_id, "dag_id": dag_id}).fetchone()
    assert found is not None
    return found
