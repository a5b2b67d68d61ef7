"""Assets, their events and who waits for them. Every function takes a connection; none commits.

An event is written with what it tells of, without a position. ``route`` then hands it to the consumers, one scheduler
at a time, and gives positions in the order in which they learn of events: what lies between two positions is
complete. A consumer's row says what it has consumed and what counts for its next run; a run says between which
positions its events lie (``consumed_asset``). Lock order: DAGs, the turn to hand on events, consumers; rows by key.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row, dict_row, scalar_row, tuple_row

from headway.core import schedules
from headway.core.aliases import alias_of
from headway.core.run import Run
from headway.spec.model import Dag, Task
from headway.store import aliases, partitions, partitions_due, watchers
from headway.store.rows import rows

AWAITS: Final = "wait_for_asset"  # the kind of a task

# One for an attempt and partition: the index would refuse a second one.
EMIT: LiteralString = """
    INSERT INTO asset_event (team_id, asset, at, extra, partition, dag_id, run_id, task_id, map_index, attempt, aliases,
        definition)
    SELECT team_id, asset, %(now)s, extra::json, partition, dag_id, run_id, task_id, map_index, attempt, aliases,
        definition::json
    FROM json_to_recordset(%(rows)s::json) AS new (
        team_id integer, asset text, extra text, partition text, dag_id text, run_id text, task_id text,
        map_index integer, attempt integer, aliases text[], definition text)
"""

PUT_EVENT: LiteralString = """
    INSERT INTO asset_event (team_id, asset, at, extra, partition, by, idempotency_key)
    VALUES (%(team_id)s, %(asset)s, %(now)s, %(extra)s::json, %(partition)s, %(by)s, %(idempotency_key)s)
    ON CONFLICT (team_id, asset, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING event_id
"""

OF_KEY: LiteralString = """
    SELECT event_id FROM asset_event
    WHERE team_id = %(team_id)s AND asset = %(asset)s AND idempotency_key = %(idempotency_key)s
"""

LOCK: LiteralString = "SELECT pg_try_advisory_xact_lock(hashtext('headway assets'))"

WAIT_FOR_TURN: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('headway assets'))"

ANY_EVENT: LiteralString = "SELECT EXISTS (SELECT FROM asset_event WHERE position IS NULL)"

# Ordered, so that the plan enters the index of news however little the server knows of the table.
ANY_NEWS: LiteralString = """
    SELECT EXISTS (
        SELECT FROM (SELECT FROM asset_consumer WHERE news ORDER BY team_id, dag_id LIMIT 1) AS first)
"""

# The oldest of each team, one of each after another, so that a team with very many holds up no other. Then ordered: the
# positions of a team follow the numbers of its events.
TAKE: LiteralString = """
    WITH RECURSIVE waiting AS (
        (SELECT team_id FROM asset_event WHERE position IS NULL ORDER BY team_id LIMIT 1)
        UNION ALL
        SELECT (SELECT event.team_id FROM asset_event AS event
            WHERE event.position IS NULL AND event.team_id > waiting.team_id ORDER BY event.team_id LIMIT 1)
        FROM waiting WHERE waiting.team_id IS NOT NULL
    ), fresh AS MATERIALIZED (
        SELECT event_id, team_id, asset, at, aliases, origin, nextval('asset_position') AS position FROM (
            SELECT oldest.* FROM (
                SELECT event.* FROM waiting CROSS JOIN LATERAL (
                    SELECT event_id, team_id, asset, at, aliases, origin,
                        row_number() OVER (ORDER BY event_id) AS place
                    FROM asset_event WHERE position IS NULL AND team_id = waiting.team_id
                    ORDER BY event_id LIMIT %(limit)s
                ) AS event ORDER BY place, event_id LIMIT %(limit)s
            ) AS oldest ORDER BY event_id
        ) AS ordered
    ), routed AS (
        UPDATE asset_event SET position = fresh.position FROM fresh CROSS JOIN LATERAL (
            SELECT ctid FROM asset_event AS known WHERE known.event_id = fresh.event_id OFFSET 0
        ) AS found
        WHERE asset_event.ctid = found.ctid
    )
    SELECT team_id, asset, min(position) AS first, max(position) AS latest, count(*)::integer AS events,
        min(at) AS since, max(at) AS latest_at, bool_or(aliases IS NOT NULL AND origin IS NULL) AS added
    FROM fresh GROUP BY team_id, asset
"""

# To each team that names the asset and has a grant now, as an event of its own asset ``@owner/name``: without what made
# it. The key is that of the event, so that it is handed on once. As of the statement: TAKE has given the positions.
HAND_ON: LiteralString = """
    WITH handed AS (
        INSERT INTO asset_event (team_id, asset, at, extra, partition, by, idempotency_key)
        SELECT guest.team_id, known.name, event.at, event.extra, event.partition, 'team:' || owner.name, event.event_id
        FROM json_to_recordset(%(rows)s::json) AS fresh (team_id integer, asset text, first bigint, latest bigint)
        JOIN team AS owner ON owner.team_id = fresh.team_id
        JOIN team_grant AS given ON given.owner = owner.name AND given.name = fresh.asset
            AND given.kind = 'use_asset' AND given.state = 'given'
        JOIN team AS guest ON guest.name = given.grantee AND guest.deleted_at IS NULL
        JOIN asset AS known ON known.team_id = guest.team_id
            AND known.name = '@' || owner.name || '/' || fresh.asset AND NOT starts_with(fresh.asset, '@')
        CROSS JOIN LATERAL (
            SELECT event_id, at, extra, partition FROM asset_event AS event
            WHERE event.team_id = fresh.team_id AND event.asset = fresh.asset
                AND event.position >= fresh.first AND event.position <= fresh.latest
            ORDER BY event.position OFFSET 0
        ) AS event
        ON CONFLICT (team_id, asset, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING 1
    )
    SELECT count(*) FROM handed
"""

# Before they are changed, by a statement that sees what was changed meanwhile.
LOCK_WAITING: LiteralString = """
    SELECT FROM json_to_recordset(%(rows)s::json) AS fresh (team_id integer, asset text)
    JOIN asset_consumer AS consumer ON consumer.team_id = fresh.team_id AND consumer.asset = fresh.asset
    ORDER BY consumer.team_id, consumer.dag_id, consumer.asset
    FOR NO KEY UPDATE OF consumer
"""

# As in Airflow, an event does not count for a DAG that is paused or gone; the events of that time go with the next one.
# A partition that arrives counts for one that is paused: nobody puts it again.
QUEUE: LiteralString = """
    UPDATE asset_consumer AS consumer SET
        latest = fresh.latest, events = consumer.events + fresh.events, news = true,
        since = least(consumer.since, fresh.since), latest_at = greatest(consumer.latest_at, fresh.latest_at)
    FROM json_to_recordset(%(rows)s::json) AS fresh (
        team_id integer, asset text, latest bigint, events integer, since timestamptz, latest_at timestamptz)
    WHERE consumer.team_id = fresh.team_id AND consumer.asset = fresh.asset AND EXISTS (
        SELECT FROM dag WHERE dag.team_id = consumer.team_id AND dag.dag_id = consumer.dag_id
            AND (paused_at IS NULL OR consumer.partitioned) AND missing_since IS NULL OFFSET 0)
"""

# One of each team after another, and in another order each time: who always has news leaves the others their turn.
DUE: LiteralString = """
    SELECT dag.team_id, dag.dag_id, dag.version
    FROM (
        SELECT team_id, dag_id, row_number() OVER (
            PARTITION BY team_id ORDER BY hashtextextended(dag_id, %(turn)s + team_id)) AS place
        FROM (SELECT DISTINCT team_id, dag_id FROM asset_consumer WHERE news) AS known
        JOIN dag USING (team_id, dag_id) WHERE paused_at IS NULL AND missing_since IS NULL
    ) AS wanted
    JOIN dag ON dag.team_id = wanted.team_id AND dag.dag_id = wanted.dag_id
    WHERE paused_at IS NULL AND missing_since IS NULL
    ORDER BY place, hashtextextended(dag.dag_id, %(turn)s + dag.team_id) LIMIT %(limit)s
    FOR NO KEY UPDATE OF dag SKIP LOCKED
"""

QUEUES: LiteralString = """
    SELECT asset, consumed, latest, events, since, latest_at FROM asset_consumer
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
    ORDER BY asset FOR NO KEY UPDATE
"""

JUDGED: LiteralString = """
    UPDATE asset_consumer SET news = false
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND news
"""

CONSUME: LiteralString = """
    WITH consumed AS (
        INSERT INTO consumed_asset (team_id, run_id, asset, consumed, latest, events)
        SELECT team_id, %(run_id)s, asset, consumed, latest, events FROM asset_consumer
        WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s AND consumed < latest
    )
    UPDATE asset_consumer SET consumed = latest, events = 0, since = NULL, latest_at = NULL, news = false
    WHERE team_id = %(team_id)s AND dag_id = %(dag_id)s
"""

# What only refers to an asset leaves it as it is.
PUT_ASSETS: LiteralString = """
    INSERT INTO asset (team_id, name, uri, asset_group, extra, reference, created_at)
    SELECT %(team_id)s, name, uri, asset_group, extra, reference, %(now)s
    FROM json_to_recordset(%(rows)s::json) AS new (
        name text, uri text, asset_group text, extra json, reference boolean)
    ORDER BY name
    ON CONFLICT (team_id, name) DO UPDATE SET
        uri = excluded.uri, asset_group = excluded.asset_group, extra = excluded.extra, reference = false
    WHERE NOT excluded.reference
"""

DROP_USES: LiteralString = """
    DELETE FROM asset_use WHERE team_id = %(team_id)s AND dag_id = ANY(%(dags)s)
"""

PUT_USES: LiteralString = """
    INSERT INTO asset_use (team_id, dag_id, asset, task_id, role)
    SELECT %(team_id)s, dag_id, asset, task_id, role
    FROM json_to_recordset(%(rows)s::json) AS new (dag_id text, asset text, task_id text, role text)
"""

LOCK_CONSUMERS: LiteralString = """
    SELECT FROM asset_consumer WHERE team_id = %(team_id)s AND dag_id = ANY(%(dags)s)
    ORDER BY dag_id, asset FOR NO KEY UPDATE
"""

DROP_CONSUMERS: LiteralString = """
    DELETE FROM asset_consumer AS known
    WHERE team_id = %(team_id)s AND dag_id = ANY(%(dags)s) AND NOT EXISTS (
        SELECT FROM json_to_recordset(%(rows)s::json) AS new (dag_id text, asset text)
        WHERE new.dag_id = known.dag_id AND new.asset = known.asset)
"""

# A new consumer begins now. One that is known is judged again, because its condition may be another one.
PUT_CONSUMERS: LiteralString = """
    INSERT INTO asset_consumer (team_id, dag_id, asset, partitioned, consumed, latest)
    SELECT %(team_id)s, dag_id, asset, partitioned, position, position
    FROM json_to_recordset(%(rows)s::json) AS new (dag_id text, asset text, partitioned boolean)
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT position FROM asset_event
            WHERE team_id = %(team_id)s AND asset_event.asset = new.asset AND position IS NOT NULL
            ORDER BY position DESC LIMIT 1), 0) AS position
    ) AS now
    ORDER BY dag_id, asset
    ON CONFLICT (team_id, dag_id, asset) DO UPDATE SET
        news = asset_consumer.since IS NOT NULL OR excluded.partitioned, partitioned = excluded.partitioned,
        refused_key = NULL, refused_why = NULL, refused_at = NULL
"""

# An event of an alias is told as that of its asset, once, though the run may have it of both.
TRIGGERING: LiteralString = """
    WITH had AS (
        SELECT event.* FROM consumed_asset AS had CROSS JOIN LATERAL (
            SELECT * FROM asset_event AS event
            WHERE event.team_id = had.team_id AND event.asset = had.asset
                AND event.position > had.consumed AND event.position <= had.latest
            ORDER BY event.position DESC LIMIT %(limit)s
        ) AS event
        WHERE had.team_id = %(team_id)s AND had.run_id = %(run_id)s
        UNION ALL (
            SELECT event.* FROM consumed_partition AS had CROSS JOIN LATERAL (
                SELECT * FROM asset_event AS event
                WHERE event.team_id = had.team_id AND event.asset = had.asset AND event.position = had.position OFFSET 0
            ) AS event
            WHERE had.team_id = %(team_id)s AND had.run_id = %(run_id)s
            ORDER BY event.position DESC LIMIT %(limit)s
        )
    ), told AS (
        SELECT DISTINCT ON (coalesce(origin_id, event_id)) coalesce(origin, asset) AS asset, at, extra, partition,
            dag_id, run_id, task_id, map_index, by, aliases, position
        FROM had ORDER BY coalesce(origin_id, event_id), aliases NULLS LAST, position
    )
    SELECT asset, at, extra::text, partition, dag_id, run_id, task_id, map_index, by, aliases, position
    FROM told ORDER BY asset, position
"""

LATEST: LiteralString = """
    SELECT * FROM (
        SELECT asset, at, extra::text, partition, dag_id, run_id, task_id, map_index, by, aliases
        FROM asset_event
        WHERE team_id = %(team_id)s AND asset = %(asset)s
        ORDER BY position DESC NULLS FIRST, event_id DESC LIMIT %(limit)s
    ) AS found ORDER BY at
"""


DEFINED: LiteralString = """
    SELECT name, uri, asset_group, extra::text FROM asset
    WHERE team_id = %(team_id)s AND (name = %(name)s OR %(name)s::text IS NULL AND uri = %(uri)s)
    ORDER BY name LIMIT 1
"""


class DueDag(msgspec.Struct, frozen=True):
    team_id: int
    dag_id: str
    version: int


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event from outside. ``extra``: JSON."""

    team_id: int
    asset: str
    extra: str
    partition: str | None
    by: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """The state of one asset of a DAG. ``events``: those that count for its next run, from ``since`` on."""

    asset: str
    consumed: int
    latest: int
    events: int
    since: datetime | None
    latest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it is stored. ``extra``: JSON; ``aliases``: through which the task added the asset."""

    asset: str
    at: datetime
    extra: str
    partition: str | None
    dag_id: str | None
    run_id: str | None
    task_id: str | None
    map_index: int | None
    by: str | None
    aliases: list[str] | None = None


def emitted(run: Run) -> Iterator[dict[str, Any]]:
    """Return the rows of the events that a run leaves behind."""
    for event in run.changes.emitted:
        yield {
            "team_id": run.team_id,
            "asset": event.asset,
            "extra": event.extra,
            "partition": event.partition,
            "dag_id": run.graph.dag_id,
            "run_id": run.run_id,
            "task_id": event.instance.node.task_id,
            "map_index": event.instance.map_index,
            "attempt": event.attempt,
            "aliases": event.aliases or None,
            "definition": event.definition,
        }


def json_of(extra: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(extra)


def put(conn: Connection[Any], event: NewEvent, now: datetime) -> int:
    """Store an event from outside. Returns its id, or that of the event that has its key already."""
    values = {**asdict(event), "now": now}
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(PUT_EVENT, values).fetchone()
        if found is None:
            found = cursor.execute(OF_KEY, values).fetchone()
    assert found is not None
    return found


def are_there(conn: Connection[Any]) -> tuple[bool, bool]:
    """Return whether there are events that no consumer knows, and consumers that are to be judged."""
    return is_true(conn, ANY_EVENT), is_true(conn, ANY_NEWS)


def is_true(conn: Connection[Any], statement: LiteralString) -> bool:
    row = conn.execute(statement).fetchone()
    return row is not None and bool(row[0])


def lock(conn: Connection[Any]) -> bool:
    """Take the turn until the transaction ends. Returns False if another scheduler has it."""
    return is_true(conn, LOCK)


def route(conn: Connection[Any], limit: int, now: datetime) -> tuple[int, int]:
    """Hand new events to their consumers, the oldest first, and on to aliases and to teams with a grant.

    Returns how many there were, and how many new ones aliases and other teams have from them.
    """
    handed = 0
    with conn.cursor(row_factory=dict_row) as cursor:
        fresh = cursor.execute(TAKE, {"limit": limit}).fetchall()
    if fresh:
        conn.execute(LOCK_WAITING, {"rows": rows(fresh)})
        conn.execute(QUEUE, {"rows": rows(fresh)})
        with conn.cursor(row_factory=scalar_row) as counted:
            handed = counted.execute(HAND_ON, {"rows": rows(fresh)}).fetchone() or 0
        handed += aliases.share(conn, fresh, now)
    return sum(each["events"] for each in fresh), handed


def due(conn: Connection[Any], limit: int, now: datetime) -> list[DueDag]:
    """Lock DAGs whose condition is to be judged. Returns them by key, as everyone locks consumers."""
    turn = int(now.timestamp() * 1_000_000)
    with conn.cursor(row_factory=class_row(DueDag)) as cursor:
        found = cursor.execute(DUE, {"limit": limit, "turn": turn}).fetchall()
    return sorted(found, key=lambda dag: (dag.team_id, dag.dag_id))


def queues(conn: Connection[Any], team_id: int, dag_id: str) -> list[Queue]:
    """Lock what a DAG has of its assets."""
    with conn.cursor(row_factory=class_row(Queue)) as cursor:
        return cursor.execute(QUEUES, {"team_id": team_id, "dag_id": dag_id}).fetchall()


def judged(conn: Connection[Any], dag: DueDag) -> None:
    """Note that nothing follows from the news of a DAG."""
    conn.execute(JUDGED, {"team_id": dag.team_id, "dag_id": dag.dag_id})


def consume(conn: Connection[Any], dag: DueDag, run_id: str) -> None:
    """Let a run have all events of the DAG's assets that no earlier run had."""
    conn.execute(CONSUME, {"team_id": dag.team_id, "dag_id": dag.dag_id, "run_id": run_id})


def register(conn: Connection[Any], team_id: int, dags: Sequence[Dag], now: datetime) -> bool:
    """Make these the current versions of their DAGs, as far as assets go. The DAGs are locked.

    Returns whether any of them waits for assets.
    """
    values: dict[str, Any] = {"team_id": team_id, "now": now, "dags": [dag.dag_id for dag in dags]}
    conn.execute(DROP_USES, values)
    watchers.register(conn, team_id, dags)
    waiting = list(consumers(dags))
    named = [asset for dag in dags for asset in dag.assets]
    named.sort(key=lambda asset: not asset.reference)  # one that is defined counts
    if known := {asset.name: asset for asset in named}:
        assets = [
            {
                "name": a.name,
                "uri": a.uri,
                "asset_group": a.group,
                "extra": a.extra,
                "reference": a.reference,
            }
            for a in known.values()
        ]
        conn.execute(PUT_ASSETS, {**values, "rows": rows(assets)})
        conn.execute(PUT_USES, {**values, "rows": rows(list(uses(dags)))})
    if waiting:
        conn.execute(WAIT_FOR_TURN)  # an event is handed on before a consumer begins, or after it
    partitions.drop(conn, team_id, values["dags"], waiting)
    conn.execute(LOCK_CONSUMERS, values)
    conn.execute(DROP_CONSUMERS, {**values, "rows": rows(waiting)})
    if waiting:
        conn.execute(PUT_CONSUMERS, {**values, "rows": rows(waiting)})
    partitions_due.expect(conn, team_id, values["dags"], list(expecting(dags)), now)
    return bool(waiting)


def consumers(dags: Iterable[Dag]) -> Iterator[dict[str, Any]]:
    for dag in dags:
        schedule = schedules.of_data(dag.schedule, schedules.FIRST)
        for asset in sorted(schedule.assets):
            yield {"dag_id": dag.dag_id, "asset": asset, "partitioned": schedule.partitioned}


def expecting(dags: Iterable[Dag]) -> Iterator[str]:
    """Yield the DAGs whose partitions are due at some time."""
    for dag in dags:
        schedule = schedules.of_data(dag.schedule, schedules.FIRST)
        if isinstance(schedule, schedules.OnPartitions) and schedule.due is not None:
            yield dag.dag_id


def uses(dags: Iterable[Dag]) -> Iterator[dict[str, str]]:
    for dag in dags:
        for task in dag.tasks:
            for role, named in (("outlet", task.outlets), ("inlet", task.inlets)):
                for asset in named:
                    yield {
                        "dag_id": dag.dag_id,
                        "asset": asset,
                        "task_id": task.task_id,
                        "role": "wait" if role == "inlet" and waits_for(task, asset) else role,
                    }


def waits_for(task: Task, asset: str) -> bool:
    """Return whether the task is there to wait for an event of the asset."""
    return task.kind == AWAITS and (task.arguments or {}).get("asset") == asset


def triggering(conn: Connection[Any], team_id: int, run_id: str, limit: int) -> list[Stored]:
    """Return the events that brought a run, at most ``limit`` of each asset, the newest last."""
    values = {"team_id": team_id, "run_id": run_id, "limit": limit}
    with conn.cursor(row_factory=tuple_row) as cursor:
        return [Stored(*row[:-1]) for row in cursor.execute(TRIGGERING, values)]


def latest(conn: Connection[Any], team_id: int, asset: str, limit: int) -> list[Stored]:
    """Return the last events of an asset, or those that came through an alias, the newest last."""
    values = {"team_id": team_id, "asset": asset, "limit": limit}
    statement = LATEST if alias_of(asset) is None else aliases.THROUGH
    with conn.cursor(row_factory=class_row(Stored)) as cursor:
        return cursor.execute(statement, values).fetchall()


def defined(
    conn: Connection[Any], team_id: int, name: str | None, uri: str | None
) -> list[tuple[str, str, str, str]]:
    """Return name, URI, group and extra (JSON) of the asset with that name, or without a name that URI."""
    values = {"team_id": team_id, "name": name, "uri": uri}
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(DEFINED, values).fetchall()
