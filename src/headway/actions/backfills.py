"""Backfills: the dates that they run, with the runs that these have already; and cancelling, in batches."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg import Connection

from headway import ids
from headway.actions import commands
from headway.core import timetable, triggers
from headway.core.commands import Selection
from headway.core.repin import Code
from headway.core.schedules import Schedule
from headway.core.states import RUN_FINAL, RunState
from headway.core.strategies import Strategy
from headway.core.words import counted, person
from headway.engine.timetables import fire_key
from headway.errors import Conflict, UsageError
from headway.runs.again import Graphs
from headway.runs.new import create as create_runs
from headway.runs.new import interval_of, runnable
from headway.spec import compile
from headway.spec.model import Dag
from headway.spec.validate import check_params
from headway.store import backfills, dags, partitions, runs
from headway.store.clock import clock
from headway.store.runs import KnownRun, NewRun

RUNS_MAX: Final = 50  # that one transaction ends
AGAIN_MAX: Final = 500  # runs that one request has run again
ACTIVE_RUNS: Final = 4
AFTER_END: Final = "to see its runs: headway ls runs --dag {}"


class Again(StrEnum):
    """The dates with a run that a backfill runs again."""

    MISSING = "missing"  # none
    FAILED = "failed"  # those whose run failed, was cancelled or skipped
    ALL = "all"  # all whose run has ended


class Action(StrEnum):
    """The action of a backfill for one date."""

    CREATE = "create"
    AGAIN = "again"
    LEAVE = "leave"


BROKEN: Final = frozenset({RunState.FAILED, RunState.CANCELLED})
REPEATED: Final = {
    Again.MISSING: frozenset[str](),
    Again.FAILED: BROKEN | {RunState.SKIPPED},
    Again.ALL: RUN_FINAL,
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A date of a backfill, and the run that it has already."""

    logical_date: datetime
    action: Action
    run: KnownRun | None


def plan(
    conn: Connection[Any], team_id: int, dag_id: str, dates: Sequence[datetime], again: Again
) -> list[Planned]:
    """Decide for each date. Raises UsageError if more runs are to run again than one request may."""
    schedule = compile.schedule(dags.current(conn, team_id, dag_id)[0], clock(conn))
    if schedule.partitioned:
        keys = {schedule.partition_of(date) or "": date for date in dates}
        known = {
            key: KnownRun(key, run_id, state)
            for key, run_id, state in partitions.known(conn, team_id, dag_id, list(keys))
        }
    else:
        keys = {fire_key(date): date for date in dates}
        known = {run.run_key: run for run in runs.known(conn, team_id, dag_id, keys)}
    planned = [
        Planned(date, action_of(known.get(key), again), known.get(key))
        for key, date in keys.items()
    ]
    if (count := sum(each.action is Action.AGAIN for each in planned)) > AGAIN_MAX:
        raise UsageError(
            f"{count:,} runs would run again; the limit is {AGAIN_MAX:,}",
            hint="choose a shorter period",
        )
    return planned


def action_of(run: KnownRun | None, again: Again) -> Action:
    if run is None:
        return Action.CREATE
    return Action.AGAIN if run.state in REPEATED[again] else Action.LEAVE


def notes_of(spec: Dag, planned: Sequence[Planned], now: datetime) -> list[str]:
    """Say which dates run here though the schedule creates no run for them."""
    dates = [each.logical_date for each in planned if each.action is not Action.LEAVE]
    schedule = compile.schedule(spec, now)
    counts = timetable.outside(
        schedule, dates, spec.start_date, spec.end_date, by_start=spec.dated_by_start
    )
    bounds = (("before the start date", spec.start_date), ("after the end date", spec.end_date))
    return [
        f"{counted(count, 'date is', 'dates are')} {words} of the DAG, {shown(bound, spec.zone)}: its schedule "
        f"creates no run for {'it' if count == 1 else 'them'}, and the backfill runs "
        f"{'it' if count == 1 else 'them'} all the same"
        for count, (words, bound) in zip(counts, bounds, strict=True)
        if count and bound is not None
    ]


def shown(date: datetime, zone: str) -> str:
    return f"{date.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def left_out(planned: Sequence[Planned]) -> dict[str, int]:
    """Count the dates that are left out, by the states of the runs that they have."""
    return dict(
        Counter(each.run.state for each in planned if each.action is Action.LEAVE and each.run)
    )


def create(
    conn: Connection[Any],
    team_id: int,
    dag_id: str,
    planned: Sequence[Planned],
    params: dict[str, Any],
    max_active_runs: int | None,
    graphs: Graphs,
    actor: str,
    *,
    newest_first: bool = False,
) -> tuple[str, dict[datetime, str]]:
    """Create the missing runs under their own limit, and run again with the latest code what is to run again.

    Returns the backfill and the runs by their dates.
    """
    now = clock(conn)
    spec = runnable(conn, team_id, dag_id)
    check_strategy(spec, max_active_runs, newest_first=newest_first)
    schedule = compile.schedule(spec, now)
    given = check_params(spec, params)
    backfill_id = ids.run_id()
    dates = [each.logical_date for each in planned]
    active = max_active_runs or (ACTIVE_RUNS if spec.run_strategy == Strategy.PARALLEL else 1)
    backfills.create(
        conn,
        team_id,
        backfill_id,
        dag_id,
        (min(dates), max(dates)),
        active,
        newest_first,
        left_out(planned),
        actor,
        now,
    )
    new = [
        new_run(schedule, each.logical_date, team_id, dag_id, backfill_id, given, actor)
        for each in planned
        if each.action is Action.CREATE
    ]
    made = create_runs(conn, new, now) if new else []
    repeat(conn, team_id, backfill_id, planned, graphs, actor)
    known = {each.logical_date: each.run.run_id for each in planned if each.run}
    return backfill_id, known | {
        run.logical_date: run_id for run, run_id in zip(new, made, strict=True)
    }


def check_strategy(spec: Dag, max_active_runs: int | None, *, newest_first: bool) -> None:
    """Refuse what the run strategy of the DAG does not allow: its backfills stand in line with all other runs."""
    if spec.run_strategy == Strategy.PARALLEL:
        return
    rule = (
        f'the DAG "{spec.dag_id}" has one active run at a time (run_strategy {spec.run_strategy})'
    )
    if max_active_runs is not None and max_active_runs > 1:
        raise UsageError(
            f"{rule}, so {max_active_runs} runs cannot be active",
            hint="leave out the number of active runs",
        )
    if newest_first:
        raise UsageError(
            f"{rule}, and backfills run in the order of the logical dates",
            hint="leave out --newest-first",
        )


def new_run(
    schedule: Schedule,
    date: datetime,
    team_id: int,
    dag_id: str,
    backfill_id: str,
    params: dict[str, Any],
    actor: str,
) -> NewRun:
    partition = schedule.partition_of(date)
    start, end = interval_of(schedule, partition, date)
    return NewRun(
        team_id=team_id,
        run_id=ids.run_id(),
        dag_id=dag_id,
        run_key=fire_key(date),
        trigger=triggers.Trigger.BACKFILL,
        logical_date=date,
        interval_start=start,
        interval_end=end,
        params=params,
        created_by=actor,
        backfill_id=backfill_id,
        partition=partition,
    )


def repeat(
    conn: Connection[Any],
    team_id: int,
    backfill_id: str,
    planned: Sequence[Planned],
    graphs: Graphs,
    actor: str,
) -> None:
    """Clear runs with the latest code, in the order of their locks; they count to this backfill now."""
    again = {
        each.run.run_id: each.run for each in planned if each.action is Action.AGAIN and each.run
    }
    for run_id in sorted(again):
        every = Selection(failed_only=again[run_id].state in BROKEN)
        commands.clear(conn, team_id, run_id, every, graphs, actor, Code.LATEST)
    runs.adopt(conn, team_id, backfill_id, sorted(again))


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


def pause(conn: Connection[Any], team_id: int, backfill_id: str, actor: str) -> None:
    """Start no more of its runs. Those that run continue. Raises Conflict if none is left."""
    dag_id, cancelled_by, is_open = backfills.standing(conn, team_id, backfill_id)
    if cancelled_by is not None:
        raise Conflict(
            f"the backfill {backfill_id} of {dag_id} was cancelled by {person(cancelled_by)}: "
            "none of its runs starts any more",
            hint=AFTER_END.format(dag_id),
        )
    if not is_open:
        raise Conflict(
            f"the backfill {backfill_id} of {dag_id} has ended: all its runs have",
            hint=AFTER_END.format(dag_id),
        )
    backfills.pause(conn, team_id, backfill_id, actor, clock(conn))


def resume(conn: Connection[Any], team_id: int, backfill_id: str, actor: str) -> None:
    """Have its queued runs looked at at once."""
    backfills.resume(conn, team_id, backfill_id, actor, clock(conn))
    runs.wake_schedulers(conn)
