"""Divides the slots among the teams anew, and the pools that they share: each in a short transaction of its own, never
in a tick (ADR 27, ADR 47).

A tick sees when this is worth while: a team wants more than it may use, and another one has slots to spare.
"""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from psycopg import Connection

from headway.core import lending as pools
from headway.core.shares import divide
from headway.store import lending, runs, shares
from headway.store.transact import transact


def divide_all(conn: Connection[Any], executors: Sequence[str], mine: Collection[int]) -> bool:
    """Return whether a team that was short may use more now."""
    helped = transact(conn, divide_slots, executors, mine)
    return transact(conn, divide_pools, executors, mine) or helped


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


def divide_pools(conn: Connection[Any], executors: Sequence[str], mine: Collection[int]) -> bool:
    """Divide each pool that teams share. Return whether a team that waits may use more of one now."""
    if not lending.is_shared(conn):
        return False
    locked = lending.lock(conn)
    lending.forget(conn)
    changed, helped = [], set()
    found = lending.parts(conn, locked, executors)
    for _, of_pool in groupby(found, lambda part: (part.root_id, part.root_name)):
        parts = list(of_pool)
        after = pools.divide(parts[0].slots, [part.claim for part in parts])
        after |= {part.team_id: 0 for part in parts if not part.is_open}
        alone = all(part.is_owner for part in parts)
        for part in parts:
            allotted = None if alone else after[part.team_id]
            if (allotted, part.slots) != (part.allotted, part.slots_before):
                changed.append((part, allotted))
            if part.wants and part.allotted is not None and after[part.team_id] > part.allotted:
                helped.add(part.team_id)
    lending.allot(conn, changed)
    if not helped.issubset(mine):
        runs.wake_schedulers(conn)
    return bool(helped)
