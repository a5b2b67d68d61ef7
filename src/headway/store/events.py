"""Events as a follower reads them, and how far each has read. Every function takes a connection; none commits.

What happened between two moments is a stretch. It is read in parts, by number: within a stretch, who
waited for a lock has the higher numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row, scalar_row, tuple_row

from headway.store.moments import BEGUN_SINCE, OPEN_THEN, SEEN, Moment, between, known

# Held until the transaction ends. It is no row lock: that would be a write, and what the transaction
# writes itself must come after the moment that it reads up to.
LOCK: LiteralString = """
    SELECT pg_try_advisory_xact_lock(
        hashtext('headway event follower'), hashtext(concat_ws(' ', %(team_id)s::integer, %(follower)s::text)))
"""

POSITION: LiteralString = """
    SELECT since, since_at, until, until_at, seq, last_seq FROM event_position
    WHERE follower = %(follower)s AND team_id IS NOT DISTINCT FROM %(team_id)s
"""

SAVE: LiteralString = """
    INSERT INTO event_position (follower, team_id, since, since_at, until, until_at, seq, last_seq)
    VALUES (%(follower)s, %(team_id)s, %(since)s, %(since_at)s, %(until)s, %(until_at)s, %(seq)s,
        %(last_seq)s)
    ON CONFLICT (follower, team_id) DO UPDATE
    SET since = excluded.since, since_at = excluded.since_at, until = excluded.until,
        until_at = excluded.until_at, seq = excluded.seq, last_seq = excluded.last_seq
"""

# Reads each event of the stretch once, however long it is: the parts then need only their own.
STRETCH: LiteralString = f"""
    SELECT min(seq), max(seq) FROM team CROSS JOIN LATERAL (
        SELECT seq FROM event WHERE event.team_id = team.team_id AND {BEGUN_SINCE}
        UNION ALL
        SELECT seq FROM event WHERE event.team_id = team.team_id AND {OPEN_THEN}
    ) AS found
    WHERE %(team_id)s::integer IS NULL OR team.team_id = %(team_id)s
"""

# By numbers, not by LIMIT: however little the server knows, it enters the primary key and sorts nothing.
PART: LiteralString = f"""
    SELECT seq, team_id, at, subject, dag_id, run_id, task_id, map_index, attempt, version, name, state, actor,
        reason::text
    FROM event
    WHERE seq BETWEEN %(from_seq)s::bigint AND %(to_seq)s::bigint
        AND (%(team_id)s::integer IS NULL OR team_id = %(team_id)s)
        AND (xact >= %(begun)s::text::xid8 OR xact = ANY (%(were_open)s::text[]::xid8[])) AND {SEEN}
    ORDER BY seq
"""

# From the end: events come nearly in the order of their times.
LAST_BEFORE: LiteralString = """
    SELECT coalesce((SELECT seq FROM event WHERE at < %(at)s ORDER BY seq DESC LIMIT 1), 0),
        coalesce((SELECT max(seq) FROM event), 0)
"""

UNREAD_SINCE: LiteralString = """
    SELECT min(since_at) FROM event_position WHERE team_id = %(team_id)s OR team_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Event:
    """An event, as stored."""

    seq: int
    team_id: int
    at: datetime
    subject: str
    dag_id: str | None
    run_id: str | None
    task_id: str | None
    map_index: int | None
    attempt: int | None
    version: int | None
    name: str
    state: str | None
    actor: str
    reason: str | None


class Stretch(NamedTuple):
    """A range of events that is handled in parts, up to ``last_seq``; not all events in it belong to it."""

    until: Moment
    until_at: datetime
    seq: int  # the last one that is handled
    last_seq: int

    @property
    def is_over(self) -> bool:
        return self.seq >= self.last_seq


@dataclass(frozen=True, slots=True)
class Position:
    since: Moment
    since_at: datetime
    stretch: Stretch | None = None


def lock(conn: Connection[Any], follower: str, team_id: int | None) -> bool:
    """Lock the follower's name until the transaction ends. Returns False if another process holds it."""
    row = conn.execute(LOCK, {"follower": follower, "team_id": team_id}).fetchone()
    return row is not None and bool(row[0])


def position(conn: Connection[Any], follower: str, team_id: int | None) -> Position | None:
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(POSITION, {"follower": follower, "team_id": team_id}).fetchone()
    if row is None:
        return None
    since, since_at, until, *rest = row
    return Position(known(since), since_at, until and Stretch(known(until), *rest))


def save(conn: Connection[Any], follower: str, team_id: int | None, where: Position) -> None:
    until, until_at, seq, last_seq = where.stretch or (None, None, None, None)
    conn.execute(
        SAVE,
        {
            "follower": follower,
            "team_id": team_id,
            "since": str(where.since),
            "since_at": where.since_at,
            "until": until and str(until),
            "until_at": until_at,
            "seq": seq,
            "last_seq": last_seq,
        },
    )


def stretch(
    conn: Connection[Any], team_id: int | None, since: Moment, until: Moment, until_at: datetime
) -> Stretch | None:
    """Return the range of events between two moments, or None. ``until_at`` is the time of the later one."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(STRETCH, {"team_id": team_id, **between(since, until)}).fetchone()
    assert row is not None
    return None if row[0] is None else Stretch(until, until_at, row[0] - 1, row[1])


def part(
    conn: Connection[Any], team_id: int | None, since: Moment, where: Stretch, limit: int
) -> tuple[Sequence[Event], Stretch]:
    """Return the next events of a range by number, at most ``limit``, and the rest of the range."""
    values = {"team_id": team_id, **between(since, where.until)}
    with conn.cursor(row_factory=class_row(Event)) as cursor:
        while not where.is_over:
            first, where = where.seq + 1, where._replace(seq=min(where.seq + limit, where.last_seq))
            found = cursor.execute(
                PART, {**values, "from_seq": first, "to_seq": where.seq}
            ).fetchall()
            if found:
                return found, where
    return [], where


def since_time(conn: Connection[Any], at: datetime, until: Moment, until_at: datetime) -> Stretch:
    """Return roughly all events since a time, for a follower whose moment is from another database."""
    row = conn.execute(LAST_BEFORE, {"at": at}).fetchone()
    assert row is not None
    return Stretch(until, until_at, *row)


def unread_since(conn: Connection[Any], team_id: int) -> datetime | None:
    """Return the time since which a follower of the team has read nothing, or None without followers."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: datetime | None = cursor.execute(UNREAD_SINCE, {"team_id": team_id}).fetchone()
        return found
