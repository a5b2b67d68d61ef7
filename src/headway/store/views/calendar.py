"""Days of the past as they were, and what schedules will bring."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.errors import InvalidParameterValue
from psycopg.rows import class_row, tuple_row

from headway import wire
from headway.core import forecast, schedules
from headway.core.forecast import Planned
from headway.core.reasons import AwaitsAssets
from headway.core.schedules import LAST
from headway.core.waiting import why_nothing_fires
from headway.core.wording import said
from headway.core.zones import UnknownZone, check_zone
from headway.errors import UsageError
from headway.spec import compile
from headway.spec.model import Dag
from headway.store import states
from headway.store.views import assets, dags, pages, versions
from headway.store.views.memory import Memory

DAYS_MAX: Final = 400
FIRES_MAX: Final = 2_000
DAGS_MAX: Final = 2_000
AT_ONCE: Final = 100  # DAGs: each may have 4,000 dates
DATES_READ_MAX: Final = 100_000  # of timetables, for one answer: that takes a quarter of a second
COUNT_MAX: Final = 200

# By logical date: a backfill of January is January's.
DAYS_OF_DAG: LiteralString = f"""
    SELECT (logical_date AT TIME ZONE %(zone)s)::date AS day,
        count(*) FILTER (WHERE state = 'success') AS success,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state IN {states.OPEN_RUNS}) AS running,
        count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE state = 'skipped') AS skipped,
        avg(extract(epoch FROM ended_at - started_at))::float8 AS duration_s
    FROM run
    WHERE dag_id = %(dag_id)s AND logical_date >= %(first)s AND logical_date < %(last)s
    GROUP BY day ORDER BY day
"""

# Of all DAGs by when they ended, which an index tells alone.
DAYS: LiteralString = """
    SELECT (ended_at AT TIME ZONE %(zone)s)::date AS day,
        count(*) FILTER (WHERE state = 'success') AS success,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        0 AS running,
        count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE state = 'skipped') AS skipped,
        NULL::float8 AS duration_s
    FROM run WHERE ended_at >= %(first)s AND ended_at < %(last)s
    GROUP BY day ORDER BY day
"""

# What fires: with a schedule, not paused, its file there.
SCHEDULED: LiteralString = """
    SELECT dag_id, schedule, start_date::timestamptz, end_date::timestamptz, first.created_at FROM dag
    JOIN dag_version USING (team_id, dag_id, version)
    CROSS JOIN LATERAL (
        SELECT created_at FROM dag_version AS earliest
        WHERE earliest.team_id = dag.team_id AND earliest.dag_id = dag.dag_id
        ORDER BY version LIMIT 1
    ) AS first
    WHERE (%(dag_id)s::text IS NULL OR dag_id = %(dag_id)s)
        AND (%(after)s::text IS NULL OR dag_id > %(after)s)
        AND schedule IS NOT NULL AND paused_at IS NULL AND missing_since IS NULL
    ORDER BY dag_id LIMIT %(limit)s
"""

STANDING: LiteralString = """
    SELECT team_id, version, paused_by, missing_since, last_fire, now() FROM dag WHERE dag_id = %(dag_id)s
"""


def upcoming(
    conn: Connection[Any], memory: Memory, dag_id: str, count: int, zone: str | None
) -> wire.Fires:
    """The next fires of a DAG, also of one that is paused: it may be resumed."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(STANDING, {"dag_id": dag_id}).fetchone()
    if row is None:
        raise dags.unknown(conn, dag_id)
    team_id, version, paused_by, missing_since, last_fire, now = row
    spec = versions.of_dag(conn, memory, team_id, dag_id, [version])[version].dag
    planned = plan(spec, now)
    zone = checked(zone or planned.schedule.zone)
    if not 0 < count <= COUNT_MAX:
        raise UsageError(f"count must be between 1 and {COUNT_MAX}")
    first = max(now, last_fire + timedelta(microseconds=1)) if last_fire else now
    found = list(forecast.fires(planned, first, LAST, count))
    why = why_nothing_fires(
        planned.schedule,
        file_gone=missing_since is not None,
        paused_by=paused_by,
        ends=len(found) < count,
    )
    if isinstance(why, AwaitsAssets):
        why = assets.next_of(conn, dag_id, planned.schedule)
    return wire.Fires(
        timezone=zone,
        fires=[
            wire.Fire(logical_date=at, local=at.astimezone(ZoneInfo(zone)).isoformat())
            for at in found
        ],
        reason=None if why is None else said(why),
        why=why,
    )


def plan(spec: Dag, first_seen: datetime) -> Planned:
    schedule = compile.schedule(spec, first_seen)
    return Planned(spec.dag_id, schedule, spec.start_date, spec.end_date)


def planned_of(
    dag_id: str,
    schedule: dict[str, Any],
    start_date: datetime | None,
    end_date: datetime | None,
    first_seen: datetime,
) -> Planned:
    """Return the part of a spec that says when it fires."""
    spec = Dag(
        dag_id=dag_id,
        file="",
        tasks=(),
        schedule=schedule,
        start_date=start_date,
        end_date=end_date,
    )
    return plan(spec, first_seen)


def scheduled(conn: Connection[Any], dag_id: str | None = None) -> tuple[list[Planned], bool]:
    """Return what fires, of one DAG or all, and whether there is more than is looked at."""
    found: list[Planned] = []
    dates, after = 0, None
    with conn.cursor(row_factory=tuple_row) as cursor:
        while len(found) < DAGS_MAX:
            values = {"dag_id": dag_id, "after": after, "limit": AT_ONCE}
            for row in cursor.execute(SCHEDULED, values):
                dates += schedules.dates_of(row[1])
                if dates > DATES_READ_MAX:
                    return found, True
                found.append(planned_of(*row))
                after = row[0]
            if cursor.rowcount < AT_ONCE:
                return found, False
    return found, True


def checked(zone: str) -> str:
    try:
        check_zone(zone)
    except UnknownZone as error:
        raise UsageError(str(error)) from error
    return zone


def of_dag(
    conn: Connection[Any],
    dag_id: str,
    span: tuple[datetime, datetime],
    zone: str | None,
) -> wire.Calendar:
    spec = dags.spec(conn, dag_id)
    zone = checked(zone or spec.zone)
    days = days_of(conn, DAYS_OF_DAG, {"dag_id": dag_id}, span, zone)
    return calendar(conn, dag_id, days, span, zone)


def of_all(
    conn: Connection[Any], span: tuple[datetime, datetime], zone: str | None
) -> wire.Calendar:
    zone = checked(zone or "UTC")
    days = days_of(conn, DAYS, {}, span, zone)
    return calendar(conn, None, days, span, zone)


def spanned(first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """``from`` and ``to`` as they were asked for."""
    first, last = pages.instant(first), pages.instant(last)
    if not first < last:
        raise UsageError("`from` must be before `to`")
    if last - first > timedelta(days=DAYS_MAX):
        raise UsageError(f"at most {DAYS_MAX} days at once")
    return first, last


def days_of(
    conn: Connection[Any],
    statement: LiteralString,
    which: dict[str, Any],
    span: tuple[datetime, datetime],
    zone: str,
) -> list[wire.Day]:
    first, last = span
    values = {**which, "first": first, "last": last, "zone": zone}
    with conn.cursor(row_factory=class_row(wire.Day)) as cursor:
        try:
            return cursor.execute(statement, values).fetchall()
        except InvalidParameterValue as error:  # it knows other zones than Python does
            raise UsageError(f"unknown time zone {zone!r}") from error


def calendar(
    conn: Connection[Any],
    dag_id: str | None,
    days: Sequence[wire.Day],
    span: tuple[datetime, datetime],
    zone: str,
) -> wire.Calendar:
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute("SELECT now()").fetchone()
    assert row is not None
    every, more = scheduled(conn, dag_id) if row[0] < span[1] else ([], False)
    found = forecast.together(every, max(row[0], span[0]), span[1], FIRES_MAX + 1)
    return wire.Calendar(
        timezone=zone,
        days=list(days),
        fires=[wire.CalendarFire(at=at, dag_id=known) for at, known in found[:FIRES_MAX]],
        truncated=len(found) > FIRES_MAX or more,
    )
