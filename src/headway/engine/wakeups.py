"""Ends waits that are looked up in the database, without a process. The run is told by a report in its inbox."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import Connection

from headway.agent.protocol import AttemptKey, Found
from headway.store import deferrals, reports
from headway.store.deferrals import Arrived, Seen


def look_up_waits(conn: Connection[Any]) -> int:
    """Tell deferred attempts that a run they wait for has ended as it should, or not, or that an asset has the event
    they wait for. Return how many are told.
    """
    seen: Sequence[Seen | Arrived] = [*deferrals.look(conn), *deferrals.look_at_assets(conn)]
    if seen:
        bodies = [msgspec.msgpack.encode(message(each)) for each in seen]
        told = [(s.team_id, s.run_id, body) for s, body in zip(seen, bodies, strict=True)]
        reports.put(conn, told)
    return len(seen)


def message(seen: Seen | Arrived) -> Found:
    key = AttemptKey(seen.run_id, seen.task_id, seen.map_index, seen.attempt, seen.deferrals)
    if isinstance(seen, Arrived):
        return Found(key, msgspec.json.encode(event_of(seen)))
    if seen.good:
        found = {"dag_id": seen.dag_id, "run_id": seen.target, "state": seen.state}
        return Found(key, msgspec.json.encode(found))
    run = "the run" if seen.target is None else f"run {seen.target}"
    return Found(key, error=f"{run}, which it waited for, is {seen.state}")


def event_of(seen: Arrived) -> dict[str, object]:
    return {
        "asset": seen.asset,
        "partition": seen.partition,
        "at": seen.at.isoformat(),
        "extra": msgspec.Raw(seen.extra.encode()),
    }
