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
from headway.core.reasons import Reason
from headway.core.stored_reasons import stored
from headway.core.triggers import Trigger
from headway.core.wording import said
from headway.engine.catalog import Catalog
from headway.errors import EXHAUSTED
from headway.events.follower import Follower, skip
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
    of_runs: dict[tuple[int, str], list[Due]] = {}
    for event, occasion in due:
        if (event.team_id, event.dag_id) in known and event.run_id is not None:
            of_runs.setdefault((event.team_id, event.run_id), []).append((event, occasion))
    for key in sorted(of_runs):
        try:
            with conn.transaction():  # a savepoint: what the database refuses of one run
                create(conn, catalog, new_id, key, of_runs[key])
        except (psycopg.OperationalError, *EXHAUSTED):
            raise
        except Exception as error:  # of another version of Headway, as a rule: the others go on
            log.error("cannot make the calls of run %s", key[1], exc_info=error)


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
