"""Views of DAGs, their versions and import errors."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, dict_row, scalar_row, tuple_row

from headway import wire
from headway.core import schedules
from headway.core.words import counted
from headway.errors import NotFound, UsageError
from headway.spec import model
from headway.spec.errors import did_you_mean
from headway.store.views import briefs, pages
from headway.store.views.runs import check_state

LATEST: LiteralString = """
    LEFT JOIN LATERAL (
        SELECT state, created_at FROM run
        WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
        ORDER BY logical_date DESC, run_id LIMIT 1
    ) AS latest ON true
"""

MATCHING: LiteralString = """
    (%(q)s::text IS NULL OR strpos(lower(dag.dag_id || ' ' || description), lower(%(q)s)) > 0)
    AND (%(tag)s::text IS NULL OR tags::jsonb ? %(tag)s)
    AND (%(owner)s::text IS NULL OR owner = %(owner)s)
    AND (%(paused)s::boolean IS NULL OR (paused_at IS NOT NULL) = %(paused)s)
"""

LATELY: LiteralString = """
    (%(state)s::text IS NULL OR latest.state = %(state)s)
    AND (%(ran)s::boolean IS NULL OR (latest.state IS NOT NULL) = %(ran)s)
"""

# Of the version only what was taken out of the spec when it was written: a list parses none.
LIST: LiteralString = f"""
    SELECT dag.dag_id, dag.file, dag.version, dag.bundle_version,
        schedule, tags, description, owner, tasks,
        paused_at, paused_by, missing_since, next_fire_at AS next_run_at,
        latest.state AS last_run_state, latest.created_at AS last_run_at, updated_at, warnings,
        (SELECT count(*) FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
            AND state = 'running') AS running,
        (SELECT count(*) FROM run WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
            AND state = 'queued') AS queued,
        trouble.line, trouble.message, trouble.at
    FROM dag
    JOIN dag_version USING (team_id, dag_id, version)
    LEFT JOIN import_error AS trouble USING (team_id, file)
    {LATEST}
    WHERE (%(dag_ids)s::text[] IS NULL OR dag.dag_id = ANY (%(dag_ids)s))
        AND (%(after)s::text IS NULL OR dag.dag_id > %(after)s)
        AND (%(with_missing)s OR missing_since IS NULL)
        AND {MATCHING} AND {LATELY}
    ORDER BY dag.dag_id LIMIT %(limit)s
"""

COUNTS: LiteralString = f"""
    SELECT latest.state, count(*) AS total, count(paused_at) AS paused
    FROM dag JOIN dag_version USING (team_id, dag_id, version) {LATEST}
    WHERE missing_since IS NULL AND {MATCHING}
    GROUP BY latest.state
"""

# Any order but that by name needs all DAGs. A page goes on behind a DAG, wherever that stands now.
ORDERS: Final[dict[str, LiteralString]] = {
    "-name": "dag.dag_id DESC",
    "owner": "nullif(owner, '') NULLS LAST, dag.dag_id",
    "-owner": "nullif(owner, '') DESC NULLS LAST, dag.dag_id",
    "next_run": "CASE WHEN paused_at IS NULL THEN next_fire_at END NULLS LAST, dag.dag_id",
    "-next_run": "CASE WHEN paused_at IS NULL THEN next_fire_at END DESC NULLS LAST, dag.dag_id",
    "last_run": "latest.created_at NULLS LAST, dag.dag_id",
    "-last_run": "latest.created_at DESC NULLS LAST, dag.dag_id",
}
SORTS: Final = ("name", *ORDERS)


def in_order(order: LiteralString) -> LiteralString:
    return f"""
        WITH sorted AS MATERIALIZED (
            SELECT dag.dag_id, row_number() OVER (ORDER BY {order}) AS place
            FROM dag JOIN dag_version USING (team_id, dag_id, version) {LATEST}
            WHERE missing_since IS NULL AND {MATCHING} AND {LATELY}
        )
        SELECT dag_id, place FROM sorted
        WHERE place > coalesce((SELECT place FROM sorted WHERE dag_id = %(after)s), %(place)s)
        ORDER BY place LIMIT %(limit)s
    """


SPEC: LiteralString = """
    SELECT spec::text FROM dag JOIN dag_version USING (team_id, dag_id, version)
    WHERE dag_id = %(dag_id)s
"""

VERSIONS: LiteralString = """
    SELECT version, spec_hash, created_at FROM dag_version
    WHERE dag_id = %(dag_id)s ORDER BY version DESC LIMIT 100
"""

AIRFLOW_RUNS: LiteralString = "SELECT runs FROM airflow_dag WHERE dag_id = %(dag_id)s"

IS_KNOWN: LiteralString = "SELECT FROM dag WHERE dag_id = %(dag_id)s"

IDS: LiteralString = "SELECT dag_id FROM dag ORDER BY dag_id LIMIT 10000"

BROKEN_FILES: LiteralString = "SELECT count(*)::integer FROM import_error"

IMPORT_ERRORS: LiteralString = """
    SELECT file, line, message, at, coalesce(since, at) AS since, bundle_version,
        (SELECT coalesce(json_agg(json_build_object('dag_id', dag_id, 'version', version) ORDER BY dag_id), '[]')
        FROM dag WHERE dag.team_id = import_error.team_id AND dag.file = import_error.file
            AND missing_since IS NULL) AS dags
    FROM import_error
    WHERE %(after)s::text IS NULL OR file > %(after)s
    ORDER BY file LIMIT %(limit)s
"""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A choice of DAGs; ``state`` is that of their latest run, ``ran``: whether they have one. None: any."""

    q: str | None = None
    tag: str | None = None
    owner: str | None = None
    paused: bool | None = None
    state: str | None = None
    ran: bool | None = None


AT_ONCE: Final = 250  # DAGs that one statement reads: each may have 4,000 dates
ANY: Final = Filter()


def page(
    conn: Connection[Any], wanted: Filter, sort: str, limit: int, cursor: str | None
) -> wire.DagPage:
    """Return one page. ``sort``: one of ``SORTS``. What has no owner,
    next or latest run comes last in either direction.
    """
    limit = pages.capped(limit)
    if wanted.state is not None:
        check_state(wanted.state)
    if sort not in SORTS:
        raise UsageError(f"{sort!r} is not a valid order", hint=f"one of: {', '.join(SORTS)}")
    totals = None if cursor else totals_of(conn, wanted)
    if sort == "name":
        after = pages.decode(cursor, tuple[str])[0] if cursor else None
        rows = summaries(conn, after=after, wanted=wanted, limit=limit + 1)
        more = pages.encode((rows[limit - 1].dag_id,)) if len(rows) > limit else None
        return wire.DagPage(rows[:limit], more, totals)
    dag_id, place = pages.decode(cursor, tuple[str, int]) if cursor else (None, 0)
    values = {
        **msgspec.structs.asdict(wanted), "after": dag_id, "place": place, "limit": limit + 1,
    }  # fmt: skip
    with conn.cursor(row_factory=tuple_row) as rows_cursor:
        found = rows_cursor.execute(in_order(ORDERS[sort]), values).fetchall()
    ids = [dag_id for dag_id, _ in found[:limit]]
    by_id = {each.dag_id: each for each in summaries(conn, dag_ids=ids, limit=limit)}
    more = pages.encode(found[limit - 1]) if len(found) > limit else None
    return wire.DagPage([by_id[each] for each in ids if each in by_id], more, totals)


def totals_of(conn: Connection[Any], wanted: Filter) -> wire.DagTotals:
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(COUNTS, msgspec.structs.asdict(wanted)).fetchall()
    by_state = {state: total for state, total, _ in rows}
    return wire.DagTotals(
        total=sum(by_state.values()),
        paused=sum(paused for *_, paused in rows),
        never_ran=by_state.pop(None, 0),
        by_state=by_state,
    )


def summaries(
    conn: Connection[Any],
    *,
    dag_ids: Sequence[str] | None = None,
    after: str | None = None,
    wanted: Filter = ANY,
    limit: int,
) -> list[wire.DagSummary]:
    """Return DAGs by name. Those that are named are shown even when their file is gone."""
    values = {
        **msgspec.structs.asdict(wanted),
        "dag_ids": None if dag_ids is None else list(dag_ids),
        "with_missing": dag_ids is not None,
    }
    rows: list[dict[str, Any]] = []
    with conn.cursor(row_factory=dict_row) as cursor:
        while (room := min(AT_ONCE, limit - len(rows))) > 0:
            cursor.execute(LIST, {**values, "after": after, "limit": room})
            rows += map(without_dates, cursor)
            if cursor.rowcount < room:
                break
            after = rows[-1]["dag_id"]
    recent = briefs.recent(conn, [row["dag_id"] for row in rows])
    return [summary(row, recent[row["dag_id"]]) for row in rows]


def without_dates(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its schedule in words, and without the dates of that, which would fill the memory."""
    kept = row["schedule"]
    return {
        **row,
        "schedule": schedules.brief(kept),
        "schedule_words": schedules.in_words(kept),
    }


def summary(row: dict[str, Any], recent: list[wire.RunBrief]) -> wire.DagSummary:
    line, message, at = row.pop("line"), row.pop("message"), row.pop("at")
    trouble = None
    if message is not None:
        trouble = wire.ImportError(file=row["file"], line=line, message=message, at=at)
    return wire.DagSummary(**row, recent=recent, import_error=trouble)


def detail(conn: Connection[Any], dag_id: str) -> wire.DagDetail:
    found = summaries(conn, dag_ids=[dag_id], limit=1)
    if not found:
        raise unknown(conn, dag_id)
    with conn.cursor(row_factory=class_row(wire.DagVersion)) as cursor:
        versions = cursor.execute(VERSIONS, {"dag_id": dag_id}).fetchall()
    with conn.cursor(row_factory=scalar_row) as cursor:
        airflow_runs: int = cursor.execute(AIRFLOW_RUNS, {"dag_id": dag_id}).fetchone() or 0
    return wire.DagDetail(
        **msgspec.structs.asdict(found[0]),
        spec=spec(conn, dag_id),
        versions=versions,
        airflow_runs=airflow_runs,
    )


def without_tasks(dag: wire.DagDetail) -> wire.DagDetail:
    """Return the DAG without the tasks of its spec."""
    replace = msgspec.structs.replace
    return replace(dag, spec=replace(dag.spec, tasks=()))


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


def is_known(conn: Connection[Any], dag_id: str) -> bool:
    """Return whether there is such a DAG, without a word about others."""
    return conn.execute(IS_KNOWN, {"dag_id": dag_id}).fetchone() is not None


def unknown(conn: Connection[Any], dag_id: str) -> NotFound:
    """Say what was probably meant; without a guess, that a file which fails to load may define it."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        known: list[str] = cursor.execute(IDS).fetchall()
        broken: int = cursor.execute(BROKEN_FILES).fetchone() or 0
    advice = did_you_mean(dag_id, known) or (
        f"{counted(broken, 'DAG file')} failed to load; to see why: headway ls errors"
        if broken
        else "to list DAGs: headway ls"
    )
    return NotFound(f"there is no DAG {dag_id!r}", hint=advice)


def import_errors(
    conn: Connection[Any], limit: int, cursor: str | None
) -> wire.Page[wire.BrokenFile]:
    """Return the files that fail to load, without their code: that is in files."""
    limit = pages.capped(limit)
    after = pages.decode(cursor, tuple[str])[0] if cursor else None
    with conn.cursor(row_factory=dict_row) as rows_cursor:
        found = rows_cursor.execute(IMPORT_ERRORS, {"after": after, "limit": limit + 1}).fetchall()
    rows = [msgspec.convert(row, wire.BrokenFile) for row in found]
    more = pages.encode((rows[limit - 1].file,)) if len(rows) > limit else None
    return wire.Page(rows[:limit], more)
