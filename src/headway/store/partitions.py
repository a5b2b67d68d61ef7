"""Partitions that DAGs wait for, and the keys of them that have arrived. Every function takes a connection; none
commits.

Routing counts events for a partitioned consumer as for any other. Under the lock of its DAG they are then mapped: each
key of an event becomes rows of the partitions that it belongs to, and ``asset_consumer.consumed`` says up to which
position that is done. A partition that is complete becomes a run, which takes its keys along (``consumed_partition``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import args_row, scalar_row, tuple_row

from headway.store.rows import rows

END: Final = 2**63 - 1  # after every position

TAKE: LiteralString = """
    SELECT event.asset, event.partition, event.position, event.at
    FROM asset_consumer AS consumer CROSS JOIN LATERAL (
        SELECT asset, partition, position, at FROM asset_event AS event
        WHERE event.team_id = consumer.team_id AND event.asset = consumer.asset
            AND event.position > consumer.consumed AND event.position <= consumer.latest
        ORDER BY event.position LIMIT %(limit)s
    ) AS event
    WHERE consumer.team_id = %(team_id)s AND consumer.dag_id = %(dag_id)s AND consumer.consumed < consumer.latest
    ORDER BY event.position LIMIT %(limit)s
"""

# Of another version of the schedule: they are mapped anew.
OUTDATED: LiteralString = """
    WITH outdated AS (
        SELECT team_id, dag_id, partition FROM pending_partition
        WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND mapping <> %(mapping)s
        ORDER BY partition LIMIT %(limit)s
    ), gone AS (
        DELETE FROM pending_partition USING outdated
        WHERE pending_partition.team_id = outdated.team_id AND pending_partition.dag_id = outdated.dag_id
            AND pending_partition.partition = outdated.partition
    )
    SELECT DISTINCT asset, key, position, at FROM arrived_partition JOIN outdated USING (team_id, dag_id, partition)
    ORDER BY position
"""

# Returns the partitions of which nothing was there.
ARRIVE: LiteralString = """
    WITH new AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS new (
            partition text, asset text, key text, position bigint, at timestamptz)
    ), pending AS (
        INSERT INTO pending_partition (team_id, dag_id, partition, since, latest_at, mapping)
        SELECT %(team_id)s, %(dag_id)s, partition, min(at), max(at), %(mapping)s
        FROM new GROUP BY partition ORDER BY partition
        ON CONFLICT (team_id, dag_id, partition) DO UPDATE SET news = true,
            since = least(pending_partition.since, excluded.since),
            latest_at = greatest(pending_partition.latest_at, excluded.latest_at)
        RETURNING partition, xmax = 0 AS is_new
    ), arrived AS (
        INSERT INTO arrived_partition (team_id, dag_id, partition, asset, key, position, events, at)
        SELECT %(team_id)s, %(dag_id)s, partition, asset, key, max(position), count(*), max(at)
        FROM new GROUP BY partition, asset, key ORDER BY partition, asset, key
        ON CONFLICT (team_id, dag_id, partition, asset, key) DO UPDATE SET
            position = greatest(arrived_partition.position, excluded.position),
            events = arrived_partition.events + excluded.events, at = greatest(arrived_partition.at, excluded.at)
    )
    SELECT partition FROM pending WHERE is_new ORDER BY partition
"""

# What arrives after the run of its partition is told in the history of the last such run.
LATE: LiteralString = """
    WITH before AS MATERIALIZED (
        SELECT named.partition, last.run_id, last.version, last.state FROM unnest(%(keys)s::text[]) AS named (partition)
        CROSS JOIN LATERAL (
            SELECT run_id, version, state FROM run
            WHERE run.team_id = %(team_id)s AND run.dag_id = %(dag_id)s AND run.partition = named.partition
            ORDER BY created_at DESC LIMIT 1
        ) AS last
    ), marked AS (
        UPDATE pending_partition AS pending SET late = true FROM before
        WHERE pending.team_id = %(team_id)s AND pending.dag_id = %(dag_id)s AND pending.partition = before.partition
    )
    INSERT INTO event (team_id, at, subject, dag_id, run_id, version, name, state, actor, reason)
    SELECT %(team_id)s, %(now)s, 'run', %(dag_id)s, run_id, version, 'late_partition', state, 'scheduler',
        json_build_object('kind', 'late_partition', 'partition', before.partition, 'arrived', first.key,
            'asset', first.asset)
    FROM before CROSS JOIN LATERAL (
        SELECT asset, key FROM json_to_recordset(%(rows)s::json) AS new (partition text, asset text, key text)
        WHERE new.partition = before.partition LIMIT 1
    ) AS first
    ORDER BY before.partition
"""

ADVANCE: LiteralString = """
    UPDATE asset_consumer AS consumer SET
        consumed = greatest(consumer.consumed, least(consumer.latest, %(upto)s)),
        events = left_over.events, since = left_over.since, latest_at = left_over.latest_at
    FROM (
        SELECT queue.asset, count(event.at)::integer AS events, min(event.at) AS since, max(event.at) AS latest_at
        FROM asset_consumer AS queue LEFT JOIN LATERAL (
            SELECT at FROM asset_event AS event
            WHERE event.team_id = queue.team_id AND event.asset = queue.asset
                AND event.position > %(upto)s AND event.position <= queue.latest OFFSET 0
        ) AS event ON true
        WHERE queue.team_id = %(team_id)s AND queue.dag_id = %(dag_id)s
        GROUP BY queue.asset
    ) AS left_over
    WHERE consumer.team_id = %(team_id)s AND consumer.dag_id = %(dag_id)s AND consumer.asset = left_over.asset
"""

REFUSE: LiteralString = """
    UPDATE asset_consumer SET refused_key = %(key)s, refused_why = %(why)s, refused_at = %(at)s
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND asset = %(asset)s
"""

NEWS: LiteralString = """
    SELECT partition, since, latest_at, late FROM pending_partition
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND news
    ORDER BY partition LIMIT %(limit)s
"""

ARRIVED: LiteralString = """
    SELECT found.* FROM unnest(%(keys)s::text[]) AS named (partition) CROSS JOIN LATERAL (
        SELECT partition, asset, key FROM arrived_partition AS arrived
        WHERE arrived.team_id = %(team_id)s AND arrived.dag_id = %(dag_id)s AND arrived.partition = named.partition
        OFFSET 0
    ) AS found
"""

JUDGED: LiteralString = """
    UPDATE pending_partition SET news = false
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND partition = ANY(%(keys)s)
"""

CONSUME: LiteralString = """
    WITH made AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS made (partition text, run_id text)
    ), taken AS (
        INSERT INTO consumed_partition (team_id, run_id, asset, key, position, events)
        SELECT %(team_id)s, made.run_id, asset, key, position, events
        FROM made CROSS JOIN LATERAL (
            SELECT asset, key, position, events FROM arrived_partition AS arrived
            WHERE arrived.team_id = %(team_id)s AND arrived.dag_id = %(dag_id)s AND arrived.partition = made.partition
            OFFSET 0
        ) AS arrived
    )
    DELETE FROM pending_partition AS pending USING made
    WHERE pending.team_id = %(team_id)s AND pending.dag_id = %(dag_id)s AND pending.partition = made.partition
"""

# Of DAGs that no longer run on partitions.
DROP: LiteralString = """
    DELETE FROM pending_partition AS pending
    WHERE team_id = %(team_id)s AND dag_id = ANY(%(dags)s) AND NOT EXISTS (
        SELECT FROM json_to_recordset(%(rows)s::json) AS new (dag_id text, partitioned boolean)
        WHERE new.dag_id = pending.dag_id AND new.partitioned)
"""

# The last run of each.
KNOWN: LiteralString = """
    SELECT last.* FROM unnest(%(keys)s::text[]) AS named (partition) CROSS JOIN LATERAL (
        SELECT partition, run_id, state FROM run
        WHERE run.team_id = %(team_id)s AND run.dag_id = %(dag_id)s AND run.partition = named.partition
        ORDER BY created_at DESC LIMIT 1
    ) AS last
"""


class Event(NamedTuple):
    """An event of an asset that counts for a DAG."""

    asset: str
    key: str | None
    position: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """A key of an asset that belongs to a partition of a DAG."""

    partition: str
    asset: str
    key: str
    position: int
    at: datetime


class Pending(NamedTuple):
    partition: str
    since: datetime
    latest_at: datetime
    late: bool


class Dag(NamedTuple):
    """A DAG that runs on partitions. ``mapping``: a digest of its schedule."""

    team_id: int
    dag_id: str
    mapping: str = ""


def take(conn: Connection[Any], dag: Dag, limit: int) -> list[Event]:
    """Return the oldest events of the DAG's assets that were not mapped yet."""
    with conn.cursor(row_factory=args_row(Event)) as cursor:
        return cursor.execute(TAKE, {**dag._asdict(), "limit": limit}).fetchall()


def outdated(conn: Connection[Any], dag: Dag, limit: int) -> list[Event]:
    """Remove partitions that another schedule has mapped. Returns the keys that have arrived for them."""
    with conn.cursor(row_factory=args_row(Event)) as cursor:
        return cursor.execute(OUTDATED, {**dag._asdict(), "limit": limit}).fetchall()


def arrive(conn: Connection[Any], dag: Dag, arrivals: Collection[Arrival], now: datetime) -> None:
    """Store keys that have arrived. Those of a partition that has a run are noted as late."""
    if not arrivals:
        return
    values = {**dag._asdict(), "rows": rows([asdict(each) for each in arrivals]), "now": now}
    with conn.cursor(row_factory=scalar_row) as cursor:
        new = cursor.execute(ARRIVE, values).fetchall()
    if new:
        conn.execute(LATE, {**values, "keys": new})


def advance(conn: Connection[Any], dag: Dag, upto: int) -> None:
    """Note that all events up to a position are mapped."""
    conn.execute(ADVANCE, {**dag._asdict(), "upto": upto})


def refuse(conn: Connection[Any], dag: Dag, event: Event, why: str) -> None:
    """Note a key that no partition takes: the last one of its asset is shown."""
    values = {"asset": event.asset, "key": event.key, "at": event.at, "why": why}
    conn.execute(REFUSE, {**dag._asdict(), **values})


def news(conn: Connection[Any], dag: Dag, limit: int) -> list[Pending]:
    """Return partitions that are to be judged."""
    with conn.cursor(row_factory=args_row(Pending)) as cursor:
        return cursor.execute(NEWS, {**dag._asdict(), "limit": limit}).fetchall()


def arrived(
    conn: Connection[Any], dag: Dag, partitions: Sequence[str]
) -> dict[str, dict[str, list[str]]]:
    """Return the keys that have arrived, by partition and asset."""
    found: dict[str, dict[str, list[str]]] = {each: {} for each in partitions}
    with conn.cursor(row_factory=tuple_row) as cursor:
        for partition, asset, key in cursor.execute(
            ARRIVED, {**dag._asdict(), "keys": list(partitions)}
        ):
            found[partition].setdefault(asset, []).append(key)
    return found


def judged(conn: Connection[Any], dag: Dag, partitions: Sequence[str]) -> None:
    """Note that no run follows yet for partitions."""
    if partitions:
        conn.execute(JUDGED, {**dag._asdict(), "keys": list(partitions)})


def consume(conn: Connection[Any], dag: Dag, made: Mapping[str, str]) -> None:
    """Let runs have the keys of their partitions. ``made``: partitions with their runs."""
    if made:
        given = [{"partition": each, "run_id": run_id} for each, run_id in made.items()]
        conn.execute(CONSUME, {**dag._asdict(), "rows": rows(given)})


def drop(
    conn: Connection[Any], team_id: int, dags: Sequence[str], waiting: Iterable[Mapping[str, Any]]
) -> None:
    """Forget what has arrived for DAGs that no longer run on partitions. ``waiting``: their consumers."""
    conn.execute(DROP, {"team_id": team_id, "dags": list(dags), "rows": rows(list(waiting))})


def known(
    conn: Connection[Any], team_id: int, dag_id: str, partitions: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Return for partitions that have runs the last one: partition, run and state."""
    values = {"team_id": team_id, "dag_id": dag_id, "keys": list(partitions)}
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(KNOWN, values).fetchall()
