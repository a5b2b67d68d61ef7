"""Bugs to plant in a world of outbound webhooks, each with the symptom by which it must be found."""

from typing import Any

from headway.core import outbound as core
from headway.outbound import follow, sender
from headway.store import sending
from tests.simulation.bugs.bug import Bug
from tests.simulation.outbound import STEPS, Outbound

PARITY = {"seen": 0}
TARGETS: Any = sending.TARGETS  # replaced as text, and no longer a literal


def every_other_is_lost(conn: Any, found: Any) -> None:
    """The position moves on, and nothing was written."""
    PARITY["seen"] += 1
    if PARITY["seen"] % 2:
        handle(conn, found)


def delivered_at_once(delivery: Any, answer: Any, now: Any) -> Any:
    """What was sent counts as delivered, whatever came back."""
    return done(delivery, type(answer)(200, None, None, 0), now)


handle, done = follow.handle, sender.done

BUGS = [
    Bug(name, symptom, (0,), (place,), STEPS, Outbound)
    for name, symptom, place in (
        ("an end is read and not told", "O1", (follow, "handle", every_other_is_lost)),
        ("what failed counts as delivered", "O4", (sender, "done", delivered_at_once)),
        ("a failure is given up at once", "O5|O1", (core, "next_try", lambda *given: None)),
        ("all are told of all states", "O2", (core, "wants", lambda *given: True)),
        (
            "disabled ones are told, too",
            "O3|O5",
            (sending, "TARGETS", TARGETS.replace("AND disabled_at IS NULL", "")),
        ),
    )
]
