"""Writes a delivery for each end of a run and each webhook that is told of it.

A follower of events: each end is read after its commit, at least once, and its id makes that one delivery. The body is
made then and there: what is told is how the run ended, whatever becomes of it later.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway import wire
from headway.core import outbound as core
from headway.core.callbacks import SUFFIX
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
    ends = [event for event in found if is_end(event)]
    if not ends:
        return
    by_team: dict[int, list[Target]] = {}
    for target in sending.targets(conn, {event.team_id for event in ends}):
        by_team.setdefault(target.team_id, []).append(target)
    due = [
        (event, target)
        for event in ends
        for target in by_team.get(event.team_id, ())
        if event.at >= target.active_since
        and core.wants(target.dags, target.states, str(event.dag_id), core.ENDS[event.name])
    ]
    runs = sending.told(conn, {(event.team_id, str(event.run_id)) for event, _ in due})
    new = []
    for event, target in due:
        run = runs.get((event.team_id, str(event.run_id)))
        try:
            new += [] if run is None else [delivery(event, target, run)]
        except Exception as error:  # of one run: those of others are told all the same
            log.error("cannot tell of the end of run %s", event.run_id, exc_info=error)
    if new:
        sending.add(conn, new, clock(conn))


def is_end(event: Event) -> bool:
    """Return whether a run of a team's own DAG has ended: those that call its callbacks are not told of."""
    return (
        event.subject == "run"
        and event.name in core.ENDS
        and event.dag_id is not None
        and not event.dag_id.endswith(SUFFIX)
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
