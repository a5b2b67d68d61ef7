"""Writes a delivery for each end of a run and each overdue partition, and each webhook that is told of it.

A follower of events: each is read after its commit, at least once, and its id makes that one delivery. The body is
made then and there: what is told is how the run ended, whatever becomes of it later.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import msgspec
from psycopg import Connection

from headway import wire
from headway.core import outbound as core
from headway.core.callbacks import SUFFIX
from headway.core.partition_reasons import OverduePartition
from headway.core.reason_kinds import Kind
from headway.core.stored_reasons import stored
from headway.core.webhooks import BODY_BYTES_MAX
from headway.events import Event, Follower
from headway.store import sending
from headway.store.clock import clock
from headway.store.sending import New, Target, Told

log = logging.getLogger(__name__)

NAME: Final = "outbound webhooks"
PART: Final = 200  # events in one transaction


def follower() -> Follower:
    return Follower(NAME, handle, part=PART)


def handle(conn: Connection[Any], found: Sequence[Event]) -> None:
    told = [(event, kind) for event in found if (kind := kind_of(event)) is not None]
    if not told:
        return
    by_team: dict[int, list[Target]] = {}
    for target in sending.targets(conn, {event.team_id for event, _ in told}):
        by_team.setdefault(target.team_id, []).append(target)
    due = [
        (event, target)
        for event, kind in told
        for target in by_team.get(event.team_id, ())
        if event.at >= target.active_since
        and kind in target.events
        and core.wants(target.dags, target.states, str(event.dag_id), core.ENDS.get(event.name))
    ]
    runs = sending.told(conn, {(event.team_id, event.run_id) for event, _ in due if event.run_id})
    new = []
    for event, target in due:
        try:
            new += delivered(event, target, runs)
        except Exception as error:  # of one event: others are told all the same
            subject = event.run_id and f"the end of run {event.run_id}"
            log.error(
                "cannot tell of %s",
                subject or f"a partition of DAG {event.dag_id}",
                exc_info=error,
            )
    if new:
        sending.add(conn, new, clock(conn))


def kind_of(event: Event) -> str | None:
    """Return what an event is to a webhook; None: nothing is told of it, such as of runs that call callbacks."""
    if event.dag_id is None or event.dag_id.endswith(SUFFIX):
        return None
    if event.subject == "run" and event.name in core.ENDS:
        return core.RUN_ENDED
    is_overdue = event.subject == "dag" and event.name == Kind.OVERDUE_PARTITION
    return core.PARTITION_OVERDUE if is_overdue else None


def delivered(event: Event, target: Target, runs: Mapping[tuple[int, str], Told]) -> list[New]:
    """Return the delivery of an event; none of a run that is deleted."""
    if event.run_id is None:
        return [overdue(event, target)]
    run = runs.get((event.team_id, event.run_id))
    return [] if run is None else [delivery(event, target, run)]


def overdue(event: Event, target: Target) -> New:
    reason = stored(str(event.reason))
    if not isinstance(reason, OverduePartition):
        raise ValueError(f"event {event.seq} names no partition")
    dag_id = str(event.dag_id)
    told = wire.PartitionOverdue(
        id=core.partition_event_id(dag_id, reason.partition, event.seq),
        event=core.PARTITION_OVERDUE,
        team=target.team,
        dag_id=dag_id,
        partition=reason.partition,
        due_at=datetime.fromisoformat(reason.due),
        at=event.at,
        arrived=reason.arrived,
        url=f"{target.site}/t/{target.team}/dags/{quote(dag_id, safe='')}",
    )
    return New(
        team_id=event.team_id,
        name=target.name,
        event_id=told.id,
        event=told.event,
        at=event.at,
        body=msgspec.json.encode(told).decode(),
        dag_id=dag_id,
        partition=reason.partition,
    )


def delivery(event: Event, target: Target, run: Told) -> New:
    ended = wire.RunEnded(
        id=core.event_id(str(event.run_id), event.seq),
        event=core.RUN_ENDED,
        team=target.team,
        dag_id=str(event.dag_id),
        run_id=str(event.run_id),
        logical_date=run.logical_date,
        trigger=run.trigger,
        state=core.ENDS[event.name],
        started_at=run.started_at,
        ended_at=event.at,
        url=f"{target.site}/t/{target.team}/runs/{event.run_id}",
    )
    return New(
        team_id=event.team_id,
        name=target.name,
        event_id=ended.id,
        event=ended.event,
        at=event.at,
        body=body_of(ended, run.params if target.with_params else None),
        dag_id=event.dag_id,
        run_id=event.run_id,
        state=ended.state,
    )


def body_of(ended: wire.RunEnded, params: str | None) -> str:
    """Return the body as JSON, with the parameters if it stays as short as a webhook of Headway takes it."""
    if params is None:
        return msgspec.json.encode(ended).decode()
    whole = msgspec.structs.replace(ended, params=msgspec.json.decode(params))
    text = msgspec.json.encode(whole)
    if len(text) > BODY_BYTES_MAX:
        text = msgspec.json.encode(msgspec.structs.replace(ended, params=None))
    return text.decode()
