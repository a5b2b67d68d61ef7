"""What is said of a task of a loop that waits: for what, in which iteration, and what comes after it."""

import pytest

from headway.core.loop_wording import first
from headway.core.reasons import AwaitsIteration
from headway.core.wording import said


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            AwaitsIteration(2, 10, "gate", "enough", ("a", "b", "c"), 2),
            "it waits for `a`, `b`, `c` and 2 more in iteration 2 of at most 10;"
            " after it `enough` decides whether another one follows",
        ),
        (
            AwaitsIteration(1, 3, "g.enough", "enough", ("g.step",), decides=True),
            "it waits for `g.step` in iteration 1 of at most 3; then it decides whether another one follows",
        ),
        (
            AwaitsIteration(3, 3, "g.enough", "enough", ("g.step",)),
            "it waits for `g.step` in iteration 3 of at most 3; it is the last one, after which `enough` must hold",
        ),
        (
            AwaitsIteration(1, 3, "g.__loop_gate"),
            "it waits in iteration 1 of at most 3; they follow each other until there were 3",
        ),
        (
            AwaitsIteration(3, 3, "g.__loop_gate", awaits=("g.step",)),
            "it waits for `g.step` in iteration 3 of at most 3; it is the last one",
        ),
    ],
)
def test_what_is_said(reason: AwaitsIteration, words: str) -> None:
    assert said(reason) == words


def test_first_names_are_told_and_the_others_counted() -> None:
    assert first(["a"]) == (("a",), 0)
    assert first(["a", "b", "c", "d", "e"]) == (("a", "b", "c"), 2)
