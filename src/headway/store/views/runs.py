"""Views of runs, and the resolution of names such as @latest to run ids."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row, scalar_row, tuple_row

from headway import wire
from headway.core.states import RunState
from headway.core.triggers import Trigger
from headway.errors import NotFound, UsageError
from headway.spec import dates
from headway.spec.errors import did_you_mean
from headway.store.views import pages
from headway.store.views.worded import worded_row

WINDOW: Final = 20_000  # rows looked through for one page

# The first of them by name: each table is entered by its key, and only for runs that assets started.
STARTED_BY: LiteralString = """
    CASE WHEN run.trigger = 'asset' THEN ARRAY(
        SELECT asset FROM (
            SELECT asset FROM consumed_asset AS had
            WHERE had.team_id = run.team_id AND had.run_id = run.run_id AND had.events > 0
            UNION SELECT asset FROM consumed_partition AS had
            WHERE had.team_id = run.team_id AND had.run_id = run.run_id
        ) AS brought ORDER BY asset LIMIT 10
    ) ELSE '{}' END
"""

COLUMNS: LiteralString = f"""
    run.run_id, run.dag_id, run.state, run.reason::text, run.trigger, run.logical_date,
    run.interval_start, run.interval_end, run.params, run.created_at, run.started_at, run.ended_at,
    run.version, run.bundle_version, coalesce(counted.counts, '{{}}') AS counts,
    run.backfill_id, run.created_by, run.set_aside, run.set_aside_until AS retry_at, run.note,
    run.first_version, run.repinned_at, run.repinned_by,
    CASE WHEN starts_with(run.run_key, 'manual:') AND run.run_key <> 'manual:' || run.run_id
        THEN substr(run.run_key, 8) END AS given_id, run.partition, {STARTED_BY} AS assets,
    extract(epoch FROM run.ended_at - run.started_at)::float8 AS duration_s
"""

COUNTED: LiteralString = """
    LEFT JOIN LATERAL (
        SELECT json_object_agg(state, instances) AS counts FROM (
            SELECT state, count(*) AS instances FROM task_instance
            WHERE task_instance.team_id = run.team_id AND task_instance.run_id = run.run_id
            GROUP BY state
        ) AS by_state
    ) AS counted ON true
"""

BRIEF: LiteralString = """
    run_id, state, logical_date, started_at, ended_at, trigger, failed_instances, partition
"""

WANTED: LiteralString = """
    (%(trigger)s::text IS NULL OR run.trigger = %(trigger)s)
    AND (NOT %(set_aside)s OR set_aside IS NOT NULL)
    AND (%(q)s::text IS NULL OR starts_with(run.run_id, %(q)s)
        OR strpos(lower(run.dag_id), lower(%(q)s)) > 0 OR strpos(lower(note), lower(%(q)s)) > 0)
"""

ONE: LiteralString = f"SELECT {COLUMNS} FROM run {COUNTED} WHERE run.run_id = %(run_id)s"

IMAGES: LiteralString = """
    SELECT image, array_agg(digest ORDER BY position) FROM run_image WHERE run_id = %(run_id)s
    GROUP BY image ORDER BY image
"""

GIVEN: LiteralString = f"""
    SELECT {COLUMNS} FROM run {COUNTED}
    WHERE run.dag_id = %(dag_id)s AND run.run_key = 'manual:' || %(given_id)s
"""

LONGEST: Final = "longest"
SORTS: Final = ("newest", "oldest", LONGEST)


def listing(by: LiteralString, only: LiteralString, sort: str = "newest") -> LiteralString:
    """Return the statement of a page. What no index answers is looked for in so many rows of what one does; the longest
    too are those of so many of the newest. The page first, the counting only for it.
    """
    order, last = f"{by} DESC, run_id", f"run.{by} DESC, run.run_id"
    behind: LiteralString = f"{by} <= %(after)s AND ({by} < %(after)s OR run_id > %(after_id)s)"
    within = order
    if sort == "oldest":
        order, last = f"{by}, run_id DESC", f"run.{by}, run.run_id DESC"
        behind = f"{by} >= %(after)s AND ({by} > %(after)s OR run_id < %(after_id)s)"
        within = order
    elif sort == LONGEST:
        within = "coalesce(ended_at, now()) - started_at DESC NULLS LAST, run_id"
        last = "coalesce(run.ended_at, now()) - run.started_at DESC NULLS LAST, run.run_id"
    return f"""
        WITH run AS MATERIALIZED (
            SELECT * FROM (
                SELECT * FROM run
                WHERE {only}
                    AND (%(state)s::text IS NULL OR state = %(state)s)
                    AND (%(backfill_id)s::text IS NULL OR backfill_id = %(backfill_id)s)
                    AND (%(first)s::timestamptz IS NULL OR {by} >= %(first)s)
                    AND (%(last)s::timestamptz IS NULL OR {by} < %(last)s)
                    AND (%(after)s::timestamptz IS NULL OR ({behind}))
                ORDER BY {order} LIMIT %(window)s
            ) AS run
            WHERE {WANTED} ORDER BY {within} OFFSET %(skip)s LIMIT %(limit)s
        )
        SELECT {COLUMNS} FROM run {COUNTED} ORDER BY {last}
    """


NEWEST: Final[Mapping[str, LiteralString]] = {
    sort: listing("created_at", "true", sort) for sort in SORTS
}
OF_DAG: Final[Mapping[str, LiteralString]] = {
    sort: listing("logical_date", "dag_id = %(dag_id)s", sort) for sort in SORTS
}


def counting(by: LiteralString, only: LiteralString) -> LiteralString:
    """Return the statement that counts the newest runs by state: those that are wanted, and all that were looked at."""
    return f"""
        SELECT state, count(*) FILTER (WHERE {WANTED}), count(*) FROM (
            SELECT * FROM run
            WHERE {only}
                AND (%(backfill_id)s::text IS NULL OR backfill_id = %(backfill_id)s)
                AND (%(first)s::timestamptz IS NULL OR {by} >= %(first)s)
                AND (%(last)s::timestamptz IS NULL OR {by} < %(last)s)
            ORDER BY {by} DESC, run_id LIMIT %(window)s
        ) AS run GROUP BY state
    """


COUNT: Final[LiteralString] = counting("created_at", "true")
COUNT_OF_DAG: Final[LiteralString] = counting("logical_date", "dag_id = %(dag_id)s")

# Beside a run in the order of its DAG's runs.
PREVIOUS: LiteralString = f"""
    SELECT {BRIEF} FROM run
    WHERE dag_id = %(dag_id)s AND logical_date <= %(at)s
        AND (logical_date < %(at)s OR run_id > %(run_id)s)
    ORDER BY logical_date DESC, run_id LIMIT 1
"""

NEXT: LiteralString = f"""
    SELECT {BRIEF} FROM run
    WHERE dag_id = %(dag_id)s AND logical_date >= %(at)s
        AND (logical_date > %(at)s OR run_id < %(run_id)s)
    ORDER BY logical_date, run_id DESC LIMIT 1
"""

PLACE: LiteralString = (
    "SELECT dag_id, logical_date AS at, run_id FROM run WHERE run_id = %(run_id)s"
)

DAG_OF_BACKFILL: LiteralString = "SELECT dag_id FROM backfill WHERE backfill_id = %(backfill_id)s"

STATE: LiteralString = "SELECT state FROM run WHERE run_id = %(run_id)s"

LATEST: LiteralString = "SELECT run_id FROM run ORDER BY created_at DESC, run_id LIMIT 1"

LATEST_FAILED: LiteralString = """
    SELECT run_id FROM run WHERE state = 'failed' ORDER BY created_at DESC, run_id LIMIT 1
"""

# By the date that they are for, as the grid shows them.
LATEST_OF_DAG: LiteralString = """
    SELECT run_id FROM run WHERE dag_id = %(dag_id)s ORDER BY logical_date DESC, run_id LIMIT 1
"""

LATEST_FAILED_OF_DAG: LiteralString = """
    SELECT run_id FROM run WHERE dag_id = %(dag_id)s AND state = 'failed'
    ORDER BY logical_date DESC, run_id LIMIT 1
"""

# An index range in any collation: an id is of twelve lower-case letters and digits.
BY_PREFIX: LiteralString = """
    SELECT run_id FROM run
    WHERE run_id >= %(prefix)s AND run_id <= %(prefix)s || 'zzzzzzzzzzzz'
        AND starts_with(run_id, %(prefix)s)
    ORDER BY run_id LIMIT 4
"""

ZONE: LiteralString = """
    SELECT coalesce(spec->'schedule'->>'timezone', spec->>'timezone') FROM dag
    JOIN dag_version USING (team_id, dag_id, version)
    WHERE dag_id = %(dag_id)s
"""

RECENT_IDS: LiteralString = "SELECT run_id FROM run ORDER BY created_at DESC, run_id LIMIT 200"


IS_DAG: LiteralString = "SELECT true FROM dag WHERE dag_id = %(dag_id)s"


def resolve(conn: Connection[Any], wanted: str) -> str:
    """The id of the run meant by an id, a unique prefix, ``@latest`` or ``@failed``, also of one DAG: ``d@latest``."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        if "@" in wanted:
            dag_id, _, word = wanted.partition("@")
            return resolve_word(conn, dag_id, f"@{word}")
        if cursor.execute(STATE, {"run_id": wanted}).fetchone():
            return wanted  # whole, though another run's may begin with it
        found: list[str] = cursor.execute(BY_PREFIX, {"prefix": wanted}).fetchall()
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(
                f"{wanted!r} matches more than one run",
                hint=f"use more characters: {', '.join(found)}",
            )
        recent: list[str] = cursor.execute(RECENT_IDS).fetchall()
        is_dag = cursor.execute(IS_DAG, {"dag_id": wanted}).fetchone() is not None
    advice = did_you_mean(wanted, recent) or "to list runs: headway ls runs"
    if is_dag:
        advice = f"{wanted} is a DAG; its latest run is {wanted}@latest"
    raise NotFound(f"there is no run {wanted!r}", hint=advice)


def resolve_word(conn: Connection[Any], dag_id: str, word: str) -> str:
    """``dag_id``: empty for all DAGs."""
    statements: dict[str, tuple[LiteralString, LiteralString]] = {
        "@latest": (LATEST, LATEST_OF_DAG),
        "@failed": (LATEST_FAILED, LATEST_FAILED_OF_DAG),
    }
    if word not in statements:
        hint = "use @latest, @failed, DAG@latest, DAG@failed or a run id"
        raise UsageError(f"{word!r} is not a known shortcut", hint=hint)
    with conn.cursor(row_factory=scalar_row) as cursor:
        statement = statements[word][bool(dag_id)]
        found: str | None = cursor.execute(statement, {"dag_id": dag_id}).fetchone()
    if found is not None:
        return found
    kind = "run" if word == "@latest" else "failed run"
    if not dag_id:
        raise NotFound(f"there is no {kind} yet", hint="to start one: headway run DAG")
    hint = f"to start one: headway run {dag_id}; to list the DAGs: headway ls"
    raise NotFound(f"there is no {kind} of a DAG {dag_id!r}", hint=hint)


def one(conn: Connection[Any], run_id: str) -> wire.Run:
    with conn.cursor(row_factory=worded_row(wire.Run)) as cursor:
        found = cursor.execute(ONE, {"run_id": run_id}).fetchone()
    if found is None:
        raise NotFound(f"there is no run {run_id!r}")
    return found


def whole(conn: Connection[Any], run_id: str) -> wire.Run:
    """Return the run with the digests of its images."""
    found = one(conn, run_id)
    with conn.cursor(row_factory=tuple_row) as cursor:
        images: dict[str, list[str]] = dict(cursor.execute(IMAGES, {"run_id": run_id}).fetchall())
    return msgspec.structs.replace(found, images=images) if images else found


def adjacent(conn: Connection[Any], run_id: str) -> wire.AdjacentRuns:
    """Return the runs before and after one, by logical date, of its DAG."""
    with conn.cursor(row_factory=dict_row) as cursor:
        place = cursor.execute(PLACE, {"run_id": run_id}).fetchone()
        if place is None:
            raise NotFound(f"there is no run {run_id!r}")
        found = [cursor.execute(statement, place).fetchone() for statement in (PREVIOUS, NEXT)]
    previous, following = (None if row is None else wire.RunBrief(**row) for row in found)
    return wire.AdjacentRuns(previous=previous, next=following)


def state(conn: Connection[Any], run_id: str) -> RunState:
    """The cheap question of a long poll."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: str | None = cursor.execute(STATE, {"run_id": run_id}).fetchone()
    if found is None:
        raise NotFound(f"there is no run {run_id!r}")
    return RunState(found)


def check_state(state: str) -> None:
    if state not in set(RunState):
        raise UsageError(
            f"{state!r} is not a valid run state", hint=f"one of: {', '.join(RunState)}"
        )


def check_trigger(trigger: str | None) -> None:
    if trigger is not None and trigger not in set(Trigger):
        raise UsageError(
            f"{trigger!r} is not a valid trigger", hint=f"one of: {', '.join(Trigger)}"
        )


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """``first`` (included) and ``last`` (not) are of what the page is ordered by: the creation, or
    the logical date when a DAG is given, and read on the clock of its zone. ``q``: a run's first
    letters, a part of a DAG's or a note. ``given_id``: of one run of the DAG, whatever else is asked for.
    """

    dag_id: str | None = None
    state: str | None = None
    trigger: str | None = None
    backfill_id: str | None = None
    q: str | None = None
    set_aside: bool = False  # only those that no scheduler takes at the moment
    first: str | None = None
    last: str | None = None
    sort: str = "newest"
    given_id: str | None = None


def zone_of(conn: Connection[Any], wanted: Filter) -> str:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(ZONE, {"dag_id": wanted.dag_id}).fetchone() or "UTC"


def span_of(conn: Connection[Any], wanted: Filter) -> tuple[datetime | None, datetime | None]:
    """Return the start and end of the range. Raises UsageError for an invalid date, also an empty one."""
    if wanted.first is None and wanted.last is None:
        return None, None
    zone = zone_of(conn, wanted)
    return (
        None if wanted.first is None else dates.span(wanted.first, zone)[0],
        None if wanted.last is None else dates.before(wanted.last, zone),
    )


def page(
    conn: Connection[Any], wanted: Filter, limit: int, cursor: str | None
) -> wire.Page[wire.Run]:
    """Return one page: by creation, or by logical date when the runs are of one DAG or of one backfill; or the
    longest first.

    May be short of ``limit`` and still lead on: there was more to look through than for one page.
    """
    limit = pages.capped(limit)
    if wanted.given_id is not None:
        return given(conn, wanted)
    if wanted.state is not None:
        check_state(wanted.state)
    check_trigger(wanted.trigger)
    if wanted.sort not in SORTS:
        raise UsageError(
            f"{wanted.sort!r} is not a valid order", hint=f"one of: {', '.join(SORTS)}"
        )
    if wanted.backfill_id is not None and wanted.dag_id is None:
        # Its runs were created at one instant, which is no order; and they are of one DAG.
        wanted = msgspec.structs.replace(wanted, dag_id=dag_of_backfill(conn, wanted.backfill_id))
    begin, end = span_of(conn, wanted)
    if wanted.sort == LONGEST:
        return longest(conn, wanted, (begin, end), limit, cursor)
    after, after_id = pages.decode(cursor, tuple[datetime, str]) if cursor else (None, None)
    values = {
        **msgspec.structs.asdict(wanted),
        "first": begin,
        "last": end,
        "after": after,
        "after_id": after_id,
        "limit": limit + 1,
        "skip": 0,
        "window": WINDOW,
    }
    statement = (OF_DAG if wanted.dag_id else NEWEST)[wanted.sort]
    with conn.cursor(row_factory=worded_row(wire.Run)) as rows_cursor:
        rows = rows_cursor.execute(statement, values).fetchall()
    if len(rows) > limit:
        return wire.Page(rows[:limit], cursor_after(wanted, rows[limit - 1]))
    if wanted.trigger is None and wanted.q is None and not wanted.set_aside:
        return wire.Page(rows)
    # The last one that was looked at, whatever it is.
    edge = {
        **values,
        "trigger": None,
        "q": None,
        "set_aside": False,
        "limit": 1,
        "skip": WINDOW - 1,
    }
    with conn.cursor(row_factory=worded_row(wire.Run)) as rows_cursor:
        last = rows_cursor.execute(statement, edge).fetchone()
    return wire.Page(rows, None if last is None else cursor_after(wanted, last))


def given(conn: Connection[Any], wanted: Filter) -> wire.Page[wire.Run]:
    """Return the run of a DAG that has an id of its caller's own, or none."""
    if wanted.dag_id is None:
        raise UsageError("given_id needs a DAG", hint="give dag_id, too")
    values = {"dag_id": wanted.dag_id, "given_id": wanted.given_id}
    with conn.cursor(row_factory=worded_row(wire.Run)) as cursor:
        return wire.Page(cursor.execute(GIVEN, values).fetchall())


def totals(conn: Connection[Any], wanted: Filter) -> wire.RunTotals:
    """Count the runs of a list by state, whatever state it is narrowed to: the newest of them, as many as a page looks
    through.
    """
    check_trigger(wanted.trigger)
    if wanted.backfill_id is not None and wanted.dag_id is None:
        wanted = msgspec.structs.replace(wanted, dag_id=dag_of_backfill(conn, wanted.backfill_id))
    begin, end = span_of(conn, wanted)
    values = {**msgspec.structs.asdict(wanted), "first": begin, "last": end, "window": WINDOW}
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(COUNT_OF_DAG if wanted.dag_id else COUNT, values).fetchall()
    by_state: dict[str, int] = {state: number for state, number, _ in rows if number}
    return wire.RunTotals(
        total=sum(by_state.values()),
        by_state=by_state,
        truncated=sum(looked for *_, looked in rows) == WINDOW,
    )


def longest(
    conn: Connection[Any],
    wanted: Filter,
    span: tuple[datetime | None, datetime | None],
    limit: int,
    cursor: str | None,
) -> wire.Page[wire.Run]:
    """Return one page, which goes on by counting: the length of a run that is running changes."""
    (skip,) = (
        pages.decode(cursor, tuple[Annotated[int, msgspec.Meta(ge=0, le=WINDOW)]])
        if cursor
        else (0,)
    )
    values = {
        **msgspec.structs.asdict(wanted),
        "first": span[0],
        "last": span[1],
        "after": None,
        "after_id": None,
        "limit": limit + 1,
        "skip": skip,
        "window": WINDOW,
    }
    statement = (OF_DAG if wanted.dag_id else NEWEST)[LONGEST]
    with conn.cursor(row_factory=worded_row(wire.Run)) as rows_cursor:
        rows = rows_cursor.execute(statement, values).fetchall()
    more = pages.encode((skip + limit,)) if len(rows) > limit else None
    return wire.Page(rows[:limit], more)


def dag_of_backfill(conn: Connection[Any], backfill_id: str) -> str | None:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(DAG_OF_BACKFILL, {"backfill_id": backfill_id}).fetchone()


def cursor_after(wanted: Filter, run: wire.Run) -> str:
    return pages.encode((run.logical_date if wanted.dag_id else run.created_at, run.run_id))
