"""Partitions for the API: which a DAG waits for and what they miss, and which an asset has."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, tuple_row

from headway import wire
from headway.core import schedules
from headway.core.foreign import foreign
from headway.core.grants import GrantKind
from headway.core.reasons import AwaitsPartitions
from headway.core.schedules import OnPartitions
from headway.core.schedules.on_partitions import Missing
from headway.core.wording import said
from headway.store import grants
from headway.store.views import assets, dags, pages

KEYS_MAX: Final = 50  # missing ones that are told of one asset
SAID_MAX: Final = 5  # in a sentence
SHOWN_MAX: Final = 10  # partitions beside all else of a DAG

# Without one that is overdue, of which nothing has arrived, and that somebody has run by hand.
STILL: LiteralString = """
    (due_at IS NULL OR EXISTS (
        SELECT FROM arrived_partition AS here
        WHERE here.team_id = pending.team_id AND here.dag_id = pending.dag_id AND here.partition = pending.partition
        OFFSET 0)
    OR NOT EXISTS (
        SELECT FROM run
        WHERE run.team_id = pending.team_id AND run.dag_id = pending.dag_id AND run.partition = pending.partition
        OFFSET 0))
"""

# The run is that of the same partition before.
PAGE: LiteralString = f"""
    SELECT pending.partition, since, latest_at, late, arrived.keys, last.run_id, due_at
    FROM pending_partition AS pending
    CROSS JOIN LATERAL (
        SELECT coalesce(json_object_agg(asset, keys), '{{}}') AS keys FROM (
            SELECT asset, json_agg(key ORDER BY key) AS keys FROM arrived_partition AS arrived
            WHERE arrived.team_id = pending.team_id AND arrived.dag_id = pending.dag_id
                AND arrived.partition = pending.partition
            GROUP BY asset
        ) AS of_asset
    ) AS arrived
    LEFT JOIN LATERAL (
        SELECT run_id FROM run
        WHERE pending.late AND run.team_id = pending.team_id AND run.dag_id = pending.dag_id
            AND run.partition = pending.partition
        ORDER BY created_at DESC LIMIT 1
    ) AS last ON true
    WHERE pending.dag_id = %(dag_id)s AND (%(partition)s::text IS NULL OR pending.partition = %(partition)s)
        AND (%(after)s::text IS NULL OR pending.partition > %(after)s) AND {STILL}
    ORDER BY pending.partition LIMIT %(limit)s
"""

COUNT: LiteralString = f"""
    SELECT count(*), (
        SELECT partition FROM pending_partition AS pending
        WHERE dag_id = %(dag_id)s AND {STILL} ORDER BY since, partition LIMIT 1)
    FROM pending_partition AS pending WHERE dag_id = %(dag_id)s AND {STILL}
"""

REFUSED: LiteralString = """
    SELECT asset, refused_key, refused_why, refused_at FROM asset_consumer
    WHERE dag_id = %(dag_id)s AND refused_key IS NOT NULL ORDER BY refused_at DESC LIMIT 1
"""

# One after another by the index, however many events each has.
OF_ASSET: LiteralString = """
    WITH RECURSIVE known AS (
        (SELECT partition, event_id, at, run_id, by, 1 AS place FROM asset_event
        WHERE team_id = %(team_id)s AND asset = %(asset)s AND partition IS NOT NULL
            AND (%(before)s::text IS NULL OR partition < %(before)s)
        ORDER BY partition DESC, event_id DESC LIMIT 1)
        UNION ALL
        SELECT next.partition, next.event_id, next.at, next.run_id, next.by, known.place + 1
        FROM known CROSS JOIN LATERAL (
            SELECT partition, event_id, at, run_id, by FROM asset_event AS event
            WHERE event.team_id = %(team_id)s AND event.asset = %(asset)s AND event.partition < known.partition
            ORDER BY partition DESC, event_id DESC LIMIT 1
        ) AS next
        WHERE known.place < %(limit)s
    )
    SELECT partition, event_id, at, run_id, by FROM known ORDER BY place
"""


class Row(msgspec.Struct, frozen=True):
    partition: str
    since: datetime
    latest_at: datetime
    late: bool
    keys: dict[str, list[str]]
    run_id: str | None
    due_at: datetime | None


def page(
    conn: Connection[Any], dag_id: str, partition: str | None, limit: int, cursor: str | None
) -> wire.Page[wire.PendingPartition]:
    """Return the partitions that a DAG waits for, by their keys. Raises NotFound."""
    schedule = schedule_of(conn, dag_id)
    if schedule is None:
        return wire.Page([], None)
    limit = pages.capped(limit)
    after = pages.decode(cursor, tuple[str])[0] if cursor else None
    found = rows(conn, dag_id, partition, after, limit + 1)
    more = pages.encode((found[limit - 1].partition,)) if len(found) > limit else None
    return wire.Page([told(schedule, row) for row in found[:limit]], more)


def schedule_of(conn: Connection[Any], dag_id: str) -> OnPartitions | None:
    spec = dags.spec(conn, dag_id)
    found = assets.schedule_of(spec.schedule, spec.start_date or schedules.FIRST)
    return found if isinstance(found, OnPartitions) else None


def rows(
    conn: Connection[Any], dag_id: str, partition: str | None, after: str | None, limit: int
) -> list[Row]:
    values = {"dag_id": dag_id, "partition": partition, "after": after, "limit": limit}
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(PAGE, values).fetchall()


def told(schedule: OnPartitions, row: Row) -> wire.PendingPartition:
    missing = schedule.missing_of(row.partition, row.keys)
    span = span_of(schedule, row.partition)
    return wire.PendingPartition(
        partition=row.partition,
        since=row.since,
        latest_at=row.latest_at,
        late=row.late,
        run_id=row.run_id,
        due_at=row.due_at,
        starts_at=None if span is None else span[0],
        ends_at=None if span is None else span[1],
        arrived={asset: len(keys) for asset, keys in sorted(row.keys.items())},
        missing=[
            wire.MissingKeys(
                asset=each.asset,
                keys=list(each.keys[:KEYS_MAX]),
                total=len(each.keys),
                needed=each.needed,
            )
            for each in missing
        ],
        reason=said(awaited(row, missing, 1)),
    )


def oldest(conn: Connection[Any], dag_id: str) -> list[wire.PendingPartition]:
    """Return the first partitions that a DAG waits for, by key."""
    return page(conn, dag_id, None, SHOWN_MAX, None).items


def span_of(schedule: OnPartitions, partition: str) -> tuple[datetime, datetime] | None:
    try:
        return schedule.span(partition)
    except ValueError:
        return None


def awaited(row: Row, missing: Sequence[Missing], pending: int) -> AwaitsPartitions:
    keys = [(each.asset, key) for each in missing for key in each.keys or ("",)]
    return AwaitsPartitions(
        partition=row.partition,
        missing=tuple(keys[:SAID_MAX]),
        more=max(0, len(keys) - SAID_MAX),
        needed=sum(each.needed for each in missing),
        pending=pending,
        since=row.since.isoformat(),
        late=row.late,
        due="" if row.due_at is None else row.due_at.isoformat(),
    )


def reason(conn: Connection[Any], dag_id: str) -> AwaitsPartitions:
    """Return what the next run of a DAG on partitions waits for: of those that wait, the one that began first."""
    schedule = schedule_of(conn, dag_id)
    if schedule is None:
        return AwaitsPartitions()
    with conn.cursor(row_factory=tuple_row) as cursor:
        count, oldest = cursor.execute(COUNT, {"dag_id": dag_id}).fetchone() or (0, None)
        refused = cursor.execute(REFUSED, {"dag_id": dag_id}).fetchone()
    theirs = [other for asset in sorted(schedule.assets) if (other := foreign(asset)) is not None]
    shut = tuple(sorted(str(one) for one in grants.closed(conn, theirs, GrantKind.USE_ASSET)))
    odd = (
        ""
        if refused is None
        else f"the last key of `{refused[0]}` that it could not use: {refused[2]}"
    )
    found = rows(conn, dag_id, oldest, None, 1) if oldest is not None else []
    if not found:
        return AwaitsPartitions(closed=shut, refused=odd)
    missing = schedule.missing_of(found[0].partition, found[0].keys)
    told = awaited(found[0], missing, count)
    limit = "" if missing else assets.spent_limit(conn, dag_id)
    return msgspec.structs.replace(told, limit=limit, closed=shut, refused=odd)


def of_asset(
    conn: Connection[Any], team_id: int, asset: str, limit: int, cursor: str | None
) -> wire.Page[wire.AssetPartition]:
    """Return the partitions of an asset with their last events, the last key first. Raises NotFound."""
    assets.require(conn, asset)
    limit = pages.capped(limit)
    before = pages.decode(cursor, tuple[str])[0] if cursor else None
    values = {"team_id": team_id, "asset": asset, "before": before, "limit": limit + 1}
    with conn.cursor(row_factory=class_row(wire.AssetPartition)) as rows_cursor:
        found = rows_cursor.execute(OF_ASSET, values).fetchall()
    more = pages.encode((found[limit - 1].partition,)) if len(found) > limit else None
    return wire.Page(found[:limit], more)
