"""Views of backfills with their progress."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import args_row

from headway import wire
from headway.core.states import RUN_FINAL
from headway.errors import NotFound
from headway.store.views import pages

LIST: LiteralString = """
    SELECT backfill_id, dag_id, first_date, last_date, created_by, created_at, max_active_runs, cancelled_by, paused_at,
        paused_by, newest_first, left_out,
        counted.counts, counted.mean_s, counted.last_end
    FROM backfill CROSS JOIN LATERAL (
        SELECT coalesce(json_object_agg(state, runs), '{}') AS counts,
            (sum(seconds) / nullif(sum(ended), 0))::float8 AS mean_s, max(last_end) AS last_end
        FROM (
            SELECT state, count(*) AS runs,
                sum(extract(epoch FROM ended_at - started_at)) AS seconds,
                count(ended_at) FILTER (WHERE started_at IS NOT NULL) AS ended,
                max(ended_at) AS last_end
            FROM run
            WHERE run.team_id = backfill.team_id AND run.backfill_id = backfill.backfill_id
            GROUP BY state
        ) AS by_state
    ) AS counted
    WHERE (%(backfill_id)s::text IS NULL OR backfill_id = %(backfill_id)s)
        AND (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s)
        AND (%(after)s::timestamptz IS NULL
            OR (created_at, backfill_id) < (%(after)s, %(after_id)s))
    ORDER BY created_at DESC, backfill_id DESC LIMIT %(limit)s
"""


def page(
    conn: Connection[Any], dag_id: str | None, limit: int, cursor: str | None
) -> wire.Page[wire.Backfill]:
    """Newest first."""
    limit = pages.capped(limit)
    after, after_id = pages.decode(cursor, tuple[datetime, str]) if cursor else (None, None)
    values = {"dag_id": dag_id, "after": after, "after_id": after_id, "limit": limit + 1}
    found = listed(conn, {**values, "backfill_id": None})
    if len(found) <= limit:
        return wire.Page(found)
    last = found[limit - 1]
    return wire.Page(found[:limit], pages.encode((last.created_at, last.backfill_id)))


def one(conn: Connection[Any], backfill_id: str) -> wire.Backfill:
    nothing = dict.fromkeys(("dag_id", "after", "after_id"))
    found = listed(conn, {**nothing, "backfill_id": backfill_id, "limit": 1})
    if not found:
        raise NotFound(
            f"there is no backfill {backfill_id!r}", hint="to list runs: headway ls runs"
        )
    return found[0]


def listed(conn: Connection[Any], values: Mapping[str, Any]) -> list[wire.Backfill]:
    with conn.cursor(row_factory=args_row(backfill)) as cursor:
        return cursor.execute(LIST, values).fetchall()


def backfill(
    backfill_id: str,
    dag_id: str,
    first: datetime,
    last: datetime,
    created_by: str,
    created_at: datetime,
    max_active_runs: int,
    cancelled_by: str | None,
    paused_at: datetime | None,
    paused_by: str | None,
    newest_first: bool,
    left_out: dict[str, int],
    counts: dict[str, int],
    mean_s: float | None,
    last_end: datetime | None,
) -> wire.Backfill:
    total = sum(counts.values())
    done = sum(counts.get(state, 0) for state in RUN_FINAL)
    left = total - done
    return wire.Backfill(
        backfill_id=backfill_id,
        dag_id=dag_id,
        first=first,
        last=last,
        created_by=created_by,
        created_at=created_at,
        max_active_runs=max_active_runs,
        cancelled_by=cancelled_by,
        paused_at=paused_at,
        paused_by=paused_by,
        newest_first=newest_first,
        left_out=left_out,
        counts=counts,
        done=done,
        total=total,
        ended_at=None if left else last_end,
        eta_s=None
        if mean_s is None or not left or paused_at
        else mean_s * left / min(max_active_runs, left),
    )
