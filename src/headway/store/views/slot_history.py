"""The attempts of a team as far as its slots are concerned: when each was ready, got its slot and gave it back."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.errors import UsageError
from headway.store import limits
from headway.store.clock import clock
from headway.store.teams import TeamRow
from headway.store.transact import enter_team
from headway.store.views import shares

HOURS_MAX: Final = 31 * 24
ATTEMPTS_MAX: Final = 200_000  # of all teams together

# Those that got a slot since then are of runs that have ended since, or have not. Without the OFFSET the two would be
# joined, and all attempts there are be read for it.
ATTEMPTS: LiteralString = """
    WITH lately AS MATERIALIZED (
        SELECT run_id FROM run WHERE team_id = %(team_id)s AND ended_at > %(since)s
        UNION ALL
        SELECT run_id FROM run WHERE team_id = %(team_id)s AND state = 'running'
    )
    SELECT extract(epoch FROM ready - %(since)s)::float8 AS ready_s,
        extract(epoch FROM queued_at - ready)::float8 AS waited_s,
        extract(epoch FROM coalesce(ended_at, %(until)s) - queued_at)::float8 AS held_s
    FROM lately CROSS JOIN LATERAL (
        SELECT queued_at, ended_at, least(coalesce(ready_at, queued_at), queued_at) AS ready FROM attempt
        WHERE attempt.team_id = %(team_id)s AND attempt.run_id = lately.run_id AND queued_at > %(since)s
        OFFSET 0
    ) AS held
    LIMIT %(limit)s
"""


def show(
    conn: Connection[Any], rows: Sequence[TeamRow], hours: int, all_teams: bool
) -> wire.SlotHistory:
    """Return the attempts of the last hours, after entering each team. Raises UsageError if they are too many."""
    until = clock(conn)
    since = until - timedelta(hours=hours)
    return wire.SlotHistory(
        since=since,
        until=until,
        capacity=shares.capacity(conn),
        all_teams=all_teams,
        teams=[*of_teams(conn, rows, since, until)],
    )


def of_teams(
    conn: Connection[Any], rows: Sequence[TeamRow], since: datetime, until: datetime
) -> Iterator[wire.TeamAttempts]:
    left = ATTEMPTS_MAX
    for row in rows:
        enter_team(conn, row.team_id)
        values = {"team_id": row.team_id, "since": since, "until": until, "limit": left + 1}
        with conn.cursor(row_factory=tuple_row) as cursor:
            found = cursor.execute(ATTEMPTS, values).fetchall()
        left -= len(found)
        if left < 0:
            raise UsageError(
                f"there are more than {ATTEMPTS_MAX:,} attempts in this time",
                hint="ask for a shorter one, for instance: headway slots --replay 12h",
            )
        ready_s, waited_s, held_s = ([each[i] for each in found] for i in range(3))
        bounds = limits.read(row.limits)
        yield wire.TeamAttempts(
            team=row.name,
            slots=row.slots,
            weight=float(row.weight),
            running_tasks=bounds.running_tasks,
            kept_slots=bounds.kept_slots or 0,
            ready_s=ready_s,
            waited_s=waited_s,
            held_s=held_s,
        )
