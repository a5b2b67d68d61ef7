"""The actions of people, for the API, the CLI and tests. Each function is one step of the caller's
transaction.

A command locks what it changes, uses the same core as the scheduler, writes history with the
actor's name, and wakes the schedulers when the transaction commits. Dry runs use the same functions
without the lock and the writing.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import Connection

from headway.actions import repins
from headway.core import branches, commands
from headway.core.commands import Selection
from headway.core.foreign import flaw, foreign
from headway.core.repin import Code
from headway.core.run import Instance, Key, Run
from headway.core.sight import Sight
from headway.core.states import Event, State
from headway.core.wording import said
from headway.core.words import listed
from headway.errors import EXHAUSTED, Conflict, NotFound, UsageError
from headway.runs.again import Graphs, held, locked, save
from headway.runs.new import RunRequest as RunRequest
from headway.runs.new import trigger as trigger
from headway.spec import compile, dates
from headway.spec.errors import did_you_mean
from headway.spec.model import Dag
from headway.store import dags, images, pools, runs, snapshots
from headway.store.clock import clock
from headway.store.runs import Claimed
from headway.store.views import pools as views

log = logging.getLogger(__name__)

BACKFILL_RUNS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Affected:
    """A task instance that a command changes or would change."""

    task_id: str
    map_index: int
    state: str


def backfill_dates(spec: Dag, since: str, until: str) -> list[datetime]:
    """Return the fire times of a DAG's schedule between two dates, inclusive (``spec.dates``).

    Raises UsageError if there are none or too many.
    """
    first, last = dates.between(since, until, spec.zone)
    schedule = compile.schedule(spec, first)
    dates_of = schedule.periods(first, last)
    if dates_of is None:
        raise UsageError(
            f'the DAG "{spec.dag_id}" has no {"partitions in time" if schedule.partitioned else "schedule"}, '
            "so there are no dates to backfill",
            hint=f"to create a single run: headway run {spec.dag_id} "
            + ("--partition KEY" if schedule.partitioned else f"--date {since}"),
        )
    found: list[datetime] = []
    for date in dates_of:
        found.append(date)
        if len(found) > BACKFILL_RUNS_MAX:
            raise UsageError(f"more than {BACKFILL_RUNS_MAX:,} runs; choose a shorter period")
    if not found:
        raise UsageError(
            f'the schedule of "{spec.dag_id}" does not fire between {since} and {until} ({spec.zone})',
            hint=f"to see its schedule: headway show {spec.dag_id}",
        )
    return found


def cancel(conn: Connection[Any], team_id: int, run_id: str, graphs: Graphs, actor: str) -> None:
    """Cancel a run. Live attempts are told to stop; the run ends when the last one has stopped.

    Also works for a run whose version cannot be read, because its tasks no longer matter.
    """
    row = held(conn, team_id, run_id, actor)
    try:
        run = snapshots.look(conn, row, graphs, clock(conn))
    except (psycopg.Error, *EXHAUSTED):
        raise
    except Exception as error:
        log.warning("cannot read run %s, so it is ended in its current state: %s", run_id, error)
        run = snapshots.look_at_remains(conn, row, clock(conn))
    commands.cancel(run, actor)
    save(conn, row, run)


def clear(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    selection: Selection,
    graphs: Graphs,
    actor: str,
    code: Code = Code.RUN,
) -> list[Affected]:
    """Reset task instances so that they run again. An ended run is reopened.

    Raises what ``repins.switch`` raises if the latest ``code`` is wanted.
    """
    runs.announce(conn, team_id, run_id)
    row, run = locked(conn, team_id, run_id, graphs, actor)
    run, affected, switched = cleared(conn, row, run, selection, actor, code)
    if switched is not None:
        repins.write(conn, row, switched)
    if code is Code.LATEST:
        images.forget(conn, team_id, run_id)
    save(conn, row, run)
    return affected


def would_clear(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    selection: Selection,
    graphs: Graphs,
    code: Code = Code.RUN,
) -> list[Affected]:
    """Return exactly what ``clear`` would do, without doing it."""
    row, run = looked_at(conn, team_id, run_id, graphs)
    return cleared(conn, row, run, selection, "preview", code)[1]


def looked_at(
    conn: Connection[Any], team_id: int, run_id: str, graphs: Graphs
) -> tuple[Claimed, Run]:
    """Return a run for a dry run: not locked."""
    row = runs.read(conn, team_id, run_id)
    if row is None:
        raise NotFound(f'there is no run "{run_id}"')
    return row, snapshots.look(conn, row, graphs, clock(conn))


def cleared(
    conn: Connection[Any], row: Claimed, run: Run, selection: Selection, actor: str, code: Code
) -> tuple[Run, list[Affected], repins.Switch | None]:
    """Clear in the model. Returns the model to go on with, what runs again, and the switch to write."""
    switched = repins.switch(conn, row, run, actor) if code is Code.LATEST else None
    again: dict[Key, Affected] = {}
    if switched is not None:
        run = switched.run
        again = {each.key: affected_of([(each, was)])[0] for each, was in switched.again}
    chosen = chosen_of(run, selection)
    again |= {each.key: affected_by(each) for each in chosen}
    commands.clear(run, chosen, actor)
    return run, [again[key] for key in sorted(again)], switched


def mark(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    selection: Selection,
    event: Event,
    graphs: Graphs,
    actor: str,
) -> list[Affected]:
    """Set the state of task instances by hand: ``MARK_SUCCESS`` or ``MARK_FAILED``."""
    runs.announce(conn, team_id, run_id)
    row, run = locked(conn, team_id, run_id, graphs, actor)
    chosen = named_of(run, selection)
    affected = [affected_by(instance) for instance in chosen]
    commands.mark(run, chosen, event, actor)
    save(conn, row, run)
    return affected


def mark_run(
    conn: Connection[Any], team_id: int, run_id: str, event: Event, graphs: Graphs, actor: str
) -> list[Affected]:
    """Mark all task instances of a run that the mark changes. The run's outcome follows."""
    runs.announce(conn, team_id, run_id)
    row, run = locked(conn, team_id, run_id, graphs, actor)
    marked = commands.mark_run(run, event, actor)
    save(conn, row, run)
    return affected_of(marked)


def pause(conn: Connection[Any], team_id: int, dag_id: str, actor: str) -> bool:
    """Pause the DAG: no new runs and attempts, running ones continue. Returns whether anything changed."""
    return switched(conn, team_id, dag_id, dags.pause, actor)


def resume(conn: Connection[Any], team_id: int, dag_id: str, actor: str) -> bool:
    return switched(conn, team_id, dag_id, dags.resume, actor)


def switched(
    conn: Connection[Any],
    team_id: int,
    dag_id: str,
    switch: Callable[[Connection[Any], int, str, str, datetime], bool],
    actor: str,
) -> bool:
    now = clock(conn)
    dags.check_known(conn, team_id, dag_id)
    changed = switch(conn, team_id, dag_id, actor, now)
    runs.alarm_dag(conn, team_id, dag_id, now)
    runs.wake_schedulers(conn)
    return changed


def resize_pool(conn: Connection[Any], team_id: int, name: str, slots: int, actor: str) -> None:
    if slots < 0:
        raise UsageError(f"a pool needs 0 or more slots, not {slots}")
    check_own_pool(name)
    waiting = pools.lock_waiting(conn, team_id, name)
    now = clock(conn)
    pools.resize(conn, team_id, name, slots, actor, now)
    pools.forget_reasons(conn, team_id, name, waiting, now)
    runs.wake_schedulers(conn)


def delete_pool(conn: Connection[Any], team_id: int, name: str, actor: str) -> None:
    if name == "default":
        raise Conflict(
            "the pool `default` cannot be deleted", hint="to resize it: headway pool set default N"
        )
    check_own_pool(name)
    waiting = pools.lock_waiting(conn, team_id, name)
    pools.lock_to_delete(conn, team_id, name)
    if loans := views.lent(conn).get(name):
        raise Conflict(
            f"the pool `{name}` is lent to {listed([loan.team for loan in loans])}",
            hint="take the grant back first, and let what runs there end: headway grant ls",
        )
    now = clock(conn)
    if not pools.delete(conn, team_id, name, actor, now):
        raise Conflict(
            f"the pool `{name}` does not exist or is in use", hint="to list pools: headway pool ls"
        )
    pools.forget_reasons(conn, team_id, name, waiting, now)
    runs.wake_schedulers(conn)


def check_own_pool(name: str) -> None:
    if (other := foreign(name)) is not None:
        raise UsageError(
            f"{name} is of the team {other.team}", hint="only that team can resize or delete it"
        )
    if (trouble := flaw(name)) is not None:
        raise UsageError(f"the name {name!r} {trouble}", hint="give your own pool another name")


def named_of(run: Run, selection: Selection) -> list[Instance]:
    try:
        return commands.named(run, selection)
    except ValueError as error:
        known = sorted(run.graph.by_id)
        raise NotFound(
            f'the DAG "{run.graph.dag_id}" has no task "{error}"',
            hint=did_you_mean(str(error), known) or f"its tasks: {', '.join(known[:20])}",
        ) from error


def chosen_of(run: Run, selection: Selection) -> list[Instance]:
    """Return what a clear resets. Raises Conflict if a branch skips everything that was named."""
    roots = named_of(run, selection)
    chosen = commands.select(run, selection)
    if chosen or not selection.tasks or not roots:
        return chosen
    sight = Sight(run, roots[0].node, roots[0].map_index)
    if (branch := branches.against(sight)) is not None:
        raise Conflict(
            f"`{roots[0].node.task_id}` stays skipped: {said(branches.choice(sight, branch))}",
            hint=f"headway clear {run.run_id} {branch.task_id} lets the branch choose again",
        )
    return chosen


def affected_by(instance: Instance) -> Affected:
    return Affected(instance.node.task_id, instance.map_index, instance.state)


def affected_of(marked: Sequence[tuple[Instance, State]]) -> list[Affected]:
    return [Affected(each.node.task_id, each.map_index, before) for each, before in marked]
