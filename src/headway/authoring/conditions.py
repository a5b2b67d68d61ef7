"""``@task.run_if`` and ``@task.skip_if``: conditions that are looked at before a task's own code runs."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from headway.authoring.operators.python import asked_for
from headway.authoring.run import Run, Skip, context_of
from headway.authoring.signatures import signature_of

MESSAGE: Final = "the condition of @task.{word} {held}"


class Condition(NamedTuple):
    """``function`` says whether to run (``run_if``), or to skip; also as a pair with a message."""

    word: str
    function: Callable[..., Any]
    message: str | None

    @property
    def runs(self) -> bool:
        return self.word == "run_if"


def check(conditions: Sequence[Condition], run: Run) -> None:
    """Raises Skip for the first that says so."""
    for condition in conditions:
        found = answer(condition.function, run)
        held, message = found if isinstance(found, tuple) else (found, None)
        if bool(held) is not condition.runs:
            told = MESSAGE.format(word=condition.word, held="held" if held else "did not hold")
            raise Skip(message or condition.message or told)


def answer(function: Callable[..., Any], run: Run) -> object:
    """Call a condition with what it asks for by name; as in Airflow, its first other argument is the context."""
    signature = signature_of(function)
    names = [p.name for p in signature.parameters.values() if p.positional]
    first = signature.parameters[names[0]] if names else None
    if first is None or first.wants_context or not first.required:
        return function(**asked_for(signature, 0, {}, run))
    return function(context_of(run), **asked_for(signature, 1, {}, run))
