"""Deliveries of outbound webhooks, as what sends them sees them. Every function takes a connection; none commits.

A delivery that is to be sent has ``next_at``. Who claims it puts that off for as long as sending can take: a process
that dies meanwhile leaves it to the next one.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from headway.store.envelopes import Envelope

LEASE: Final = timedelta(minutes=1)  # longer than a request may take, and to note what came of it
AT_ONCE: Final = 4  # of a webhook; of one that fails, one
KEPT: Final = 1_000  # deliveries of a webhook that are over
WAITING_MAX: Final = 10_000  # of a webhook: beyond that the oldest are given up
CROWDED: Final = "more than 10,000 deliveries of the webhook waited"

Key = tuple[int, str]  # team and name of a webhook

ANY: LiteralString = "SELECT EXISTS (SELECT FROM outbound_webhook WHERE disabled_at IS NULL)"

# Locked, so that nobody deletes one meanwhile.
TARGETS: LiteralString = """
    SELECT hook.team_id, hook.name, team.name AS team, dags, states, events, with_params, site, active_since
    FROM outbound_webhook AS hook JOIN team ON team.team_id = hook.team_id
    WHERE hook.team_id = ANY (%(teams)s::integer[]) AND disabled_at IS NULL
    ORDER BY hook.team_id, hook.name FOR KEY SHARE OF hook
"""

# Each is found by its key behind a fence (see ``headway.store``).
RUNS: LiteralString = """
    SELECT wanted.team_id, wanted.run_id, logical_date, trigger, started_at, params
    FROM unnest(%(teams)s::integer[], %(runs)s::text[]) AS wanted (team_id, run_id)
    CROSS JOIN LATERAL (
        SELECT logical_date, trigger, started_at, params::text FROM run
        WHERE run.team_id = wanted.team_id AND run.run_id = wanted.run_id
        OFFSET 0
    ) AS known
"""

ADD: LiteralString = """
    INSERT INTO outbound_delivery (team_id, name, event_id, event, at, dag_id, run_id, state, partition, body, since,
        next_at)
    SELECT team_id, name, event_id, event, at, dag_id, run_id, state, partition, body, %(now)s, %(now)s
    FROM json_to_recordset(%(rows)s::json) AS new (team_id integer, name text, event_id text, event text,
        at timestamptz, dag_id text, run_id text, state text, partition text, body text)
    ON CONFLICT (team_id, name, event_id) DO NOTHING
"""

# The oldest first. A webhook that fails is tried with one at a time, so that it costs nobody else much.
CLAIM: LiteralString = """
    WITH busy AS (
        SELECT * FROM unnest(%(teams)s::integer[], %(names)s::text[], %(counts)s::integer[])
            AS busy (team_id, name, count)
    ), due AS MATERIALIZED (
        SELECT found.team_id, found.name, found.delivery_no
        FROM outbound_webhook AS hook
        LEFT JOIN busy ON busy.team_id = hook.team_id AND busy.name = hook.name
        CROSS JOIN LATERAL (
            SELECT team_id, name, delivery_no, next_at FROM outbound_delivery AS waiting
            WHERE waiting.team_id = hook.team_id AND waiting.name = hook.name AND waiting.next_at <= %(now)s
            ORDER BY waiting.next_at
            LIMIT greatest(0, CASE WHEN hook.failing_since IS NULL THEN %(at_once)s ELSE 1 END
                - coalesce(busy.count, 0))
            FOR UPDATE SKIP LOCKED
        ) AS found
        WHERE hook.disabled_at IS NULL
        ORDER BY found.next_at LIMIT %(most)s
    )
    UPDATE outbound_delivery AS taken SET next_at = %(until)s, tries = tries + 1, tried_at = %(now)s
    FROM due JOIN outbound_webhook AS hook USING (team_id, name)
    WHERE taken.team_id = due.team_id AND taken.name = due.name AND taken.delivery_no = due.delivery_no
    RETURNING taken.team_id, taken.name, taken.delivery_no AS number, taken.event_id, taken.event,
        taken.body, taken.tries, taken.since, hook.url, hook.key_id, hook.wrapped, hook.sealed
"""

# Only what nobody else has claimed since, after our lease had ended. Found by its key behind a fence.
RECORD: LiteralString = """
    UPDATE outbound_delivery AS known SET status = done.status, next_at = done.next_at, code = done.code,
        trouble = done.trouble, answer = done.answer, took_ms = done.took_ms
    FROM json_to_recordset(%(rows)s::json) AS done (team_id integer, name text, number bigint, tries integer,
        status text, next_at timestamptz, code integer, trouble text, answer text, took_ms integer)
    CROSS JOIN LATERAL (
        SELECT ctid FROM outbound_delivery AS own
        WHERE own.team_id = done.team_id AND own.name = done.name AND own.delivery_no = done.number
            AND own.tries = done.tries AND own.next_at IS NOT NULL
        OFFSET 0
    ) AS found
    WHERE known.ctid = found.ctid
"""

HEALTH: LiteralString = """
    UPDATE outbound_webhook AS hook SET trouble = done.trouble,
        failing_since = CASE WHEN done.trouble IS NOT NULL THEN coalesce(hook.failing_since, %(now)s) END
    FROM json_to_recordset(%(rows)s::json) AS done (team_id integer, name text, trouble text)
    WHERE hook.team_id = done.team_id AND hook.name = done.name
        AND (hook.trouble IS DISTINCT FROM done.trouble)
"""

PRUNE: LiteralString = """
    DELETE FROM outbound_delivery
    WHERE team_id = %(team_id)s AND name = %(name)s AND next_at IS NULL AND delivery_no <= (
        SELECT delivery_no FROM outbound_delivery
        WHERE team_id = %(team_id)s AND name = %(name)s AND next_at IS NULL
        ORDER BY delivery_no DESC OFFSET %(kept)s LIMIT 1)
"""

THIN: LiteralString = """
    UPDATE outbound_delivery SET status = 'given_up', next_at = NULL, trouble = %(trouble)s
    WHERE team_id = %(team_id)s AND name = %(name)s AND next_at IS NOT NULL AND delivery_no <= (
        SELECT delivery_no FROM outbound_delivery
        WHERE team_id = %(team_id)s AND name = %(name)s AND next_at IS NOT NULL
        ORDER BY delivery_no DESC OFFSET %(kept)s LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook that may be told of an event."""

    team_id: int
    name: str
    team: str
    dags: list[str]
    states: list[str]
    events: list[str]
    with_params: bool
    site: str
    active_since: datetime


class Told(NamedTuple):
    """The facts of a run that are told."""

    logical_date: datetime
    trigger: str
    started_at: datetime | None
    params: str  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A delivery that is to be sent. ``event``: of which kind."""

    team_id: int
    name: str
    event_id: str
    event: str
    at: datetime
    body: str
    dag_id: str | None = None
    run_id: str | None = None
    state: str | None = None
    partition: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send until the lease ends."""

    team_id: int
    name: str
    number: int
    event_id: str
    event: str
    body: str
    tries: int
    since: datetime
    url: str
    key_id: str
    wrapped: bytes
    sealed: bytes

    @property
    def key(self) -> Key:
        return self.team_id, self.name

    @property
    def envelope(self) -> Envelope:
        return Envelope(self.key_id, self.wrapped, self.sealed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The end of a try. ``next_at``: when it is tried again."""

    team_id: int
    name: str
    number: int
    tries: int
    status: str
    next_at: datetime | None
    code: int | None
    trouble: str | None
    answer: str | None
    took_ms: int


def are_there(conn: Connection[Any]) -> bool:
    """Return whether any team has an outbound webhook that is not disabled."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return bool(cursor.execute(ANY).fetchone())


def targets(conn: Connection[Any], teams: Collection[int]) -> list[Target]:
    with conn.cursor(row_factory=class_row(Target)) as cursor:
        return cursor.execute(TARGETS, {"teams": list(teams)}).fetchall()


def told(conn: Connection[Any], wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], Told]:
    """Return what runs say of themselves, by team and id."""
    values = {"teams": [team for team, _ in wanted], "runs": [run for _, run in wanted]}
    return {(team, run): Told(*known) for team, run, *known in conn.execute(RUNS, values)}


def add(conn: Connection[Any], new: Sequence[New], now: datetime) -> None:
    """Add deliveries that are due now. Those of an event that there is already are left as they are."""
    conn.execute(ADD, {"rows": rows(new), "now": now})


def claim(
    conn: Connection[Any], busy: Mapping[Key, int], most: int, now: datetime
) -> list[Claimed]:
    """Claim what is due, at most ``most``. ``busy``: how many of each webhook are being sent."""
    values = {
        "teams": [team for team, _ in busy],
        "names": [name for _, name in busy],
        "counts": list(busy.values()),
        "at_once": AT_ONCE,
        "most": most,
        "now": now,
        "until": now + LEASE,
    }
    with conn.cursor(row_factory=class_row(Claimed)) as cursor:
        return cursor.execute(CLAIM, values).fetchall()


def record(conn: Connection[Any], done: Sequence[Done], now: datetime) -> None:
    """Note what became of deliveries, and how their webhooks fare: one that has succeeded does not fail."""
    conn.execute(RECORD, {"rows": rows(done)})
    health: dict[Key, str | None] = {}
    for each in done:
        key = (each.team_id, each.name)
        health[key] = each.trouble if health.get(key, "") is not None else None
    told = [{"team_id": key[0], "name": key[1], "trouble": why} for key, why in health.items()]
    conn.execute(HEALTH, {"rows": json.dumps(told), "now": now})


def tidy(conn: Connection[Any], keys: Collection[Key]) -> None:
    """Drop the deliveries of webhooks that are over beyond the last ones, and give up those that are too many."""
    for team_id, name in sorted(keys):
        values = {"team_id": team_id, "name": name}
        conn.execute(THIN, {**values, "kept": WAITING_MAX, "trouble": CROWDED})
        conn.execute(PRUNE, {**values, "kept": KEPT})


def rows(values: Sequence[New] | Sequence[Done]) -> str:
    return json.dumps([asdict(each) for each in values], default=datetime.isoformat)
