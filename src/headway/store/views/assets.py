"""Assets for the API: who updates them and waits for them, their events, and what the next run of a DAG waits for."""

from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, dict_row, tuple_row

from headway import wire
from headway.core import schedules
from headway.core.foreign import foreign
from headway.core.grants import GrantKind
from headway.core.reasons import AwaitsAssets
from headway.core.schedules import BadSchedule, Schedule
from headway.core.wording import said
from headway.errors import NotFound
from headway.spec.errors import did_you_mean
from headway.store import grants, limits
from headway.store.clock import clock
from headway.store.views import dags, pages

# Tasks of DAGs that are gone are left out.
USES: LiteralString = """
    (SELECT coalesce(json_agg(json_build_object('dag_id', dag_id, 'task_id', task_id) ORDER BY dag_id, task_id), '[]')
    FROM asset_use JOIN dag USING (team_id, dag_id)
    WHERE asset_use.team_id = asset.team_id AND asset_use.asset = asset.name AND role = '%s' AND missing_since IS NULL)
"""

LIST: LiteralString = f"""
    SELECT name, uri, asset_group AS "group", extra, created_at, last.at AS last_event_at,
        {USES.replace("%s", "outlet")} AS producers, {USES.replace("%s", "inlet")} AS readers,
        (SELECT coalesce(json_agg(json_build_object(
            'dag_id', dag_id, 'events', events, 'since', since, 'paused', paused_at IS NOT NULL) ORDER BY dag_id), '[]')
        FROM asset_consumer JOIN dag USING (team_id, dag_id)
        WHERE asset_consumer.team_id = asset.team_id AND asset_consumer.asset = asset.name
            AND missing_since IS NULL) AS consumers
    FROM asset LEFT JOIN LATERAL (
        SELECT at FROM asset_event AS event
        WHERE event.team_id = asset.team_id AND event.asset = asset.name
        ORDER BY event.position DESC LIMIT 1
    ) AS last ON true
    WHERE (%(name)s::text IS NULL OR name = %(name)s) AND (%(after)s::text IS NULL OR name > %(after)s)
        AND (%(q)s::text IS NULL OR strpos(lower(name || ' ' || uri), lower(%(q)s)) > 0)
    ORDER BY name LIMIT %(limit)s
"""

NAMES: LiteralString = "SELECT name FROM asset ORDER BY name LIMIT 10000"

IS_KNOWN: LiteralString = "SELECT FROM asset WHERE name = %(name)s"

EVENTS: LiteralString = """
    SELECT event_id, asset, at, extra, partition, dag_id, run_id, task_id, map_index, by
    FROM asset_event
    WHERE asset = %(asset)s AND (%(before)s::bigint IS NULL OR event_id < %(before)s)
    ORDER BY event_id DESC LIMIT %(limit)s
"""

EVENT: LiteralString = """
    SELECT event_id, asset, at, extra, partition, dag_id, run_id, task_id, map_index, by
    FROM asset_event WHERE event_id = %(event_id)s
"""

WAITS: LiteralString = """
    SELECT asset, events, since FROM asset_consumer WHERE dag_id = %(dag_id)s ORDER BY asset
"""

TEAM: LiteralString = "SELECT team_id FROM dag WHERE dag_id = %(dag_id)s"

USES_OF_DAG: LiteralString = """
    SELECT role, asset, task_id FROM asset_use WHERE dag_id = %(dag_id)s ORDER BY asset, task_id
"""


def page(
    conn: Connection[Any], q: str | None, name: str | None, limit: int, cursor: str | None
) -> wire.Page[wire.Asset]:
    """Return assets by name; ``name``: this one alone."""
    limit = pages.capped(limit)
    after = pages.decode(cursor, tuple[str])[0] if cursor else None
    values = {"q": q, "name": name, "after": after, "limit": limit + 1}
    with conn.cursor(row_factory=dict_row) as rows_cursor:
        rows = rows_cursor.execute(LIST, values).fetchall()
    found = [msgspec.convert(row, wire.Asset) for row in rows]
    more = pages.encode((found[limit - 1].name,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)


def require(conn: Connection[Any], name: str) -> None:
    """Raise NotFound, with what was probably meant, unless there is such an asset."""
    if conn.execute(IS_KNOWN, {"name": name}).fetchone() is None:
        names = [known for (known,) in conn.execute(NAMES).fetchall()]
        advice = did_you_mean(name, names) or "to list assets: headway asset ls"
        raise NotFound(f"there is no asset {name!r}", hint=advice)


def events(
    conn: Connection[Any], asset: str, limit: int, cursor: str | None
) -> wire.Page[wire.AssetEvent]:
    """Return the events of an asset, the newest first."""
    require(conn, asset)
    limit = pages.capped(limit)
    before = pages.decode(cursor, tuple[int])[0] if cursor else None
    values = {"asset": asset, "before": before, "limit": limit + 1}
    with conn.cursor(row_factory=class_row(wire.AssetEvent)) as rows_cursor:
        found = rows_cursor.execute(EVENTS, values).fetchall()
    more = pages.encode((found[limit - 1].event_id,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)


def event(conn: Connection[Any], event_id: int) -> wire.AssetEvent:
    with conn.cursor(row_factory=class_row(wire.AssetEvent)) as cursor:
        found = cursor.execute(EVENT, {"event_id": event_id}).fetchone()
    assert found is not None
    return found


def of_dag(conn: Connection[Any], dag_id: str) -> wire.DagAssets:
    """Return the assets that a DAG waits for, updates and reads. Raises NotFound."""
    spec = dags.spec(conn, dag_id)
    with conn.cursor(row_factory=tuple_row) as cursor:
        uses = cursor.execute(USES_OF_DAG, {"dag_id": dag_id}).fetchall()
    try:
        schedule = schedules.read(spec.schedule, spec.start_date or schedules.FIRST)
    except BadSchedule:
        schedule = schedules.OnDemand()
    waits = waits_of(conn, dag_id, schedule) if schedule.assets else []
    return wire.DagAssets(
        dag_id=dag_id,
        reason=said(awaited(conn, dag_id, schedule)) if schedule.assets else None,
        waits=waits,
        outlets=[
            wire.AssetUse(asset=a, task_id=task) for role, a, task in uses if role == "outlet"
        ],
        inlets=[wire.AssetUse(asset=a, task_id=task) for role, a, task in uses if role == "inlet"],
    )


def waits_of(conn: Connection[Any], dag_id: str, schedule: Schedule) -> list[wire.AssetWait]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows: list[tuple[str, int, datetime | None]] = cursor.execute(
            WAITS, {"dag_id": dag_id}
        ).fetchall()
    missing = schedule.missing({asset for asset, _, since in rows if since is not None})
    return [
        wire.AssetWait(asset=asset, events=events, since=since, missing=asset in missing)
        for asset, events, since in rows
    ]


def awaited(conn: Connection[Any], dag_id: str, schedule: Schedule) -> AwaitsAssets:
    """Return what the next run of a DAG waits for."""
    waits = waits_of(conn, dag_id, schedule)
    since = min((wait.since for wait in waits if wait.since is not None), default=None)
    missing = tuple(wait.asset for wait in waits if wait.missing)
    theirs = [other for asset in missing if (other := foreign(asset)) is not None]
    closed = sorted(map(str, grants.closed(conn, theirs, GrantKind.USE_ASSET)))
    limit = "" if missing or since is None else spent_limit(conn, dag_id)
    return AwaitsAssets(missing, "" if since is None else since.isoformat(), tuple(closed), limit)


def spent_limit(conn: Connection[Any], dag_id: str) -> str:
    """Return the limit that the team of a DAG has reached, or nothing."""
    row = conn.execute(TEAM, {"dag_id": dag_id}).fetchone()
    return "" if row is None else limits.spent(conn, row[0], clock(conn))
