"""Ends waits that are looked up in the database, without a process. The run is told by a report in its inbox."""

from typing import Any

import msgspec
from psycopg import Connection

from headway.agent.protocol import AttemptKey, Found
from headway.store import deferrals, reports
from headway.store.deferrals import Seen


def look_for_runs(conn: Connection[Any]) -> int:
    """Tell deferred attempts that a run they wait for has ended as it should, or not. Return how many are told."""
    seen = deferrals.look(conn)
    if seen:
        bodies = [msgspec.msgpack.encode(message(each)) for each in seen]
        told = [(s.team_id, s.run_id, body) for s, body in zip(seen, bodies, strict=True)]
        reports.put(conn, told)
    return len(seen)


def message(seen: Seen) -> Found:
    key = AttemptKey(seen.run_id, seen.task_id, seen.map_index, seen.attempt, seen.deferrals)
    if seen.good:
        return Found(key, msgspec.json.encode({"run_id": seen.target, "state": seen.state}))
    run = "the run" if seen.target is None else f"run {seen.target}"
    return Found(key, error=f"{run}, which it waited for, is {seen.state}")
