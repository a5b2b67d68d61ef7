"""Makes a run of its companion for each callback of an event (ADR 52).

A follower of events: each is read after its commit, at least once, and the number of the event in
the key of the run makes that once. While no DAG has callbacks, nothing is read: the position moves on.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec
import psycopg
from psycopg import Connection

from headway.core.callbacks import FUNCTIONS_MAX, SUFFIX, When, when
from headway.core.partition_reasons import OverduePartition
from headway.core.partitions import Span
from headway.core.reasons import Reason
from headway.core.schedules import OnPartitions
from headway.core.stored_reasons import stored
from headway.core.triggers import Trigger
from headway.core.wording import said
from headway.engine.catalog import Catalog
from headway.engine.partitions import span_of
from headway.errors import EXHAUSTED
from headway.events.follower import Follower, skip
from headway.spec import compile
from headway.spec.model import Dag
from headway.store import callbacks, runs
from headway.store.clock import clock
from headway.store.events import Event
from headway.store.runs import Claimed, NewRun
from headway.store.transact import C, transact

NAME: Final = "callbacks"
PART: Final = 200  # events in one look, which is one transaction: between two looks the scheduler does all else
AT_ONCE: Final = (
    50  # runs in one statement: each may have all parameters of the run that it is about
)
REASON_CHARS_MAX: Final = 4_000  # that a call is told

Due = tuple[Event, When]

log = logging.getLogger(__name__)


def follow(conn: C, catalog: Catalog, new_id: Callable[[], str]) -> int:
    """Make the runs of the next events. Returns how many there were to read: if any, there may be more.

    Costs one look at an index if no DAG has callbacks.
    """
    if not transact(conn, callbacks.are_there):
        transact(conn, skip, NAME, callbacks.are_there)
        return 0
    return Follower(NAME, partial(handle, catalog, new_id), part=PART).turn(conn) or 0


def handle(
    catalog: Catalog, new_id: Callable[[], str], conn: Connection[Any], found: Sequence[Event]
) -> None:
    due = [(event, occasion) for event in found if (occasion := occasion_of(event)) is not None]
    dags = {(event.team_id, event.dag_id or "") for event, _ in due}
    known = callbacks.with_callbacks(conn, dags) if dags else set()
    subjects: dict[tuple[int, str, str], list[Due]] = {}
    for event, occasion in due:
        if (event.team_id, event.dag_id) in known:
            key = (event.team_id, event.dag_id or "", event.run_id or "")
            subjects.setdefault(key, []).append((event, occasion))
    for team_id, dag_id, run_id in sorted(subjects):
        called = subjects[team_id, dag_id, run_id]
        try:
            with conn.transaction():  # a savepoint: what the database refuses of one subject
                if run_id:
                    create(conn, catalog, new_id, (team_id, run_id), called)
                else:
                    tell_of_partitions(conn, catalog, new_id, called)
        except (psycopg.OperationalError, *EXHAUSTED):
            raise
        except Exception as error:  # of another version of Headway, as a rule: the others go on
            subject = f"run {run_id}" if run_id else f"partitions of DAG {dag_id}"
            log.error("cannot make the calls of %s", subject, exc_info=error)


def tell_of_partitions(
    conn: Connection[Any], catalog: Catalog, new_id: Callable[[], str], due: Sequence[Due]
) -> None:
    """Make the runs of the calls that overdue partitions of one DAG bring."""
    now = clock(conn)
    wanted = []
    for event, occasion in due:
        spec = catalog.dag(event.team_id, event.dag_id or "", event.version or 0)
        reason, schedule = stored(event.reason or ""), compile.data_schedule(spec, now)
        if isinstance(reason, OverduePartition) and isinstance(schedule, OnPartitions):
            span = span_of(schedule, reason.partition) or Span(event.at, event.at)
            wanted += [
                partition_call(event, reason, span, index, new_id())
                for index in range(min(spec.callbacks.get(occasion, 0), FUNCTIONS_MAX))
            ]
    for first in range(0, len(wanted), AT_ONCE):
        runs.create(conn, wanted[first : first + AT_ONCE], now)


def partition_call(
    event: Event, reason: OverduePartition, span: Span, index: int, run_id: str
) -> NewRun:
    """Return the run of a call about a partition, of which there is no run: it has the newest files of the DAG."""
    key = f"callback:{event.seq}:{index}"
    facts = {
        "key": key,
        "when": When.OVERDUE,
        "index": index,
        "dag_id": event.dag_id,
        "run_id": None,
        "task_id": None,
        "map_index": -1,
        "try_number": 0,
        "state": None,
        "reason": said(reason)[:REASON_CHARS_MAX],
        "actor": event.actor,
        "at": event.at,
        "due_at": reason.due,
        "trigger": Trigger.ASSET,
        "partition": reason.partition,
        "params": {},
    }
    return NewRun(
        team_id=event.team_id,
        run_id=run_id,
        dag_id=f"{event.dag_id}{SUFFIX}",
        run_key=key,
        trigger=Trigger.CALLBACK,
        logical_date=span.start,
        interval_start=span.start,
        interval_end=span.end,
        created_by="scheduler",
        params={"callback": msgspec.to_builtins(facts)},
        note=f"on_{When.OVERDUE}_callback of partition {reason.partition} of {event.dag_id}",
        partition=reason.partition,
    )


def create(
    conn: Connection[Any],
    catalog: Catalog,
    new_id: Callable[[], str],
    key: tuple[int, str],
    due: Sequence[Due],
) -> None:
    """Make the runs of the calls that events of one run bring."""
    row = runs.read(conn, *key)
    if row is None:
        return
    spec = catalog.dag(row.team_id, row.dag_id, row.version)
    wanted = [
        call(row, event, occasion, index, new_id())
        for event, occasion in due
        for index in range(min(functions(spec, event).get(occasion, 0), FUNCTIONS_MAX))
    ]
    for first in range(0, len(wanted), AT_ONCE):
        runs.create(conn, wanted[first : first + AT_ONCE], clock(conn))


def occasion_of(event: Event) -> When | None:
    if event.dag_id is None or event.dag_id.endswith(SUFFIX):
        return None
    return when(event.subject, event.name, event.attempt)


def functions(spec: Dag, event: Event) -> Mapping[str, int]:
    """Return how many callbacks there are to call for each occasion."""
    if event.task_id is None:
        return spec.callbacks
    task = next((task for task in spec.tasks if task.task_id == event.task_id), None)
    if task is None or (task.calls_itself and event.reason and raised(stored(event.reason))):
        return {}
    return task.callbacks


def raised(reason: Reason) -> bool:
    """Return whether the process of the task ended it, by an exception."""
    return getattr(reason, "cause", None) == "exception"


def call(row: Claimed, event: Event, occasion: When, index: int, run_id: str) -> NewRun:
    """Return the run of a call, with the files of the run that it is about."""
    key = f"callback:{event.seq}:{index}"
    subject = f"{event.task_id} of " if event.task_id else ""
    facts = {
        "key": key,
        "when": occasion,
        "index": index,
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "task_id": event.task_id,
        "map_index": -1 if event.map_index is None else event.map_index,
        "try_number": event.attempt or 0,
        "state": event.state,
        "reason": None if event.reason is None else said(stored(event.reason))[:REASON_CHARS_MAX],
        "actor": event.actor,
        "at": event.at,
        "trigger": row.trigger,
        "partition": row.partition,
        "params": msgspec.json.decode(row.params),
    }
    return NewRun(
        team_id=row.team_id,
        run_id=run_id,
        dag_id=f"{row.dag_id}{SUFFIX}",
        run_key=key,
        trigger=Trigger.CALLBACK,
        logical_date=row.logical_date,
        interval_start=row.interval_start,
        interval_end=row.interval_end,
        created_by="scheduler",
        params={"callback": msgspec.to_builtins(facts)},
        bundle_version=row.bundle_version,
        note=f"on_{occasion}_callback of {subject}run {row.run_id}",
    )
