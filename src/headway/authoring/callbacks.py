"""Calls of callbacks, in a process of the team: ``on_failure_callback`` and its kin.

A callback is called as in Airflow, with the context as its first argument, or with what it asks for by name: ``run``,
``reason``, ``key``, … A call is repeated when its process died, so ``key`` says which call it is.
"""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

from headway.authoring.operators.python import asked_for, awaited
from headway.authoring.options import CALLBACKS
from headway.authoring.run import Fail, Run, context_of, entered
from headway.authoring.signatures import signature_of
from headway.core.callbacks import SUFFIX

if TYPE_CHECKING:
    from headway.authoring.dag import DAG
    from headway.authoring.execute import Inputs, Result

# What a callback is told besides its run.
FACTS: Final = ("key", "when", "state", "reason", "exception", "actor", "at", "due_at")


class Companion:
    """The DAG whose runs call the callbacks of ``dag``."""

    def __init__(self, dag: "DAG") -> None:
        self.dag = dag

    def referenced_keys(self) -> Mapping[str, set[str]]:
        return {}

    def execute(self, task_id: str, run: Run, inputs: "Inputs") -> "Result":
        """Call one callback. Raises Fail, or whatever it raises."""
        from headway.authoring.execute import Result

        facts = run.params.get("callback")
        if not isinstance(facts, dict):
            raise Fail(f"runs of {run.dag_id} are made by events of {self.dag.dag_id} only")
        function = self.function(facts)
        about = subject(run, facts)
        told = {name: facts.get(name) for name in FACTS}
        told["exception"] = facts["reason"] if facts["when"] in ("failure", "retry") else None
        told["at"] = datetime.fromisoformat(facts["at"])
        told["due_at"] = facts.get("due_at") and datetime.fromisoformat(facts["due_at"])
        with entered(about):
            call(function, about, told)
        return Result(None, {}, None)

    def function(self, facts: Mapping[str, Any]) -> Callable[..., object]:
        word = f"on_{facts['when']}_callback"
        task = self.dag.tasks.get(facts["task_id"] or "")
        options = self.dag.callbacks if facts["task_id"] is None else task.options if task else {}
        known = options.get(word, ())
        if facts["index"] >= len(known):
            raise Fail(f"{facts['task_id'] or self.dag.dag_id} has no such {word} any more")
        found: Callable[..., object] = known[facts["index"]]
        return found


def with_companions(dags: "Sequence[DAG]") -> "dict[str, DAG | Companion]":
    """Return what runs the tasks of these DAGs, and their callbacks, by id."""
    made = {f"{dag.dag_id}{SUFFIX}": Companion(dag) for dag in dags if has_some(dag)}
    return {**made, **{dag.dag_id: dag for dag in dags}}


def has_some(dag: "DAG") -> bool:
    owners = (dag.callbacks, *(task.options for task in dag.tasks.values()))
    return any(owner.get(word) for owner in owners for word in CALLBACKS)


def subject(run: Run, facts: Mapping[str, Any]) -> Run:
    """Return the run, task instance and attempt that a call is about. An overdue partition has no run."""
    return Run(
        run_id=facts["run_id"] or "",
        dag_id=facts["dag_id"],
        task_id=facts["task_id"] or "",
        map_index=facts["map_index"],
        try_number=facts["try_number"],
        logical_date=run.logical_date,
        data_interval=(run.data_interval.start, run.data_interval.end),
        trigger=facts["trigger"],
        params=facts["params"],
        partition=facts.get("partition"),
    )


def call(function: Callable[..., object], run: Run, told: Mapping[str, object]) -> None:
    """Call a function with what it asks for by name; as in Airflow, its first other argument is the context."""
    signature = signature_of(function)
    named = {name: told[name] for name in signature.parameters if name in told}
    rest = [p for p in signature.parameters.values() if p.positional and p.name not in named]
    wants = bool(rest) and rest[0].required and not rest[0].wants_context
    if wants and rest[0] is next(iter(signature.parameters.values())):
        result = function(
            {**context_of(run), **told}, **asked_for(signature, 1, named, run), **named
        )
    else:
        result = function(**asked_for(signature, 0, named, run), **named)
    if isinstance(result, CoroutineType):
        awaited(result)


def before(functions: Sequence[Callable[..., object]], run: Run) -> None:
    """Call the ``on_execute_callback`` of a task before its own code. A broken one is shown, and hurts nobody."""
    for function in functions:
        try:
            call(function, run, dict.fromkeys(FACTS))
        except Exception:
            sys.stderr.write(
                f"on_execute_callback {getattr(function, '__name__', function)!s} failed:\n"
            )
            traceback.print_exc()
