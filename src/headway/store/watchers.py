"""Watchers of assets (ADR 70). Every function takes a connection; none commits.

``asset_watcher`` says which watchers the current DAGs name; ``settle`` makes one row of ``watch`` for each, however
many assets and DAGs have it. A watch is held by the session of an agent, as a wait of a trigger is. What a holder tells
is stored with the cursor behind it in one transaction, and only in the life in which it was handed out, in order.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, LiteralString, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import args_row

from headway.core.watchers import Window, admit, restart_s
from headway.spec.model import Dag, Watcher
from headway.store.claims import Claim
from headway.store.rows import rows

HELD_MAX: Final = 2_000  # by one session
SORTED: Final = msgspec.json.Encoder(order="sorted")

DROP: LiteralString = (
    "DELETE FROM asset_watcher WHERE team_id = %(team_id)s AND dag_id = ANY(%(dags)s)"
)

PUT: LiteralString = """
    INSERT INTO asset_watcher (team_id, dag_id, asset, name, digest, facts, queue)
    SELECT %(team_id)s, dag_id, asset, name, digest, facts, queue FROM json_to_recordset(%(rows)s::json) AS new (
        dag_id text, asset text, name text, digest text, facts json, queue text)
"""

ANY: LiteralString = "SELECT EXISTS (SELECT FROM asset_watcher) OR EXISTS (SELECT FROM watch)"

# One scheduler at a time: two that bring many rows level at once would lock them in different orders.
TURN: LiteralString = "SELECT pg_try_advisory_xact_lock(hashtext('headway watchers'))"

# Whose DAG is there, of an unpaused DAG first. It is wanted while a DAG that runs waits for one of its assets: by its
# schedule, by a task, through an alias, or in another team that has a grant.
SETTLE: LiteralString = """
    WITH named AS MATERIALIZED (
        SELECT watcher.team_id, watcher.digest, watcher.facts::text AS facts, watcher.queue, dag.dag_id, dag.file,
            dag.bundle_version, dag.paused_at IS NOT NULL AS paused, EXISTS (
                SELECT FROM asset_consumer AS consumer JOIN dag AS waiting USING (team_id, dag_id)
                WHERE consumer.team_id = watcher.team_id AND consumer.asset = watcher.asset
                    AND waiting.paused_at IS NULL AND waiting.missing_since IS NULL
            ) OR EXISTS (
                SELECT FROM asset_use AS used JOIN dag AS waiting USING (team_id, dag_id)
                WHERE used.team_id = watcher.team_id AND used.asset = watcher.asset AND used.role = 'wait'
                    AND waiting.paused_at IS NULL AND waiting.missing_since IS NULL
            ) OR EXISTS (
                SELECT FROM asset_alias AS member
                JOIN asset_consumer AS consumer ON consumer.team_id = member.team_id
                    AND consumer.asset = '@alias:' || member.alias
                JOIN dag AS waiting ON waiting.team_id = consumer.team_id AND waiting.dag_id = consumer.dag_id
                WHERE member.team_id = watcher.team_id AND member.asset = watcher.asset
                    AND waiting.paused_at IS NULL AND waiting.missing_since IS NULL
            ) OR EXISTS (
                SELECT FROM team AS owner
                JOIN team_grant AS given ON given.owner = owner.name AND given.name = watcher.asset
                    AND given.kind = 'use_asset' AND given.state = 'given'
                JOIN team AS guest ON guest.name = given.grantee AND guest.deleted_at IS NULL
                JOIN asset_consumer AS consumer ON consumer.team_id = guest.team_id
                    AND consumer.asset = '@' || owner.name || '/' || watcher.asset
                JOIN dag AS waiting ON waiting.team_id = consumer.team_id AND waiting.dag_id = consumer.dag_id
                WHERE owner.team_id = watcher.team_id
                    AND waiting.paused_at IS NULL AND waiting.missing_since IS NULL
            ) AS wanted
        FROM asset_watcher AS watcher JOIN dag USING (team_id, dag_id)
        JOIN team ON team.team_id = watcher.team_id AND team.deleted_at IS NULL
        WHERE dag.missing_since IS NULL
    ), chosen AS MATERIALIZED (
        SELECT DISTINCT ON (team_id, digest) named.*, bool_or(wanted) OVER (PARTITION BY team_id, digest) AS any_wanted
        FROM named ORDER BY team_id, digest, paused, dag_id
    )
    INSERT INTO watch (team_id, digest, facts, queue, shared, dag_id, file, bundle_version, wanted, starts_at)
    SELECT team_id, digest, facts::json, queue, (facts::json ->> 'shared') IS NOT DISTINCT FROM 'true', dag_id, file,
        bundle_version, any_wanted, %(now)s
    FROM chosen
    WHERE NOT EXISTS (
        SELECT FROM watch AS known
        WHERE known.team_id = chosen.team_id AND known.digest = chosen.digest AND known.wanted = chosen.any_wanted
            AND (known.shared OR known.bundle_version = chosen.bundle_version AND known.file = chosen.file))
    ORDER BY team_id, digest
    ON CONFLICT (team_id, digest) DO UPDATE SET
        wanted = excluded.wanted, dag_id = excluded.dag_id, file = excluded.file,
        bundle_version = excluded.bundle_version, session_id = NULL, since = NULL,
        failures = 0, starts_at = excluded.starts_at
"""

# Of none that is still named. What only has no DAG at this moment keeps its cursor.
STOP: LiteralString = """
    UPDATE watch SET wanted = false, session_id = NULL, since = NULL
    WHERE wanted AND NOT EXISTS (
        SELECT FROM asset_watcher AS named JOIN dag USING (team_id, dag_id) JOIN team USING (team_id)
        WHERE named.team_id = watch.team_id AND named.digest = watch.digest
            AND dag.missing_since IS NULL AND team.deleted_at IS NULL)
"""

FORGET: LiteralString = """
    DELETE FROM watch WHERE NOT EXISTS (
        SELECT FROM asset_watcher AS named WHERE named.team_id = watch.team_id AND named.digest = watch.digest)
"""

FREE: LiteralString = """
    UPDATE watch SET session_id = NULL, since = NULL
    WHERE session_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM agent_session AS holder
        WHERE holder.team_id = watch.team_id AND holder.session_id = watch.session_id
            AND holder.ended_at IS NULL AND holder.heartbeat_at > %(now)s - %(silence)s)
"""

CLAIM: LiteralString = """
    WITH place AS MATERIALIZED (
        SELECT ctid FROM watch
        WHERE wanted AND session_id IS NULL AND team_id = %(team_id)s AND queue = ANY(%(queues)s::text[])
            AND starts_at <= %(now)s
            AND EXISTS (SELECT FROM agent_session AS mine
                WHERE mine.team_id = %(team_id)s AND mine.session_id = %(session_id)s
                    AND mine.ended_at IS NULL AND mine.heartbeat_at > %(now)s - %(silence)s)
        ORDER BY team_id, queue, digest LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    )
    UPDATE watch SET session_id = %(session_id)s, life = life + 1, batch = 0, since = %(now)s, looks = 0,
        looked_at = NULL, looks_at = NULL, note = NULL
    WHERE ctid = ANY(ARRAY(SELECT ctid FROM place))
    RETURNING digest, life, dag_id, file, bundle_version, facts::text, cursor::text
"""

TEAMS: LiteralString = """
    SELECT mine.team_id FROM unnest(%(teams)s::integer[]) AS mine (team_id) CROSS JOIN LATERAL (
        SELECT FROM watch WHERE watch.team_id = mine.team_id AND watch.wanted AND watch.session_id IS NULL LIMIT 1
    ) AS free
"""

HELD: LiteralString = """
    SELECT session_id, digest, life FROM watch WHERE session_id = ANY(%(sessions)s)
"""

# Without a wait for who changes a row at this moment: the next sweep finds it.
GIVE_BACK: LiteralString = """
    WITH place AS MATERIALIZED (
        SELECT ctid FROM watch
        WHERE session_id = %(session_id)s AND team_id = %(team_id)s AND digest = ANY(%(digests)s::text[])
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE watch SET session_id = NULL, since = NULL WHERE ctid = ANY(ARRAY(SELECT ctid FROM place))
"""

# By its key, whatever else its session holds: IS NOT DISTINCT FROM enters no index.
LOCK: LiteralString = """
    SELECT batch, window_at, window_events, failures FROM watch
    WHERE team_id = %(team_id)s AND digest = %(digest)s AND life = %(life)s
        AND session_id IS NOT DISTINCT FROM %(session_id)s
    FOR NO KEY UPDATE
"""

# Of each asset that has the watcher. An event with a key that was stored before is that one.
EMIT: LiteralString = """
    INSERT INTO asset_event (team_id, asset, at, extra, partition, by, idempotency_key)
    SELECT %(team_id)s, named.asset, %(now)s, new.extra::json, new.partition, 'watcher:' || named.name, new.key
    FROM (
        SELECT DISTINCT ON (asset) asset, name FROM asset_watcher JOIN dag USING (team_id, dag_id)
        WHERE team_id = %(team_id)s AND digest = %(digest)s AND missing_since IS NULL ORDER BY asset, name
    ) AS named
    CROSS JOIN json_to_recordset(%(rows)s::json) AS new (place integer, extra text, partition text, key text)
    ORDER BY new.place, named.asset
    ON CONFLICT (team_id, asset, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
"""

STORED: LiteralString = """
    UPDATE watch SET batch = %(batch)s, cursor = coalesce(%(cursor)s::json, cursor), failures = 0, error = NULL,
        events = events + %(events)s,
        last_event_at = CASE WHEN %(events)s > 0 THEN %(now)s ELSE last_event_at END,
        window_at = coalesce(%(window_at)s, window_at), window_events = coalesce(%(window_events)s, window_events)
    WHERE team_id = %(team_id)s AND digest = %(digest)s
"""

SLOWED: LiteralString = """
    UPDATE watch SET slowed_at = %(now)s WHERE team_id = %(team_id)s AND digest = %(digest)s
"""

STOPPED: LiteralString = """
    UPDATE watch SET session_id = NULL, since = NULL, failures = %(failures)s, starts_at = %(starts_at)s,
        error = %(error)s, failed_at = CASE WHEN %(error)s::text IS NULL THEN failed_at ELSE %(now)s END
    WHERE team_id = %(team_id)s AND digest = %(digest)s
"""

NOTE: LiteralString = """
    WITH told AS MATERIALIZED (
        SELECT known.ctid AS place, new.looks, new.age_s, new.again_s, new.note
        FROM json_to_recordset(%(rows)s::json) AS new (
            digest text, life integer, looks integer, age_s double precision, again_s double precision, note text)
        CROSS JOIN LATERAL (
            SELECT ctid FROM watch
            WHERE watch.team_id = %(team_id)s AND watch.digest = new.digest AND watch.life = new.life
                AND watch.session_id IS NOT DISTINCT FROM %(session_id)s
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS known
    )
    UPDATE watch SET looks = told.looks, note = told.note,
        looked_at = %(now)s - told.age_s * interval '1 second',
        looks_at = %(now)s - told.age_s * interval '1 second' + told.again_s * interval '1 second',
        failures = CASE WHEN told.looks > 1 THEN 0 ELSE failures END,
        error = CASE WHEN told.looks > 1 THEN NULL ELSE error END
    FROM told WHERE watch.ctid = told.place AND watch.ctid = ANY(ARRAY(SELECT place FROM told))
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A watch that a session holds. ``facts`` and ``cursor``: JSON."""

    digest: str
    life: int
    dag_id: str
    file: str
    bundle_version: str
    facts: str
    cursor: str | None


class Holder(NamedTuple):
    """The session that holds a watch, and in which life of it."""

    team_id: int
    session_id: str
    digest: str
    life: int


class NewEvent(NamedTuple):
    """``extra``: JSON. ``key``: the same one is the same event."""

    extra: str
    partition: str | None = None
    key: str | None = None


class Look(NamedTuple):
    """The last look of a watcher. ``again_s``: after it, the next one; None: that is not known."""

    digest: str
    life: int
    looks: int
    age_s: float
    again_s: float | None
    note: str


class Taken(NamedTuple):
    """The answer to a batch: it is stored, or to be told again after ``again_s``. ``over``: somebody else looks now."""

    again_s: float = 0.0
    over: bool = False


def register(conn: Connection[Any], team_id: int, dags: Sequence[Dag]) -> None:
    """Make these the current versions of their DAGs, as far as watchers go."""
    conn.execute(DROP, {"team_id": team_id, "dags": [dag.dag_id for dag in dags]})
    if named := list(watchers_of(dags)):
        conn.execute(PUT, {"team_id": team_id, "rows": rows(named)})


def watchers_of(dags: Iterable[Dag]) -> Iterator[dict[str, Any]]:
    for dag in dags:
        for asset in dag.assets:
            for watcher in asset.watchers:
                yield {
                    "dag_id": dag.dag_id,
                    "asset": asset.name,
                    "name": watcher.name,
                    "digest": digest(watcher),
                    "facts": facts_of(watcher),
                    "queue": watcher.queue,
                }


def facts_of(watcher: Watcher) -> dict[str, Any]:
    return {
        "trigger": watcher.trigger,
        "what": watcher.what,
        "kwargs": watcher.kwargs,
        "every_s": watcher.every_s,
        "shared": watcher.shared,
    }


def digest(watcher: Watcher) -> str:
    """Return the same for what is the same watcher, whatever its name."""
    return sha256(SORTED.encode([facts_of(watcher), watcher.queue])).hexdigest()


def are_there(conn: Connection[Any]) -> bool:
    row = conn.execute(ANY).fetchone()
    return row is not None and bool(row[0])


def settle(conn: Connection[Any], now: datetime, silence: timedelta) -> None:
    """Bring the watches in line with what DAGs name and wait for, and take them from who is gone.

    If another scheduler is doing so, leave it to that one.
    """
    row = conn.execute(TURN).fetchone()
    if row is None or not row[0]:
        return
    conn.execute(FORGET)
    conn.execute(STOP)
    conn.execute(SETTLE, {"now": now})
    conn.execute(FREE, {"now": now, "silence": silence})


def claim(conn: Connection[Any], claim: Claim) -> list[Held]:
    """Let a session hold free watches of its team whose time has come."""
    with conn.cursor(row_factory=args_row(Held)) as cursor:
        return cursor.execute(CLAIM, claim._asdict()).fetchall()


def teams(conn: Connection[Any], among: Collection[int]) -> set[int]:
    """Return those of the teams that have free watches."""
    return {team_id for (team_id,) in conn.execute(TEAMS, {"teams": list(among)})}


def held(conn: Connection[Any], sessions: Collection[str]) -> dict[str, dict[str, int]]:
    """Return the life of each watch that sessions hold, by session. No two teams have the same session."""
    found: dict[str, dict[str, int]] = {}
    for session, digest, life in conn.execute(HELD, {"sessions": list(sessions)}):
        found.setdefault(session, {})[digest] = life
    return found


def give_back(conn: Connection[Any], team_id: int, session: str, digests: Collection[str]) -> None:
    """Free watches that a session holds and does not know of. The next hand-out begins another life.

    In the same life its batches would count from 1 again, and be taken for those that are stored.
    """
    values = {"team_id": team_id, "session_id": session, "digests": list(digests)}
    conn.execute(GIVE_BACK, values)


class State(NamedTuple):
    batch: int
    window_at: datetime | None
    window_events: int
    failures: int


def locked(conn: Connection[Any], holder: Holder) -> State | None:
    row = conn.execute(LOCK, holder._asdict()).fetchone()
    return None if row is None else State(*row)


def store(
    conn: Connection[Any],
    holder: Holder,
    batch: int,
    events: Sequence[NewEvent],
    cursor: str | None,
    now: datetime,
) -> Taken:
    """Store what a holder tells, once: its events and the cursor behind them. ``cursor``: JSON; None: as it was."""
    known = locked(conn, holder)
    if known is None or batch > known.batch + 1:
        return Taken(over=True)
    if batch <= known.batch:
        return Taken()
    window: Window | None = None
    if events:
        before = None if known.window_at is None else Window(known.window_at, known.window_events)
        found = admit(before, len(events), now)
        if isinstance(found, timedelta):
            conn.execute(SLOWED, {**holder._asdict(), "now": now})
            return Taken(again_s=found.total_seconds())
        window = found
        emit(conn, holder, events, now)
    values = {
        **holder._asdict(),
        "batch": batch,
        "cursor": cursor,
        "events": len(events),
        "now": now,
        "window_at": None if window is None else window.at,
        "window_events": None if window is None else window.events,
    }
    conn.execute(STORED, values)
    return Taken()


def emit(conn: Connection[Any], holder: Holder, events: Sequence[NewEvent], now: datetime) -> None:
    new = [{"place": place, **event._asdict()} for place, event in enumerate(events)]
    conn.execute(EMIT, {**holder._asdict(), "rows": rows(new), "now": now})


def stopped(conn: Connection[Any], holder: Holder, error: str | None, now: datetime) -> None:
    """Free a watch whose code has ended; with an ``error`` it begins again the later the more often that happens."""
    known = locked(conn, holder)
    if known is None:
        return
    failures = 0 if error is None else known.failures + 1
    starts_at = now + timedelta(seconds=restart_s(failures))
    values = {"failures": failures, "starts_at": starts_at, "error": error, "now": now}
    conn.execute(STOPPED, {**holder._asdict(), **values})


def note(
    conn: Connection[Any], team_id: int, session: str, looks: Sequence[Look], now: datetime
) -> None:
    """Store the last look of each watch that the session holds."""
    batch = rows([look._asdict() for look in looks])
    conn.execute(NOTE, {"team_id": team_id, "session_id": session, "rows": batch, "now": now})
