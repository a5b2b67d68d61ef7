"""Asks what other runs decide about what is ready (``core.gates``), and wakes the runs that wait for what has happened.

A run is asked for in a tick in which something of it is ready and has no rank. What another scheduler is changing at
this moment is asked for again a little later.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from psycopg import Connection

from headway.core.gates import Gate
from headway.core.graph import Node
from headway.core.holding import AwaitsPast
from headway.core.ready import answer, held_by_others
from headway.core.run import Instance, Run
from headway.core.states import FINAL, LIVE, State
from headway.store import gates
from headway.store.gates import Asking, Previous
from headway.store.runs import Claimed

AGAIN_S: Final = 0.5
ACTIVE: Final = LIVE | {State.READY}

Planned = Sequence[tuple[Claimed, Run]]
Seen = dict[tuple[int, str], Previous]
Room = dict[tuple[int, str, str], int | None]  # places that are left, by team, DAG and task


def ask(conn: Connection[Any], planned: Planned) -> None:
    """Ask for all that is held, and let in what may pass."""
    asking = [(row, run, nodes) for row, run in planned if (nodes := held_by_others(run))]
    if not asking:
        return
    before, held = look_back(conn, asking)
    room: Room = {}
    for row, run, nodes in asking:
        found: dict[int, Gate] = {}
        for node in nodes:
            gate = gate_of(conn, row, run, node, before, held)
            if gate is not None and gate.closed is None:
                gate = with_room(conn, run, node, room)
            if gate is None:
                again(run)
            else:
                found[node.index] = gate
        answer(run, found)
        for node in nodes:
            gate = found.get(node.index)
            if gate is not None and gate.room is not None:
                room[key_of(run, node)] = gate.room


def key_of(run: Run, node: Node) -> tuple[int, str, str]:
    return run.team_id, run.graph.dag_id, node.task_id


def with_room(conn: Connection[Any], run: Run, node: Node, room: Room) -> Gate | None:
    """Return the gate with as many places as are left over all runs; None: somebody else is giving them out."""
    if node.live_max_of_dag is None:
        return Gate()
    key = key_of(run, node)
    if key not in room:
        active = gates.active(conn, *key)
        room[key] = None if active is None else node.live_max_of_dag - active
    left = room[key]
    return None if left is None else Gate(room=left)


def look_back(
    conn: Connection[Any], asking: Sequence[tuple[Claimed, Run, list[Node]]]
) -> tuple[Seen, set[tuple[int, str]]]:
    """Find the runs before those that wait for theirs, and keep them as they are."""
    wanted = [
        Asking(
            run.team_id,
            run.graph.dag_id,
            run.run_id,
            row.logical_date,
            row.backfill_id,
            run.graph.catchup,
        )
        for row, run, nodes in asking
        if any(node.past is not None for node in nodes)
    ]
    if not wanted:
        return {}, set()
    teams = {each.run_id: each.team_id for each in wanted}
    before = {(teams[found.asking], found.asking): found for found in gates.previous(conn, wanted)}
    runs = {(team, found.run_id) for (team, _), found in before.items() if found.run_id is not None}
    return before, gates.hold(conn, runs) if runs else set()


def gate_of(
    conn: Connection[Any],
    row: Claimed,
    run: Run,
    node: Node,
    before: Seen,
    held: set[tuple[int, str]],
) -> Gate | None:
    """Return what the run before decides (Airflow's rules); None: it is being changed."""
    if node.past is None:
        return Gate()
    found = before[run.team_id, run.run_id]
    if found.run_id is None or found.logical_date is None or found.first:
        return Gate()
    start = run.graph.start_date
    if run.graph.catchup and start is not None and found.logical_date < start:
        return Gate()
    if (run.team_id, found.run_id) not in held:
        return None
    date = found.logical_date.isoformat()
    own, *below = gates.parts(conn, run.team_id, found.run_id, node.past.tasks)
    if not own.instances:
        key = key_of(run, node)
        first = node.past.ignore_first and not found.queued
        if first and not gates.had_before(conn, *key, row.logical_date):
            return Gate()
        return Gate(AwaitsPast(found.run_id, date, node.task_id))
    for part in (own, *below):
        if part.state is not None:
            return Gate(AwaitsPast(found.run_id, date, part.task_id, part.state))
    return Gate()


def again(run: Run) -> None:
    at = run.now + timedelta(seconds=AGAIN_S)
    if run.due_at is None or run.due_at > at:
        run.due_at, run.changes.run = at, True


def wake(conn: Connection[Any], models: Sequence[Run]) -> int:
    """Wake the runs that wait for what has ended or given its place back. Returns how many."""
    moved = list(rows(models))
    return gates.wake(conn, moved) if moved else 0


def rows(models: Sequence[Run]) -> Iterator[dict[str, Any]]:
    for run in models:
        if run.changes.run or any(frees(instance) for instance in run.changes.touched.values()):
            yield {"team_id": run.team_id, "dag_id": run.graph.dag_id, "run_id": run.run_id}


def frees(instance: Instance) -> bool:
    """Return whether something may wait for what became of it."""
    active = instance.stored is not None and instance.stored in ACTIVE
    return instance.state in FINAL or (active and instance.state not in ACTIVE)
