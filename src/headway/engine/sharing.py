"""Divides the slots among the teams anew: in a short transaction of its own, never in a tick (ADR 27).

A tick sees when this is worth while: a team wants more than it may use, and another one has slots to spare.
"""

from collections.abc import Collection, Sequence
from typing import Any

from psycopg import Connection

from headway.core.shares import divide
from headway.store import runs, shares


def divide_slots(conn: Connection[Any], executors: Sequence[str], mine: Collection[int]) -> bool:
    """Return whether a team that was short may use more now. ``executors``: the names of all there are;
    ``mine``: the teams of the caller's sessions, of whom nobody else must be told.

    With one team there is nothing to divide, unless it has a limit: its agents have the slots.
    """
    count, divided = shares.slots(conn)
    if count is None:
        if divided:
            shares.lock_all(conn)
            shares.stop_sharing(conn)
        return divided
    before = shares.lock_all(conn)
    if not divided:
        shares.recount(conn)
    claims = shares.claims(conn, executors)
    after = divide(count, claims)
    changed = shares.divide(conn, after)
    used = {claim.team_id: claim.used for claim in claims}
    helped = {team for team in changed if before[team] and after[team].allotted > used[team]}
    if not helped.issubset(mine):
        runs.wake_schedulers(conn)
    return bool(helped)
