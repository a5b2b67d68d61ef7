"""The slots that teams share: what each may use (``core.shares``). Every function takes a connection; none commits.

A tick locks the shares of the teams whose slots it takes or gives back, after the pools. Only ``lock_all`` takes
those of all teams, in a transaction that locks nothing else.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import kwargs_row

from headway.core.admission import Share
from headway.core.shares import Claim, Division
from headway.store import states
from headway.store.rows import rows

WAITING_MAX: Final = 10_000  # task instances of a team in one pool and queue that are counted

# The slots of a team that are not lent, of its nominal ones.
KEPT: LiteralString = (
    "least(coalesce((team.limits ->> 'kept_slots')::integer, 0), coalesce(team.slots, 0))"
)

# One order for everybody, as with pools.
LOCK: LiteralString = f"""
    SELECT share.team_id, team.name, share.used, team.slots, share.allotted, share.fair, share.short,
        {KEPT}
    FROM share JOIN team ON team.team_id = share.team_id
    WHERE share.team_id = ANY(%(teams)s)
    ORDER BY share.team_id
    FOR NO KEY UPDATE OF share
"""

# As of now, not locked: it only says whether it is worth while to divide anew.
OTHERS: LiteralString = f"""
    SELECT coalesce(bool_or(short), false),
        coalesce(sum(allotted - least(allotted, greatest(used, {KEPT}, CASE WHEN short THEN fair ELSE 0 END))), 0),
        (SELECT coalesce(sum(slots), 0) FROM capacity) - coalesce(sum(allotted), 0)
    FROM share JOIN team USING (team_id) WHERE allotted IS NOT NULL AND NOT (team_id = ANY(%(teams)s))
"""

SLOTS: LiteralString = """
    SELECT (SELECT sum(slots) FROM capacity)::integer,
        (SELECT count(*) > 1 OR bool_or(limits ? 'running_tasks') FROM team WHERE deleted_at IS NULL),
        (SELECT count(*) FROM share WHERE allotted IS NOT NULL)
"""

LOCK_ALL: LiteralString = "SELECT team_id, short FROM share ORDER BY team_id FOR NO KEY UPDATE"

RECOUNT: LiteralString = f"""
    UPDATE share SET used = counted.used FROM (
        SELECT share.team_id, count(attempt.state)::integer AS used
        FROM share LEFT JOIN attempt
            ON attempt.team_id = share.team_id AND attempt.state IN {states.LIVE_ATTEMPTS}
        GROUP BY share.team_id
    ) AS counted
    WHERE counted.team_id = share.team_id AND counted.used <> share.used
"""

# What a team could use now: what is ready, as far as its pools and the agents that serve it have room. Of a pool that
# it shares that is what nobody uses: how that is divided depends on the slots that the team has. What waits behind one
# that needs more slots than its pool has free is not counted, because nobody overtakes it (``core.admission``).
CLAIMS: LiteralString = f"""
    WITH room AS MATERIALIZED (
        SELECT session.team_id, session.queues, session.slots - (
            SELECT count(*) FROM attempt
            WHERE attempt.session_id = session.session_id AND attempt.team_id = session.team_id
                AND attempt.state IN {states.LIVE_ATTEMPTS}) AS free
        FROM agent_session AS session WHERE session.ended_at IS NULL
    ), served AS MATERIALIZED (
        SELECT team_id, queue, sum(free) AS free
        FROM room CROSS JOIN unnest(queues) AS queue WHERE free > 0
        GROUP BY team_id, queue
    ), roomy AS MATERIALIZED (
        SELECT team_id, name, slots,
            CASE WHEN allotted IS NULL THEN slots - used ELSE greatest(allotted - used, slots - (
            SELECT sum(used) FROM pool AS part
            WHERE part.allotted IS NOT NULL
                AND coalesce(part.lender_id, part.team_id) = coalesce(pool.lender_id, pool.team_id)
                AND coalesce(part.lent_name, part.name) = coalesce(pool.lent_name, pool.name))) END AS free
        FROM pool WHERE is_open
    ), next AS (
        SELECT served.team_id, pool.name, served.queue, served.free, pool.free AS pool_free, sum(line.pool_slots) OVER (
            PARTITION BY pool.team_id, pool.name ORDER BY line.rank ROWS UNBOUNDED PRECEDING) AS up_to
        FROM served JOIN roomy AS pool ON pool.team_id = served.team_id AND pool.free > 0
        CROSS JOIN unnest(%(executors)s::text[]) AS need (executor)
        CROSS JOIN LATERAL (
            SELECT pool_slots, rank FROM task_instance AS instance
            WHERE instance.team_id = served.team_id AND instance.pool = pool.name
                AND instance.queue = served.queue AND instance.executor = need.executor
                AND instance.rank IS NOT NULL AND instance.pool_slots <= pool.slots
            ORDER BY instance.rank LIMIT least(served.free, pool.free, %(limit)s)
        ) AS line
    ), waiting AS MATERIALIZED (
        SELECT team_id, name, queue, free, pool_free, count(*) AS count FROM next
        WHERE up_to <= pool_free GROUP BY team_id, name, queue, free, pool_free
    ), by_pool AS (
        SELECT team_id, least(sum(count), max(pool_free)) AS count FROM waiting GROUP BY team_id, name
    ), by_queue AS (
        SELECT team_id, least(sum(count), max(free)) AS count FROM waiting GROUP BY team_id, queue
    ), wanted AS (
        SELECT team_id, least(
            coalesce((SELECT sum(count) FROM by_pool WHERE by_pool.team_id = team.team_id), 0),
            (SELECT sum(count) FROM by_queue WHERE by_queue.team_id = team.team_id),
            (SELECT sum(free) FROM room WHERE room.team_id = team.team_id AND free > 0)) AS count
        FROM team
    )
    SELECT team.team_id, share.used, share.used + coalesce(wanted.count, 0)::integer AS wants,
        coalesce(team.slots, 0) AS nominal, team.weight::double precision AS weight,
        CASE WHEN team.deleted_at IS NULL THEN (team.limits ->> 'running_tasks')::integer ELSE share.used END AS limit,
        coalesce(CASE WHEN team.deleted_at IS NULL THEN (team.limits ->> 'kept_slots')::integer END, 0) AS kept
    FROM team JOIN share USING (team_id) JOIN wanted USING (team_id)
"""

DIVIDE: LiteralString = """
    UPDATE share SET allotted = change.allotted, fair = change.fair, short = change.short
    FROM json_to_recordset(%(rows)s::json) AS change (team_id integer, allotted integer, fair integer, short boolean)
    WHERE share.team_id = change.team_id
        AND (share.allotted, share.fair, share.short) IS DISTINCT FROM (change.allotted, change.fair, change.short)
    RETURNING share.team_id
"""

STOP_SHARING: LiteralString = """
    UPDATE share SET allotted = NULL, fair = NULL, short = false WHERE allotted IS NOT NULL OR short
"""

PROVIDE: LiteralString = """
    INSERT INTO capacity (place, slots) VALUES (%(place)s, %(slots)s)
    ON CONFLICT (place) DO UPDATE SET slots = excluded.slots
"""

WITHDRAW: LiteralString = "DELETE FROM capacity WHERE place = %(place)s"


def lock(conn: Connection[Any], teams: Collection[int]) -> dict[int, Share]:
    """Lock the shares of teams, after the pools."""
    found = conn.execute(LOCK, {"teams": sorted(teams)}).fetchall()
    return {
        team_id: Share(
            team=name,
            used=used,
            nominal=slots,
            allotted=allotted,
            fair=fair,
            short=short,
            kept=kept,
        )
        for team_id, name, used, slots, allotted, fair, short, kept in found
    }


def is_uneven(conn: Connection[Any], mine: Mapping[int, Share]) -> bool:
    """Return whether a team wants more than it may use while another one, or nobody, has slots to spare.

    ``mine``: the locked shares, as they are about to be written.
    """
    shared = [share for share in mine.values() if share.allotted is not None]
    slack = sum(share.slack for share in shared)
    short = any(share.short for share in shared)
    if not short and not slack:
        return False
    values = {"teams": list(mine)}
    row = conn.execute(OTHERS, values).fetchone()
    assert row is not None
    others_short, others_slack, left = row
    slack += others_slack + max(0, left - sum(share.allotted or 0 for share in shared))
    return slack > 0 and (short or others_short)


def slots(conn: Connection[Any]) -> tuple[int | None, bool]:
    """Return how many slots there are for all teams (None: no bound), and whether they are divided now.

    Those of one team that has no limit are not bounded: its agents have the slots.
    """
    row = conn.execute(SLOTS).fetchone()
    assert row is not None
    count, is_shared, divided = row
    return (count if is_shared else None), divided > 0


def lock_all(conn: Connection[Any]) -> dict[int, bool]:
    """Lock all shares, and return which teams were short: in a transaction that has locked nothing else."""
    return dict(conn.execute(LOCK_ALL).fetchall())


def claims(conn: Connection[Any], executors: Sequence[str]) -> list[Claim]:
    """Return what teams use and want."""
    with conn.cursor(row_factory=kwargs_row(Claim)) as cursor:
        values = {"executors": ["", *executors], "limit": WAITING_MAX}
        return cursor.execute(CLAIMS, values).fetchall()


def divide(conn: Connection[Any], divided: Mapping[int, Division]) -> set[int]:
    """Write what teams may use; return those whose share changed."""
    values = [
        {"team_id": team, "allotted": each.allotted, "fair": each.fair, "short": each.short}
        for team, each in divided.items()
    ]
    return {team for (team,) in conn.execute(DIVIDE, {"rows": rows(values)})}


def stop_sharing(conn: Connection[Any]) -> None:
    """There is one team, or no bound."""
    conn.execute(STOP_SHARING)


def recount(conn: Connection[Any]) -> None:
    """Count what each team uses, under the lock of all: a version that did not count may have run until now."""
    conn.execute(RECOUNT)


def provide(conn: Connection[Any], place: str, count: int) -> None:
    """Add the slots of a machine to what teams share, or change how many those are."""
    conn.execute(PROVIDE, {"place": place, "slots": count})


def withdraw(conn: Connection[Any], place: str) -> None:
    conn.execute(WITHDRAW, {"place": place})
