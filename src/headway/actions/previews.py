"""Dry runs of commands, by the same functions, without locks or changes."""

from typing import Any

from psycopg import Connection

from headway import wire
from headway.actions.commands import (
    Affected,
    affected_by,
    affected_of,
    named_of,
)
from headway.core.commands import Selection, mark_run
from headway.core.states import Event, State
from headway.core.waiting import held_back
from headway.core.wording import said
from headway.runs.again import Graphs
from headway.runs.new import RunRequest, date_of, runnable
from headway.spec import compile
from headway.spec.validate import check_params
from headway.store import queue, runs, snapshots
from headway.store.clock import clock
from headway.store.views import briefs


def would_trigger(
    conn: Connection[Any], team_id: int, dag_id: str, wanted: RunRequest
) -> wire.TriggerPreview:
    """Preview a trigger. Raises what ``new.trigger`` raises."""
    spec, now = runnable(conn, team_id, dag_id), clock(conn)
    date = date_of(spec, compile.schedule(spec, now), wanted, now)
    why = held_back(queue.line_of(conn, queue.Waiting(team_id, dag_id, date)))
    return wire.TriggerPreview(
        params=check_params(spec, wanted.params),
        tasks=len(spec.tasks),
        would_wait=None if why is None else said(why),
        logical_date=date,
        why=why,
        same_date=briefs.of_date(conn, dag_id, date),
    )


def would_mark(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    selection: Selection,
    event: Event,
    graphs: Graphs,
) -> list[Affected]:
    """Return the task instances whose state would change."""
    row = runs.read(conn, team_id, run_id)
    assert row is not None, "the caller has looked it up"
    run = snapshots.look(conn, row, graphs, clock(conn))
    marked = State.SUCCESS if event is Event.MARK_SUCCESS else State.FAILED
    return [affected_by(each) for each in named_of(run, selection) if each.state is not marked]


def would_mark_run(
    conn: Connection[Any], team_id: int, run_id: str, event: Event, graphs: Graphs
) -> list[Affected]:
    """Return exactly what ``commands.mark_run`` would do, applied to a copy."""
    row = runs.read(conn, team_id, run_id)
    assert row is not None, "the caller has looked it up"
    run = snapshots.look(conn, row, graphs, clock(conn))
    return affected_of(mark_run(run, event, "preview"))
