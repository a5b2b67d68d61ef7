"""Cancelling a backfill: a batch of its runs in each transaction."""

from typing import Any, Final

from psycopg import Connection

from headway.actions import commands
from headway.actions.commands import Graphs
from headway.store import backfills
from headway.store.clock import clock

RUNS_MAX: Final = 50  # that one transaction ends


def cancel_some(
    conn: Connection[Any], team_id: int, backfill_id: str, graphs: Graphs, actor: str
) -> bool:
    """Cancel the next batch of its runs, queued ones first so that no more start.

    Returns whether there may be more.
    """
    backfills.cancel(conn, team_id, backfill_id, actor, clock(conn))
    found = backfills.open_runs(conn, team_id, backfill_id, RUNS_MAX)
    for run_id in found:
        commands.cancel(conn, team_id, run_id, graphs, actor)
    return len(found) == RUNS_MAX
