"""Callbacks of Airflow's DAGs, and those of tasks that Airflow's task runner could not call itself.

The runner calls the callbacks of a task for what the task raises or returns. For what ends it from outside (a kill,
a loss, a time-out, a person) and for the DAG, the companion calls them: a DAG of Airflow with one task, which the
runner runs like any other, so that a callback reads connections and variables as tasks do.
"""

from typing import Any, Final

from headway.authoring.execute import Inputs, Result
from headway.authoring.run import Run
from headway.core.callbacks import CALL, SUFFIX
from headway.frontends.airflow import schedules
from headway.frontends.airflow.running import Workflow

OUTSIDE: Final = ("failure", "retry")  # what ends a task without its process


def of_dag(dag: Any) -> dict[str, int]:
    counts = {when: len(listed(dag, when)) for when in ("success", "failure")}
    return {when: count for when, count in counts.items() if count}


def of_task(task: Any) -> dict[str, int]:
    counts = {when: len(listed(task, when)) for when in OUTSIDE}
    return {when: count for when, count in counts.items() if count}


def has_some(dag: Any) -> bool:
    return bool(of_dag(dag)) or any(map(of_task, dag.tasks))


def listed(owner: Any, when: str) -> list[Any]:
    """Return the callbacks of a DAG or a task."""
    given = getattr(owner, f"on_{when}_callback", None)
    if given is None and getattr(owner, "is_mapped", False):
        given = owner.partial_kwargs.get(f"on_{when}_callback")
    return list(given) if isinstance(given, (list, tuple)) else [] if given is None else [given]


def companion(dag: Any) -> Any:
    """Return the DAG of Airflow whose task calls a callback of ``dag``."""
    from airflow.sdk import DAG, BaseOperator

    class Call(BaseOperator):  # type: ignore[misc]
        def execute(self, context: Any) -> None:
            call(dag, context)

    # The runs are dated as those of the DAG.
    timed = schedules.has_data_interval(dag.timetable)
    made = DAG(
        f"{dag.dag_id}{SUFFIX}", schedule=dag.timetable if timed else None, auto_register=False
    )
    Call(task_id=CALL, dag=made)
    return made


class Calls(Workflow):
    """The companion. Its runs have the kind of the run that they are about, for their dates."""

    def execute(self, task_id: str, run: Run, inputs: Inputs) -> Result:
        facts = run.params.get("callback")
        about = run.but("trigger", facts["trigger"]) if isinstance(facts, dict) else run
        return super().execute(task_id, about, inputs)


def call(dag: Any, context: Any) -> None:
    """Call a callback with the context of what it is about. Raises whatever it raises."""
    facts = (context["dag_run"].conf or {}).get("callback")
    if not isinstance(facts, dict):
        raise ValueError(f"runs of the callbacks of {dag.dag_id} are made by its events only")
    task = dag.task_dict.get(facts["task_id"]) if facts["task_id"] else None
    functions = listed(dag if facts["task_id"] is None else task, facts["when"])
    if facts["index"] >= len(functions):
        raise ValueError(f"{facts['task_id'] or dag.dag_id} has no such callback any more")
    functions[facts["index"]](context_of(dag, task, facts, context))


def context_of(dag: Any, task: Any, facts: dict[str, Any], context: Any) -> dict[str, Any]:
    run = context["dag_run"].model_copy(
        update={
            "dag_id": facts["dag_id"],
            "run_id": facts["run_id"],
            "conf": facts["params"],
            **({} if task else {"state": facts["state"]}),
        }
    )
    told = {
        **context,
        "dag": dag,
        "dag_run": run,
        "run_id": facts["run_id"],
        "conf": facts["params"],
        "params": {**{name: param.value for name, param in dag.params.items()}, **facts["params"]},
        "reason": facts["reason"],
        "exception": facts["reason"] if facts["when"] != "success" else None,
        "callback_key": facts["key"],
    }
    if task is None:
        return told
    instance = context["ti"].model_copy(
        update={
            "dag_id": facts["dag_id"],
            "run_id": facts["run_id"],
            "task_id": facts["task_id"],
            "map_index": facts["map_index"],
            "try_number": facts["try_number"],
            "task": task,
        }
    )
    return {**told, "task": task, "ti": instance, "task_instance": instance}
