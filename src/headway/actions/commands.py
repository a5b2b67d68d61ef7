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

from headway import ids
from headway.actions import repins
from headway.actions.limits import check_new_runs
from headway.core import branches, commands, timetable, triggers
from headway.core.commands import Selection
from headway.core.graph import Graph
from headway.core.repin import Code
from headway.core.run import Instance, Key, Run
from headway.core.schedules import Schedule
from headway.core.states import Event, State
from headway.core.wording import said
from headway.errors import EXHAUSTED, Conflict, NotFound, UsageError
from headway.spec import compile, dates
from headway.spec.errors import did_you_mean
from headway.spec.model import Dag
from headway.spec.validate import check_params
from headway.store import changes, dags, pools, runs, snapshots
from headway.store.clock import clock
from headway.store.runs import Claimed, NewRun

log = logging.getLogger(__name__)

BACKFILL_RUNS_MAX: Final = 10_000
TRIGGER_RUNS_MAX: Final = 100_000

Graphs = Callable[[int, str, int], Graph]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A requested run.

    A repeated ``key`` returns the run that it created the first time.
    """

    params: dict[str, Any]
    logical_date: str | None = None  # as ``spec.dates`` reads it
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Affected:
    """A task instance that a command changes or would change."""

    task_id: str
    map_index: int
    state: str


def trigger(
    conn: Connection[Any], team_id: int, dag_id: str, wanted: Sequence[RunRequest], actor: str
) -> list[str]:
    """Create runs and return their ids in request order, including runs that a key created before.

    Raises:
        NotFound: the DAG does not exist. Conflict: its file was removed. UsageError: invalid parameters.
    """
    if len(wanted) > TRIGGER_RUNS_MAX:
        raise UsageError(f"{len(wanted):,} runs in one request; the limit is {TRIGGER_RUNS_MAX:,}")
    now = clock(conn)
    spec = runnable(conn, team_id, dag_id)
    schedule = compile.schedule(spec, now)
    new = []
    for asked in wanted:
        logical_date = date_of(spec, schedule, asked, now)
        start, end = timetable.interval(schedule, logical_date)
        run_id = ids.run_id()
        new.append(
            NewRun(
                team_id=team_id,
                run_id=run_id,
                dag_id=dag_id,
                run_key=f"manual:{asked.key or run_id}",
                trigger=triggers.Trigger.MANUAL,
                logical_date=logical_date,
                interval_start=start,
                interval_end=end,
                params=check_params(spec, asked.params),
                created_by=actor,
            )
        )
    return create(conn, new, now)


def create(conn: Connection[Any], new: Sequence[NewRun], now: datetime) -> list[str]:
    """Create runs as far as the limits of their team allow. Raises RateLimited or Conflict."""
    if new:
        check_new_runs(conn, new[0].team_id, len(new), now)
    created = runs.create(conn, new, now)
    runs.wake_schedulers(conn)
    known = [run.run_key for run in new if run.run_id not in created]
    if not known:
        return [run.run_id for run in new]
    by_key = runs.by_key(conn, new[0].team_id, new[0].dag_id, known)
    return [run.run_id if run.run_id in created else by_key[run.run_key] for run in new]


def runnable(conn: Connection[Any], team_id: int, dag_id: str) -> Dag:
    """Return the current version of a DAG. Its file must exist."""
    spec, is_missing = dags.current(conn, team_id, dag_id)
    if is_missing:
        raise Conflict(
            f'the DAG "{dag_id}" is no longer in the DAG folder',
            hint=f"its last version came from {spec.file}; to find errors, run: headway check",
        )
    return spec


def date_of(spec: Dag, schedule: Schedule, asked: RunRequest, now: datetime) -> datetime:
    """Return the logical date of a manual run."""
    if asked.logical_date is None:
        return now
    return dates.logical_date(asked.logical_date, spec.zone, schedule)


def backfill_dates(spec: Dag, since: str, until: str) -> list[datetime]:
    """Return the fire times of a DAG's schedule between two dates, inclusive (``spec.dates``).

    Raises UsageError if there are none or too many.
    """
    first, last = dates.between(since, until, spec.zone)
    schedule = compile.schedule(spec, first)
    if not schedule.recurs:
        raise UsageError(
            f'the DAG "{spec.dag_id}" has no schedule, so there are no dates to backfill',
            hint=f"to create a single run: headway run {spec.dag_id} --date {since}",
        )
    found: list[datetime] = []
    for date in schedule.between(first, last):
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
    waiting = pools.lock_waiting(conn, team_id, name)
    now = clock(conn)
    if not pools.delete(conn, team_id, name, actor, now):
        raise Conflict(
            f"the pool `{name}` does not exist or is in use", hint="to list pools: headway pool ls"
        )
    pools.forget_reasons(conn, team_id, name, waiting, now)
    runs.wake_schedulers(conn)


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
    branch = branches.against(run, roots[0].node) if selection.tasks and roots else None
    if not chosen and branch is not None:
        raise Conflict(
            f"`{roots[0].node.task_id}` stays skipped: {said(branches.choice(run, branch))}",
            hint=f"headway clear {run.run_id} {branch.task_id} lets the branch choose again",
        )
    return chosen


def affected_by(instance: Instance) -> Affected:
    return Affected(instance.node.task_id, instance.map_index, instance.state)


def affected_of(marked: Sequence[tuple[Instance, State]]) -> list[Affected]:
    return [Affected(each.node.task_id, each.map_index, before) for each, before in marked]
