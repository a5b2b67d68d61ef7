"""Bugs to plant in a world of callbacks, each with the symptom by which it must be found."""

from typing import Any
from unittest import mock

from msgspec.structs import replace

from headway.core import callbacks as core_callbacks
from headway.core.states import Event
from headway.engine import callbacks as call_engine
from headway.engine import tick
from headway.store import runs
from tests.simulation.bugs.bug import Bug
from tests.simulation.calls import STEPS, Calls

PARITY = {"seen": 0}


def every_other_is_lost(catalog: Any, new_id: Any, conn: Any, found: Any) -> None:
    PARITY["seen"] += 1
    if PARITY["seen"] % 2:
        handle(catalog, new_id, conn, found)


OF_ENDS_ONLY = {
    name: occasion
    for name, occasion in core_callbacks.OF_INSTANCES.items()
    if name not in (Event.MARK_SUCCESS, Event.MARK_FAILED, Event.CANCEL, Event.RETRY)
}


def without_key(row: Any, event: Any, occasion: Any, index: int, run_id: str) -> Any:
    return replace(call(row, event, occasion, index, run_id), run_key=f"callback:{run_id}")


def called_at_once(conn: Any, ticker: Any, planned: Any, *rest: Any) -> None:
    """The tick makes the calls itself, with a number that the event may not get."""
    give_slots(conn, ticker, planned, *rest)
    for row, run in planned:
        for place, move in enumerate(run.changes.moves):
            if move.state == "success" and row.trigger != "callback":
                event = mock.Mock(seq=10**6 + place, task_id=None, reason=None, state="success")
                event.map_index = event.attempt = None
                event.actor, event.at = "scheduler", run.now
                made = call(row, event, core_callbacks.When.SUCCESS, 0, f"early{run.run_id}{place}")
                runs.create(conn, [made], run.now)


handle, call, give_slots = call_engine.handle, call_engine.call, tick.give_slots

BUGS = [
    Bug(name, symptom, (0, 1, 2, 3), (place,), STEPS, Calls)
    for name, symptom, place in (
        ("a call is lost", "C1|S5", (call_engine, "handle", every_other_is_lost)),
        ("some ends call nobody", "C1|S5", (core_callbacks, "OF_INSTANCES", OF_ENDS_ONLY)),
        ("a call without a key", "C2|C3", (call_engine, "call", without_key)),
        ("a call before the commit", "C3", (tick, "give_slots", called_at_once)),
        ("calls of calls", "C3|S5", (call_engine, "SUFFIX", "/")),
    )
]
