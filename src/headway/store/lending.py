"""Pools that teams share by a grant: what each may use now (``core.lending``). Every function takes a connection; none
commits.

A team's row in ``pool`` is all that its ticks look at. Its rows for pools of other teams are made and closed with the
grant, by the database itself; only a division changes what is allotted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from headway.core.lending import Claim
from headway.store import states
from headway.store.rows import rows

WANTS_MAX: Final = 1_000  # task instances of a team that are counted for one pool
# The pool that a row is of: the team whose it is, and its name there.
ROOT: LiteralString = "coalesce(lender_id, team_id), coalesce(lent_name, name)"

IS_SHARED: LiteralString = "SELECT EXISTS (SELECT FROM pool WHERE allotted IS NOT NULL)"

# In the order of ticks (``store.pools``).
LOCK: LiteralString = f"""
    SELECT team_id, name FROM pool
    WHERE allotted IS NOT NULL
    ORDER BY {ROOT}, lender_id IS NOT NULL, team_id
    FOR NO KEY UPDATE
"""

# What each team could start now, as far as its agents and its own slots have room. Only of what is locked: a team that
# was given the pool since then has none of it, and waits for the next division.
CLAIMS: LiteralString = f"""
    WITH part AS MATERIALIZED (
        SELECT team_id, name, coalesce(lender_id, team_id) AS root_id, coalesce(lent_name, name) AS root_name,
            lender_id IS NULL AS is_owner, is_open, used, allotted, slots
        FROM unnest(%(teams)s::integer[], %(names)s::text[]) AS locked (team_id, name) JOIN pool USING (team_id, name)
    ), root AS (
        SELECT root_id, root_name, coalesce((
            SELECT slots FROM pool WHERE team_id = root_id AND name = root_name AND lender_id IS NULL), 0) AS slots
        FROM part GROUP BY root_id, root_name
    ), room AS MATERIALIZED (
        SELECT session.team_id, session.queues, session.slots - (
            SELECT count(*) FROM attempt
            WHERE attempt.session_id = session.session_id AND attempt.team_id = session.team_id
                AND attempt.state IN {states.LIVE_ATTEMPTS}) AS free
        FROM agent_session AS session
        WHERE session.ended_at IS NULL AND session.team_id IN (SELECT team_id FROM part)
    ), served AS MATERIALIZED (
        SELECT team_id, queue, sum(free) AS free
        FROM room CROSS JOIN unnest(queues) AS queue WHERE free > 0
        GROUP BY team_id, queue
    )
    SELECT root_id, root_name, root.slots, part.team_id, part.name, part.is_owner, part.is_open, part.used,
        part.allotted, part.slots AS slots_before, team.weight::double precision AS weight, ARRAY(
            SELECT next.pool_slots FROM served CROSS JOIN unnest(%(executors)s::text[]) AS need (executor)
            CROSS JOIN LATERAL (
                SELECT pool_slots, rank FROM task_instance AS instance
                WHERE instance.team_id = part.team_id AND instance.pool = part.name
                    AND instance.queue = served.queue AND instance.executor = need.executor
                    AND instance.rank IS NOT NULL AND instance.pool_slots <= root.slots
                ORDER BY instance.rank LIMIT least(served.free, root.slots, %(limit)s)
            ) AS next
            WHERE served.team_id = part.team_id AND part.is_open
            ORDER BY next.rank LIMIT greatest(0, least(
                (SELECT sum(free) FROM room WHERE room.team_id = part.team_id AND free > 0),
                (SELECT least(allotted, fair) - used FROM share WHERE share.team_id = part.team_id), %(limit)s))
        ) AS wants, coalesce((
            SELECT extract(epoch FROM min(ready_at))
            FROM served CROSS JOIN unnest(%(executors)s::text[]) AS need (executor)
            CROSS JOIN LATERAL (
                SELECT ready_at FROM task_instance AS instance
                WHERE instance.team_id = part.team_id AND instance.pool = part.name
                    AND instance.queue = served.queue AND instance.executor = need.executor
                    AND instance.rank IS NOT NULL AND instance.pool_slots <= root.slots
                ORDER BY instance.rank LIMIT 1
            ) AS first
            WHERE served.team_id = part.team_id AND part.is_open), 'infinity')::double precision AS since
    FROM part JOIN root USING (root_id, root_name) JOIN team ON team.team_id = part.team_id
    ORDER BY root_id, root_name, part.team_id
"""

ALLOT: LiteralString = """
    UPDATE pool SET allotted = change.allotted, slots = change.slots
    FROM json_to_recordset(%(rows)s::json) AS change (team_id integer, name text, allotted integer, slots integer)
    WHERE pool.team_id = change.team_id AND pool.name = change.name
"""

FORGET: LiteralString = "DELETE FROM pool WHERE allotted IS NOT NULL AND NOT is_open AND used = 0"

# As of now, not locked: it only says whether it is worth while to divide anew.
SPARE: LiteralString = """
    SELECT mine.team_id, mine.name, coalesce(sum(other.used), 0), coalesce(bool_or(other.is_open AND EXISTS (
        SELECT FROM task_instance AS instance
        WHERE instance.team_id = other.team_id AND instance.pool = other.name AND instance.rank IS NOT NULL
            AND instance.pool_slots > other.allotted - other.used)), false),
        coalesce(bool_or(
            other.allotted >= other.used AND other.used / of_other.weight > asked.used / of_mine.weight), false)
    FROM unnest(%(teams)s::integer[], %(names)s::text[], %(used)s::integer[]) AS asked (team_id, name, used)
    JOIN pool AS mine ON mine.team_id = asked.team_id AND mine.name = asked.name
    JOIN team AS of_mine ON of_mine.team_id = mine.team_id
    LEFT JOIN pool AS other ON other.allotted IS NOT NULL
        AND coalesce(other.lender_id, other.team_id) = coalesce(mine.lender_id, mine.team_id)
        AND coalesce(other.lent_name, other.name) = coalesce(mine.lent_name, mine.name)
        AND other.team_id <> mine.team_id
    LEFT JOIN team AS of_other ON of_other.team_id = other.team_id
    GROUP BY mine.team_id, mine.name
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one team in a pool that is shared, and the slots that it wants."""

    root_id: int  # the team whose pool it is
    root_name: str
    slots: int  # of the pool
    team_id: int
    name: str
    is_owner: bool
    is_open: bool
    used: int
    allotted: int | None
    slots_before: int
    weight: float
    wants: Sequence[int]
    since: float  # when the first of those was ready, in seconds

    @property
    def claim(self) -> Claim:
        return Claim(
            team_id=self.team_id,
            used=self.used,
            wants=self.wants,
            since=self.since,
            weight=self.weight,
            is_owner=self.is_owner,
            is_open=self.is_open,
        )


class Others(NamedTuple):
    """The use of a pool by other teams; ``short``: something waits for more than its team may use; ``ahead``: one uses
    more for its weight than the asking team would, and may go on with that.
    """

    used: int
    short: bool
    ahead: bool


def is_shared(conn: Connection[Any]) -> bool:
    """Return whether any pool is shared."""
    row = conn.execute(IS_SHARED).fetchone()
    return row is not None and bool(row[0])


def lock(conn: Connection[Any]) -> Sequence[tuple[int, str]]:
    """Lock all that teams have of shared pools, and return team and name: in a transaction that locks nothing else."""
    return conn.execute(LOCK).fetchall()


def parts(
    conn: Connection[Any], locked: Sequence[tuple[int, str]], executors: Sequence[str]
) -> list[Part]:
    """Return what each team has and wants, by pool."""
    with conn.cursor(row_factory=class_row(Part)) as cursor:
        values = {
            "teams": [team for team, _ in locked],
            "names": [name for _, name in locked],
            "executors": ["", *executors],
            "limit": WANTS_MAX,
        }
        return cursor.execute(CLAIMS, values).fetchall()


def allot(conn: Connection[Any], changed: Iterable[tuple[Part, int | None]]) -> None:
    """Write what teams may use. None: nobody but the owner uses the pool any more."""
    values = [
        {"team_id": part.team_id, "name": part.name, "allotted": count, "slots": part.slots}
        for part, count in changed
    ]
    if values:
        conn.execute(ALLOT, {"rows": rows(values)})


def forget(conn: Connection[Any]) -> None:
    """Remove what teams had by grants that were taken back, once nothing runs there any more."""
    conn.execute(FORGET)


def others(
    conn: Connection[Any], mine: Mapping[tuple[int, str], int]
) -> Mapping[tuple[int, str], Others]:
    """Return what the other teams that share each of these pools do. ``mine``: what a team would use of it, by team
    and name.
    """
    values = {
        "teams": [team for team, _ in mine],
        "names": [name for _, name in mine],
        "used": [*mine.values()],
    }
    return {(team, name): Others(*row) for team, name, *row in conn.execute(SPARE, values)}
