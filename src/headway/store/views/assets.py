"""Assets for the API: who updates them and waits for them, their events, and what the next run of a DAG waits for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, dict_row, tuple_row

from headway import wire
from headway.core import schedules
from headway.core.aliases import key
from headway.core.foreign import foreign
from headway.core.grants import GrantKind
from headway.core.reasons import AwaitsAssets, AwaitsPartitions
from headway.core.schedules import BadSchedule, Schedule
from headway.core.wording import said
from headway.errors import NotFound, UsageError
from headway.spec.errors import did_you_mean
from headway.store import grants, limits
from headway.store.clock import clock
from headway.store.views import dags, dependencies, pages, partitions, watchers

WAITERS_MAX: Final = 100  # whose missing assets are told of one asset

# Also those that add it through an alias. Tasks of DAGs that are gone are left out.
USES: LiteralString = """
    (SELECT coalesce(json_agg(json_build_object(
        'dag_id', dag_id, 'task_id', task_id, 'owner', owner) ORDER BY dag_id, task_id), '[]')
    FROM (
        SELECT DISTINCT team_id, dag_id, task_id FROM asset_use
        WHERE asset_use.team_id = asset.team_id AND role = '%s'
            AND asset_use.asset = ANY (
                asset.name || ARRAY(SELECT '@alias:' || alias FROM unnest(through.aliases) AS alias))
    ) AS used JOIN dag USING (team_id, dag_id) JOIN dag_version USING (team_id, dag_id, version)
    WHERE missing_since IS NULL)
"""

LAST: Final[LiteralString] = """
    LEFT JOIN LATERAL (
        SELECT at FROM asset_event AS event
        WHERE event.team_id = asset.team_id AND event.asset = asset.name
        ORDER BY event.position DESC LIMIT 1
    ) AS last ON true
"""

MATCHING: Final[LiteralString] = (
    "(%(q)s::text IS NULL OR strpos(lower(name || ' ' || uri), lower(%(q)s)) > 0)"
)

LIST: LiteralString = f"""
    SELECT name, uri, asset_group AS "group", extra, created_at, last.at AS last_event_at,
        {USES.replace("%s", "outlet")} AS producers, {USES.replace("%s", "inlet")} AS readers,
        {USES.replace("%s", "wait")} AS awaiters,
        (SELECT coalesce(json_agg(json_build_object(
            'dag_id', dag_id, 'events', events, 'since', since, 'paused', paused_at IS NOT NULL, 'owner', owner)
            ORDER BY dag_id), '[]')
        FROM asset_consumer JOIN dag USING (team_id, dag_id) JOIN dag_version USING (team_id, dag_id, version)
        WHERE asset_consumer.team_id = asset.team_id AND asset_consumer.asset = asset.name
            AND missing_since IS NULL) AS consumers,
        CASE WHEN starts_with(name, '@alias:') THEN substr(name, 8) END AS alias, through.aliases
    FROM asset {LAST} CROSS JOIN LATERAL (
        SELECT ARRAY(
            SELECT alias FROM asset_alias AS member
            WHERE member.team_id = asset.team_id AND member.asset = asset.name ORDER BY alias) AS aliases
    ) AS through
    WHERE (%(names)s::text[] IS NULL OR name = ANY (%(names)s)) AND (%(after)s::text IS NULL OR name > %(after)s)
        AND {MATCHING}
    ORDER BY name LIMIT %(limit)s
"""

# Any order but that by name needs all assets. A page goes on behind an asset, wherever that stands now.
ORDERS: Final[dict[str, LiteralString]] = {
    "-name": "name DESC",
    "last_event": "last.at NULLS LAST, name",
    "-last_event": "last.at DESC NULLS LAST, name",
}
SORTS: Final = ("name", *ORDERS)


def in_order(order: LiteralString) -> LiteralString:
    return f"""
        WITH sorted AS MATERIALIZED (
            SELECT name, row_number() OVER (ORDER BY {order}) AS place FROM asset {LAST} WHERE {MATCHING}
        )
        SELECT name, place FROM sorted
        WHERE place > coalesce((SELECT place FROM sorted WHERE name = %(after)s), %(place)s)
        ORDER BY place LIMIT %(limit)s
    """


# With the state of all assets of the same condition.
WAITERS: LiteralString = """
    SELECT dag_id, owner, paused_at IS NOT NULL AS paused, events, since, spec -> 'schedule' AS schedule, queues
    FROM asset_consumer AS consumer JOIN dag USING (team_id, dag_id) JOIN dag_version USING (team_id, dag_id, version)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object('asset', asset, 'events', events, 'since', since) ORDER BY asset) AS queues
        FROM asset_consumer AS queue WHERE queue.team_id = consumer.team_id AND queue.dag_id = consumer.dag_id
    ) AS known
    WHERE consumer.asset = %(name)s AND missing_since IS NULL
    ORDER BY dag_id LIMIT %(limit)s
"""

NAMES: LiteralString = "SELECT name FROM asset ORDER BY name LIMIT 10000"

IS_KNOWN: LiteralString = "SELECT FROM asset WHERE name = %(name)s"

# Those of an alias with the asset that each is of.
EVENTS: LiteralString = """
    SELECT event_id, coalesce(origin, asset) AS asset, at, extra, partition, dag_id, run_id, task_id, map_index, by,
        coalesce(aliases, '{}') AS aliases
    FROM asset_event
    WHERE asset = %(asset)s AND (%(before)s::bigint IS NULL OR event_id < %(before)s)
    ORDER BY event_id DESC LIMIT %(limit)s
"""

EVENT: LiteralString = """
    SELECT event_id, asset, at, extra, partition, dag_id, run_id, task_id, map_index, by
    FROM asset_event WHERE event_id = %(event_id)s
"""

WAITS: LiteralString = """
    SELECT asset, events, since,
        CASE WHEN starts_with(asset, '@alias:') THEN (
            SELECT count(*) FROM asset_alias AS member
            WHERE member.team_id = consumer.team_id AND member.alias = substr(consumer.asset, 8)) END AS assets
    FROM asset_consumer AS consumer WHERE dag_id = %(dag_id)s ORDER BY asset
"""

# ``assets``: the first of them.
OF_ALIAS: LiteralString = """
    SELECT ARRAY(
            SELECT asset FROM asset_alias AS member
            WHERE member.team_id = asset.team_id AND member.alias = %(alias)s ORDER BY asset LIMIT %(limit)s) AS assets,
        (SELECT count(*) FROM asset_alias AS member
            WHERE member.team_id = asset.team_id AND member.alias = %(alias)s) AS assets_total,
        refused_asset || ': ' || refused_why AS refused
    FROM asset WHERE name = %(name)s
"""

TEAM: LiteralString = "SELECT team_id FROM dag WHERE dag_id = %(dag_id)s"

USES_OF_DAG: LiteralString = """
    SELECT role, asset, task_id FROM asset_use WHERE dag_id = %(dag_id)s ORDER BY asset, task_id
"""


class Queued(msgspec.Struct, frozen=True):
    """The events of an asset that count for the next run of a DAG."""

    asset: str
    events: int
    since: datetime | None
    assets: int | None = None  # of an alias


def page(
    conn: Connection[Any],
    q: str | None,
    name: str | None,
    limit: int,
    cursor: str | None,
    sort: str = "name",
) -> wire.Page[wire.Asset]:
    """Return assets; ``name``: this one alone. ``sort``: one of ``SORTS``. Those without an event come last in either
    direction.
    """
    limit = pages.capped(limit)
    if sort not in SORTS:
        raise UsageError(f"{sort!r} is not a valid order", hint=f"one of: {', '.join(SORTS)}")
    if sort != "name" and name is None:
        return sorted_page(conn, q, sort, limit, cursor)
    after = pages.decode(cursor, tuple[str])[0] if cursor else None
    names = None if name is None else [name]
    found = listed(conn, q=q, names=names, after=after, limit=limit + 1)
    more = pages.encode((found[limit - 1].name,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)


def sorted_page(
    conn: Connection[Any], q: str | None, sort: str, limit: int, cursor: str | None
) -> wire.Page[wire.Asset]:
    after, place = pages.decode(cursor, tuple[str, int]) if cursor else (None, 0)
    values = {"q": q, "after": after, "place": place, "limit": limit + 1}
    with conn.cursor(row_factory=tuple_row) as rows_cursor:
        found = rows_cursor.execute(in_order(ORDERS[sort]), values).fetchall()
    names = [name for name, _ in found[:limit]]
    by_name = {each.name: each for each in listed(conn, names=names, limit=limit)}
    more = pages.encode(found[limit - 1]) if len(found) > limit else None
    return wire.Page([by_name[each] for each in names if each in by_name], more)


def listed(
    conn: Connection[Any],
    *,
    q: str | None = None,
    names: list[str] | None = None,
    after: str | None = None,
    limit: int,
) -> list[wire.Asset]:
    values = {"q": q, "names": names, "after": after, "limit": limit}
    with conn.cursor(row_factory=dict_row) as cursor:
        return [msgspec.convert(row, wire.Asset) for row in cursor.execute(LIST, values)]


def detail(conn: Connection[Any], name: str) -> wire.AssetDetail:
    """Return an asset with what the DAGs that wait for it miss, and who is late if it is. Raises NotFound."""
    require(conn, name)
    (asset,) = listed(conn, names=[name], limit=1)
    late, owners = dependencies.below_asset(
        conn,
        {*(each.dag_id for each in asset.consumers), *(each.dag_id for each in asset.awaiters)},
    )
    return wire.AssetDetail(
        asset=asset,
        waiters=waiters_of(conn, name),
        waiters_total=len(asset.consumers),
        affected=late[: dependencies.AFFECTED_MAX],
        affected_total=len(late),
        affected_owners=owners,
        watchers=watchers.of_assets(conn, [name]),
        **({} if asset.alias is None else of_alias(conn, name, asset.alias)),
    )


def of_alias(conn: Connection[Any], name: str, alias: str) -> dict[str, Any]:
    values = {"name": name, "alias": alias, "limit": WAITERS_MAX}
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(OF_ALIAS, values).fetchone() or {}


def waiters_of(conn: Connection[Any], name: str) -> list[wire.AssetWaiter]:
    rows: list[dict[str, Any]] = []
    waits, on_partitions = [], set()
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(WAITERS, {"name": name, "limit": WAITERS_MAX}):
            schedule = schedule_of(row.pop("schedule"), schedules.FIRST)
            queues = msgspec.convert(row.pop("queues"), list[Queued])
            waits.append((row["dag_id"], waits_by(schedule, queues)))
            rows.append(row)
            if schedule.partitioned:
                on_partitions.add(row["dag_id"])
    return [
        waiter_of_partitions(conn, row)
        if row["dag_id"] in on_partitions
        else wire.AssetWaiter(**row, missing=list(told.missing), reason=said(told))
        for row, told in zip(rows, awaited_by(conn, waits), strict=True)
    ]


def waiter_of_partitions(conn: Connection[Any], row: dict[str, Any]) -> wire.AssetWaiter:
    told = partitions.reason(conn, row["dag_id"])
    missing = list(dict.fromkeys(asset for asset, _ in told.missing))
    return wire.AssetWaiter(**row, missing=missing, reason=said(told), partitioned=True)


def schedule_of(given: Any, first: datetime) -> Schedule:
    """Read a stored schedule. One that only a newer version knows brings no runs here."""
    try:
        return schedules.of_data(given, first)
    except BadSchedule:
        return schedules.OnDemand()


def require(conn: Connection[Any], name: str) -> None:
    """Raise NotFound, with what was probably meant, unless there is such an asset."""
    if conn.execute(IS_KNOWN, {"name": name}).fetchone() is None:
        names = [known for (known,) in conn.execute(NAMES).fetchall()]
        meant = f"there is an alias of this name: {key(name)}" if key(name) in names else None
        advice = meant or did_you_mean(name, names) or "to list assets: headway asset ls"
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
    schedule = schedule_of(spec.schedule, spec.start_date or schedules.FIRST)
    waits = waits_of(conn, dag_id, schedule) if schedule.assets else []
    return wire.DagAssets(
        dag_id=dag_id,
        reason=said(next_of(conn, dag_id, schedule)) if schedule.assets else None,
        waits=waits,
        partitioned=schedule.partitioned,
        partitions=partitions.oldest(conn, dag_id) if schedule.partitioned else [],
        watchers=watchers.of_assets(conn, sorted(schedule.assets)) if schedule.assets else [],
        **{
            name: [wire.AssetUse(asset=a, task_id=t) for role, a, t in uses if role == wanted]
            for name, wanted in (("outlets", "outlet"), ("inlets", "inlet"), ("awaited", "wait"))
        },
    )


def waits_of(conn: Connection[Any], dag_id: str, schedule: Schedule) -> list[wire.AssetWait]:
    with conn.cursor(row_factory=class_row(Queued)) as cursor:
        return waits_by(schedule, cursor.execute(WAITS, {"dag_id": dag_id}).fetchall())


def waits_by(schedule: Schedule, queues: Sequence[Queued]) -> list[wire.AssetWait]:
    missing = schedule.missing({queue.asset for queue in queues if queue.since is not None})
    return [
        wire.AssetWait(**msgspec.structs.asdict(queue), missing=queue.asset in missing)
        for queue in queues
    ]


def next_of(
    conn: Connection[Any], dag_id: str, schedule: Schedule
) -> AwaitsAssets | AwaitsPartitions:
    """Return what the next run of a DAG waits for, of whichever kind its schedule is."""
    if schedule.partitioned:
        return partitions.reason(conn, dag_id)
    return awaited(conn, dag_id, schedule)


def awaited(conn: Connection[Any], dag_id: str, schedule: Schedule) -> AwaitsAssets:
    """Return what the next run of a DAG waits for."""
    (found,) = awaited_by(conn, [(dag_id, waits_of(conn, dag_id, schedule))])
    return found


def awaited_by(
    conn: Connection[Any], dags: Sequence[tuple[str, Sequence[wire.AssetWait]]]
) -> list[AwaitsAssets]:
    """Return what the next runs of DAGs of one team wait for, with as many looks as for one."""
    named = {wait.asset for _, waits in dags for wait in waits if wait.missing}
    theirs = [other for asset in sorted(named) if (other := foreign(asset)) is not None]
    closed = {str(one) for one in grants.closed(conn, theirs, GrantKind.USE_ASSET)}
    ready = next((dag_id for dag_id, waits in dags if since(waits) and not missing(waits)), None)
    limit = "" if ready is None else spent_limit(conn, ready)
    return [
        AwaitsAssets(
            missing(waits),
            since(waits),
            tuple(sorted(closed.intersection(missing(waits)))),
            "" if missing(waits) or not since(waits) else limit,
        )
        for _, waits in dags
    ]


def missing(waits: Sequence[wire.AssetWait]) -> tuple[str, ...]:
    return tuple(wait.asset for wait in waits if wait.missing)


def since(waits: Sequence[wire.AssetWait]) -> str:
    """Return since when there are new events; empty: there are none."""
    first = min((wait.since for wait in waits if wait.since is not None), default=None)
    return "" if first is None else first.isoformat()


def spent_limit(conn: Connection[Any], dag_id: str) -> str:
    """Return the limit that the team of a DAG has reached, or nothing."""
    row = conn.execute(TEAM, {"dag_id": dag_id}).fetchone()
    return "" if row is None else limits.spent(conn, row[0], clock(conn))
