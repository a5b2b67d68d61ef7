"""Bugs to plant in a world of loops, each with the symptom by which it must be found."""

from typing import Any

from headway.core import loops
from headway.core.run import Run
from headway.store import snapshots
from tests.simulation.bugs.bug import Bug
from tests.simulation.loops import Loops

STEPS = 15
FOLLOW = 9  # its place among the columns


def decision_forgotten(run: Run, task_id: str, map_index: int, state: str, *columns: Any) -> None:
    if task_id == "gate":
        columns = (*columns[:FOLLOW], None, *columns[FOLLOW + 1 :])
    add_instance(run, task_id, map_index, state, *columns)


def second_at_once(run: Run, gate: int, iteration: int) -> bool:
    """The second iteration does not wait for what the gate of the first decides."""
    return iteration == 0 or leads_on(run, gate, iteration)


add_instance, leads_on = snapshots.add_instance, Run.leads_on

BUGS = [
    Bug(name, symptom, seeds, places, STEPS, Loops)
    for name, symptom, seeds, places in (
        (
            "a loop without a bound",
            "I58|S6",
            (0, 1, 2, 3, 4, 5, 6, 7),
            ((loops, "bounded", lambda run, instance, report: report),),
        ),
        (
            "who reads a run anew forgets what its gates decided",
            "I57|S6|I0",
            (0, 1, 2, 3, 4, 5, 6, 7),
            ((snapshots, "add_instance", decision_forgotten),),
        ),
        (
            "an iteration that no gate decided on",
            "I57|I58|S6",
            (0, 1, 2, 3, 4, 5, 6, 7),
            ((Run, "leads_on", second_at_once),),
        ),
    )
]
