"""Bugs in how answers of people end waits."""

from typing import Any

from headway.actions import answers as actions
from headway.core import answering
from tests.simulation.answers import Answers
from tests.simulation.bugs.bug import Bug, bug


def kept_aside(run: Any, instance: Any, answer: Any) -> None:
    """The answer is stored, and the task still waits for it."""
    take(run, instance, answer)
    run.changes.over.pop(instance.key, None)


def not_kept(run: Any, instance: Any, answer: Any) -> None:
    """What the clock answers is not stored."""
    take(run, instance, answer)
    if answer.timed_out:
        run.changes.given.pop()


def second_counts(*given: Any) -> bool:
    """Somebody who comes second is told that their answer was taken."""
    return True


def twice(run: Any, instance: Any, answer: Any) -> None:
    """The wait ends, and the answer is noted for the wait before, too."""
    take(run, instance, answer)
    run.changes.given.append(run.changes.given[-1])


take = answering.take

BUGS: list[Bug] = [
    each._replace(world=Answers)
    for each in (
        bug("the second answer is taken, too", "G3", (0, 1, 2), (actions, "closed", second_counts)),
        bug(
            "a default is not kept",
            "I38 answers and the moves",
            (0, 1, 2),
            (answering, "take", not_kept),
        ),
        bug(
            "an answer is kept twice",
            "answer_pkey|duplicate key",
            (0, 1, 2),
            (answering, "take", twice),
        ),
        bug(
            "an answer leaves its wait open",
            "I38 answered, and still open|I37",
            (0, 1, 2),
            (answering, "take", kept_aside),
        ),
    )
]
