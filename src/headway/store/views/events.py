"""The stream of events for people: newest first, filtered.

Most rows are of task instances. A question that no index answers looks through so many of the
newest rows and no more: the page may then be short, and its cursor leads on.
"""

from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import scalar_row, tuple_row

from headway import wire
from headway.errors import UsageError
from headway.store.views import pages
from headway.store.views.history import COLUMNS
from headway.store.views.worded import worded_row

WINDOW: Final = 20_000  # rows looked at for one page
OVERLAP: Final = timedelta(minutes=5)  # longer than a transaction lasts that writes events
SUBJECTS: Final = frozenset(
    {
        *("run", "task_instance", "dag", "pool", "backfill", "agent_session"),
        *("bundle", "retention"),
    }
)

# Where to look, said so that the partial index of each can be seen to fit.
OF_RUN: LiteralString = "run_id IS NOT NULL AND run_id = %(run_id)s"
BY_PEOPLE: LiteralString = "starts_with(actor, 'user:')"
OF_DAG: LiteralString = "task_id IS NULL AND dag_id = %(dag_id)s"
OF_NO_TASK: LiteralString = "task_id IS NULL"
# What tells something: what people did, what went wrong, and how runs ended; not each step of each task.
OF_NOTE: LiteralString = """(starts_with(actor, 'user:')
    OR task_id IS NOT NULL AND name IN ('fail', 'refuse', 'retry', 'cancel')
    OR task_id IS NULL AND subject NOT IN ('bundle', 'retention')
        AND NOT (subject = 'run' AND name IN ('create', 'start')))"""
ANYWHERE: LiteralString = "seq > 0"

WANTED: LiteralString = f"""
    (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND (%(actor)s::text IS NULL OR actor = %(actor)s OR starts_with(actor, %(actor)s || ':'))
    AND (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s)
    AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
    AND (%(task_id)s::text IS NULL OR task_id = %(task_id)s)
    AND (%(name)s::text IS NULL OR name = %(name)s)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
    AND (NOT %(of_note)s OR {OF_NOTE})
"""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """``actor`` is one (``user:ada``) or a kind of them (``user``). ``of_note``: ``OF_NOTE`` alone."""

    subject: str | None = None
    actor: str | None = None
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    name: str | None = None
    since: datetime | None = None  # included
    until: datetime | None = None  # not included
    of_note: bool = False


def source(wanted: Filter) -> LiteralString:
    if wanted.run_id is not None:
        return OF_RUN
    if wanted.actor is not None and wanted.actor.partition(":")[0] == "user":
        return BY_PEOPLE
    if wanted.of_note:
        return OF_NOTE
    if wanted.subject in (None, "task_instance"):
        return ANYWHERE
    return OF_NO_TASK if wanted.dag_id is None else OF_DAG


def listing(source: LiteralString) -> LiteralString:
    return f"""
        SELECT {COLUMNS} FROM (
            SELECT * FROM event
            WHERE {source} AND (%(before)s::bigint IS NULL OR seq < %(before)s)
            ORDER BY seq DESC LIMIT %(window)s
        ) AS event
        WHERE {WANTED} ORDER BY seq DESC LIMIT %(limit)s
    """


def edge(source: LiteralString) -> LiteralString:
    """The last row that was looked at, when there may be more behind it."""
    return f"""
        SELECT seq FROM (
            SELECT seq, at FROM event
            WHERE {source} AND (%(before)s::bigint IS NULL OR seq < %(before)s)
            ORDER BY seq DESC OFFSET %(window)s - 1 LIMIT 1
        ) AS last
        WHERE %(since)s::timestamptz IS NULL OR at >= %(since)s
    """


# Of the team's events of no task, of which there are some at any time; by the index of these alone.
NEXT: LiteralString = """
    SELECT seq, at FROM event WHERE task_id IS NULL AND seq >= %(seq)s ORDER BY seq LIMIT 1
"""
LAST: LiteralString = "SELECT seq FROM event WHERE task_id IS NULL ORDER BY seq DESC LIMIT 1"


def number_at(conn: Connection[Any], moment: datetime) -> int | None:
    """Return a number that all events before the moment are below; None if any may be.

    Found by halves, without an index of times: numbers follow the times, but for transactions that overlap.
    """
    moment += OVERLAP
    with conn.cursor(row_factory=tuple_row) as cursor:
        last = cursor.execute(LAST).fetchone()
        if last is None:
            return None
        low, high, found = 0, last[0], None
        while low <= high:
            row = cursor.execute(NEXT, {"seq": (low + high) // 2}).fetchone()
            assert row is not None, "the last one is one of them"
            seq, at = row
            if at < moment:
                low = seq + 1
            else:
                found, high = seq, (low + high) // 2 - 1
    return found


def page(
    conn: Connection[Any], wanted: Filter, limit: int, before: str | None
) -> wire.Page[wire.Event]:
    limit = pages.capped(limit)
    if wanted.subject is not None and wanted.subject not in SUBJECTS:
        raise UsageError(
            f"{wanted.subject!r} is not a valid subject",
            hint=f"one of: {', '.join(sorted(SUBJECTS))}",
        )
    first = None if before or wanted.until is None else number_at(conn, wanted.until)
    values = {
        **msgspec.structs.asdict(wanted),
        "before": pages.decode(before, tuple[int])[0] if before else first,
        "limit": limit + 1,
        "window": WINDOW,
    }
    look = source(wanted)
    with conn.cursor(row_factory=worded_row(wire.Event)) as cursor:
        rows = cursor.execute(listing(look), values).fetchall()
    if len(rows) > limit:
        return wire.Page(rows[:limit], pages.encode((rows[limit - 1].seq,)))
    with conn.cursor(row_factory=scalar_row) as cursor:
        last: int | None = cursor.execute(edge(look), values).fetchone()
    return wire.Page(rows, None if last is None else pages.encode((last,)))
