"""Bugs to plant in a world with a watcher, each with the symptom by which it must be found."""

from typing import Any

from headway.store import watchers
from headway.store.watchers import Taken
from tests.simulation.assets import STEPS
from tests.simulation.bugs.bug import Bug
from tests.simulation.watched import Watched

STORED: Any = watchers.STORED  # replaced as text, and no longer a literal
FREE: Any = watchers.FREE


def stored_again(conn: Any, holder: Any, batch: int, events: Any, cursor: Any, now: Any) -> Taken:
    """What is told again is not known, but stored."""
    known = watchers.locked(conn, holder)
    return store(conn, holder, batch if known is None else known.batch + 1, events, cursor, now)


store = watchers.store

BUGS = [
    Bug(name, symptom, seeds, (place,), STEPS, Watched)
    for name, symptom, place, seeds in (
        (
            "a batch that is told again is stored again",
            "I73",
            (watchers, "store", stored_again),
            (0, 1),
        ),
        (
            "events are stored without their cursor",
            "I73",
            (watchers, "STORED", STORED.replace("coalesce(%(cursor)s::json, cursor)", "cursor")),
            (0, 1),
        ),
        (
            "a watcher stays with an agent that is gone",
            "S11",
            (watchers, "FREE", FREE.replace("session_id IS NOT NULL", "false")),
            (10,),
        ),
        (
            "a cursor is stored without its events",
            "S11",
            (watchers, "emit", lambda *_: None),
            (0, 1),
        ),
    )
]
