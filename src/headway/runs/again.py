"""A run that a command changes: locked, looked at, written. Each function is one step of the caller's transaction."""

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from headway.core import commands
from headway.core.commands import Selection
from headway.core.graph import Graph
from headway.core.run import Run
from headway.errors import NotFound
from headway.store import changes, runs, snapshots
from headway.store.clock import clock
from headway.store.runs import Claimed

Graphs = Callable[[int, str, int], Graph]


def clear(conn: Connection[Any], team_id: int, run_id: str, graphs: Graphs, actor: str) -> None:
    """Run all task instances of a run again, with its code. Raises NotFound."""
    runs.announce(conn, team_id, run_id)
    row, run = locked(conn, team_id, run_id, graphs, actor)
    commands.clear(run, commands.select(run, Selection()), actor)
    save(conn, row, run)


def locked(
    conn: Connection[Any], team_id: int, run_id: str, graphs: Graphs, actor: str
) -> tuple[Claimed, Run]:
    row = held(conn, team_id, run_id, actor)
    return row, snapshots.look(conn, row, graphs, clock(conn))


def held(conn: Connection[Any], team_id: int, run_id: str, actor: str) -> Claimed:
    """Let schedulers work again on a run that was set aside, because a command means it should continue."""
    runs.take_back(conn, team_id, run_id, actor, clock(conn))
    row = runs.lock(conn, team_id, run_id)
    if row is None:
        raise NotFound(f'there is no run "{run_id}"')
    return row


def save(conn: Connection[Any], row: Claimed, run: Run) -> None:
    """Write the changes and wake a tick, which releases, grants and ends attempts."""
    changes.write(conn, [run], run.now)
    runs.alarm(conn, row.team_id, row.run_id, run.now)
    runs.wake_schedulers(conn)
