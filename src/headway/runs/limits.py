"""Refuses new runs that a team's limits do not allow: which limit, how much, and when to ask again."""

import math
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from headway.core.limits import exceeded
from headway.errors import Conflict, RateLimited
from headway.store import limits
from headway.store.limits import MINUTE

OPEN_RUNS_RETRY_S: Final = 30  # nobody knows when runs end
HINT: Final = "wait, or ask a platform admin for a higher limit: headway team set TEAM --limit {}=N"


def check_new_runs(conn: Connection[Any], team_id: int, count: int, now: datetime) -> None:
    """Check the limits of a team before it gets runs that a person or a program asks for.

    Raises:
        RateLimited: not now; it says when. Conflict: more at once than the limit ever allows.
    """
    bounds = limits.of_team(conn, team_id)
    if not bounds.bound_runs or not count:
        return
    limits.lock(conn, team_id)
    if (most := bounds.open_runs) is not None:
        check(*("open_runs", most, limits.open_runs(conn, team_id, most), count), OPEN_RUNS_RETRY_S)
    if (most := bounds.runs_per_minute) is not None:
        times = limits.created(conn, team_id, now, most)
        # So many must be older than a minute first.
        excess = len(times) + count - most
        wait = times[-excess] + MINUTE - now if 0 < excess <= len(times) else MINUTE
        check("runs_per_minute", most, len(times), count, math.ceil(wait.total_seconds()))


def check(name: str, limit: int, used: int, wanted: int, retry_after_s: int) -> None:
    if used + wanted <= limit:
        return
    message = exceeded(name, limit, min(used, limit), wanted)
    if wanted > limit:
        raise Conflict(message, hint=f"ask for {limit:,} at most; " + HINT.format(name))
    error = RateLimited(message, hint=HINT.format(name))
    error.retry_after_s = max(1, retry_after_s)
    raise error
