"""Live attempts: what they may ask, and which pod has one. Every function takes a connection; none commits."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import scalar_row

from headway.core.reasons import Reason
from headway.store.rows import rows
from headway.store.sessions import Bound
from headway.store.states import LIVE_ATTEMPTS

LOCK_RUN: LiteralString = """
    SELECT FROM run WHERE team_id = %(team_id)s AND run_id = %(run_id)s FOR NO KEY UPDATE
"""

# Only from the session of a cluster: it has no token, which agents have, and its name is that of the executor.
TAKE_OVER: LiteralString = """
    UPDATE attempt SET session_id = %(pod)s
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s
        AND map_index = %(map_index)s AND number = %(number)s AND deferrals = %(deferrals)s AND state = 'queued'
        AND session_id = ANY (ARRAY(
            SELECT session_id FROM agent_session
            WHERE team_id = %(team_id)s AND ended_at IS NULL AND agent = %(executor)s AND token_id IS NULL))
    RETURNING number
"""

# With another revision no scheduler's model of the run is true any more, unless it follows (``take_over``).
CHANGED: LiteralString = """
    UPDATE run SET revision = revision + 1 WHERE team_id = %(team_id)s AND run_id = %(run_id)s
    RETURNING revision
"""

IS_BOUND: LiteralString = f"""
    SELECT FROM attempt
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
        AND number = %(number)s AND deferrals = %(deferrals)s AND session_id = %(pod)s AND state IN {LIVE_ATTEMPTS}
"""


LAST: LiteralString = """
    SELECT state, cause FROM attempt
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
        AND number < %(number)s
    ORDER BY number DESC LIMIT %(limit)s
"""

ENDED_BY: LiteralString = """
    SELECT count(*) FROM attempt
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
        AND number < %(number)s AND cause = %(cause)s
"""

# Who holds a run tells it later.
LOCK_RUNS: LiteralString = """
    SELECT run_id FROM run WHERE team_id = %(team_id)s AND run_id = ANY(%(runs)s)
    ORDER BY run_id FOR NO KEY UPDATE SKIP LOCKED
"""

# Fenced by LATERAL and OFFSET 0: each by its full key, also with a plan made for an empty table.
WAIT: LiteralString = """
    WITH told AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS told (
            run_id text, task_id text, map_index integer, number integer, reason jsonb)
    ), changed AS (
        UPDATE task_instance SET blocked_reason = found.reason
        FROM told CROSS JOIN LATERAL (
            SELECT known.ctid AS place, told.reason FROM task_instance AS known
            WHERE known.team_id = %(team_id)s AND known.run_id = told.run_id AND known.task_id = told.task_id
                AND known.map_index = told.map_index AND known.attempts = told.number AND known.state = 'queued'
                AND known.blocked_reason IS DISTINCT FROM told.reason
            OFFSET 0
        ) AS found
        WHERE task_instance.ctid = found.place
        RETURNING task_instance.run_id
    ), wanted AS MATERIALIZED (SELECT DISTINCT run_id FROM changed)
    UPDATE run SET revision = revision + 1
    FROM wanted CROSS JOIN LATERAL (
        SELECT ctid AS place FROM run AS known
        WHERE known.team_id = %(team_id)s AND known.run_id = wanted.run_id
        OFFSET 0
    ) AS found
    WHERE run.ctid = found.place
"""


@dataclass(frozen=True, slots=True)
class Waits:
    """Why a queued attempt has not started. No reason: nothing holds it back."""

    run_id: str
    task_id: str
    map_index: int
    number: int
    reason: Reason | None


def tell_waits(conn: Connection[Any], team_id: int, waits: Sequence[Waits]) -> set[str]:
    """Store why queued attempts of a team wait. Returns the runs that were told; others are busy at the moment."""
    values = {"team_id": team_id, "runs": sorted({each.run_id for each in waits})}
    with conn.cursor(row_factory=scalar_row) as cursor:
        runs = set(cursor.execute(LOCK_RUNS, values).fetchall())
    if told := [asdict(each) for each in waits if each.run_id in runs]:
        conn.execute(WAIT, {"team_id": team_id, "rows": rows(told)})
    return runs


def lost_in_a_row(conn: Connection[Any], bound: Bound, causes: Collection[str], limit: int) -> int:
    """Return how many attempts in a row before this one were lost by one of the causes; ``limit``: count no more."""
    values = {"team_id": bound.team_id, "run_id": bound.run_id, "task_id": bound.task_id}
    values |= {"map_index": bound.map_index, "number": bound.number, "limit": limit}
    last = conn.execute(LAST, values).fetchall()
    return sum(1 for _ in takewhile(lambda row: row[0] == "lost" and row[1] in causes, last))


def ended_by(conn: Connection[Any], bound: Bound, cause: str) -> int:
    """Return how many attempts of the task instance before this one ended by the cause."""
    values = {"team_id": bound.team_id, "run_id": bound.run_id, "task_id": bound.task_id}
    values |= {"map_index": bound.map_index, "number": bound.number, "cause": cause}
    row = conn.execute(ENDED_BY, values).fetchone()
    return 0 if row is None else int(row[0])


def take_over(
    conn: Connection[Any],
    team_id: int,
    key: tuple[str, str, int, int, int],
    pod: str,
    executor: str,
) -> int | None:
    """Bind a queued attempt of an executor's cluster to the session of its pod, for good.

    ``key``: run, task, map index, number, deferrals. Returns the revision of the run that this made, or 0 if the
    attempt is bound to this pod already. None: it has ended, or another pod has it.
    """
    run_id, task_id, map_index, number, deferrals = key
    values = {"team_id": team_id, "run_id": run_id, "task_id": task_id, "map_index": map_index}
    values |= {"number": number, "deferrals": deferrals, "pod": pod, "executor": executor}
    conn.execute(LOCK_RUN, values)
    if conn.execute(TAKE_OVER, values).fetchone() is not None:
        (row,) = conn.execute(CHANGED, values).fetchall()
        return int(row[0])
    return 0 if conn.execute(IS_BOUND, values).fetchone() is not None else None
