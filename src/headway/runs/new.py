"""New runs of a DAG, as a person, a program or a task asks for them. Each function is one step of the caller's
transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from headway import ids
from headway.core import timetable, triggers
from headway.core.partitions import BadKey
from headway.core.schedules import Schedule
from headway.errors import Conflict, UsageError
from headway.runs.limits import check_new_runs
from headway.spec import compile, dates
from headway.spec.assets import flaw_of_partition
from headway.spec.model import Dag
from headway.spec.params import REQUEST_S, check_params, patience_for
from headway.store import dags, runs
from headway.store.clock import clock
from headway.store.runs import NewRun

TRIGGER_RUNS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A requested run.

    A repeated ``key`` returns the run that it created the first time; a ``given_id`` is refused if there is such a run.
    """

    params: dict[str, Any]
    logical_date: str | None = None  # as ``spec.dates`` reads it
    key: str | None = None
    given_id: str | None = None
    partition: str | None = None  # the key of the data that it is about


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
    within = patience_for(spec.params, REQUEST_S)
    new = []
    for asked in wanted:
        logical_date = date_of(spec, schedule, asked, now)
        partition = asked.partition
        if partition is None and asked.logical_date is not None:
            partition = schedule.partition_of(logical_date)
        start, end = interval_of(schedule, partition, logical_date)
        run_id = ids.run_id()
        key = asked.given_id or asked.key
        new.append(
            NewRun(
                team_id=team_id,
                run_id=run_id,
                dag_id=dag_id,
                run_key=f"{triggers.MANUAL_KEY}{key or run_id}",
                trigger=triggers.Trigger.MANUAL,
                logical_date=logical_date,
                interval_start=start,
                interval_end=end,
                params=check_params(spec, asked.params, within),
                created_by=actor,
                partition=partition,
            )
        )
    run_ids = create(conn, new, now)
    for asked, run, run_id in zip(wanted, new, run_ids, strict=True):
        if asked.given_id and run_id != run.run_id:
            raise Conflict(
                f'the DAG "{dag_id}" has a run "{asked.given_id}" already: {run_id}',
                hint="choose another id, or leave it out",
            )
    return run_ids


def interval_of(
    schedule: Schedule, partition: str | None, logical_date: datetime
) -> tuple[datetime, datetime]:
    """Return the data interval of a run. Raises UsageError: there can be no such partition."""
    if partition is not None and (flaw := flaw_of_partition(partition)) is not None:
        raise UsageError(f"the partition {flaw}")
    try:
        return timetable.interval(schedule, logical_date, partition)
    except BadKey as error:
        raise UsageError(f"the DAG has no such partition: {error}") from None


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
