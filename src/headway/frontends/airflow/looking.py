"""Airflow's triggers that wait for runs of DAGs, answered without a process of their own.

The task looks, as often as the trigger says; between two looks it is deferred to the clock. What is looked for is
asked of the server, as by a running task.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headway.frontends.airflow.runs import Found, Runs, word_of

MODULE: Final = "airflow.providers.standard.triggers.external_task."
OF_A_RUN: Final = f"{MODULE}DagStateTrigger"
OF_TASKS: Final = f"{MODULE}WorkflowTrigger"
POLL_S: Final = {OF_A_RUN: ("poll_interval", 5.0), OF_TASKS: ("poke_interval", 2.0)}
POLL_S_MIN: Final = 1.0  # a look is a process

Kwargs = Mapping[str, Any]


def poll_s(trigger: str, given: Kwargs) -> float:
    name, default = POLL_S[trigger]
    return max(POLL_S_MIN, float(given.get(name) or default))


def look(runs: Runs, trigger: str, given: Kwargs) -> Any:
    """Return what the trigger would tell the task; None: not yet."""
    return of_a_run(runs, given) if trigger == OF_A_RUN else of_tasks(runs, given)


def of_a_run(runs: Runs, given: Kwargs) -> Any:
    """Wait until all of the runs are in one of the states."""
    states = list(map(word, given["states"]))
    wanted = given.get("run_ids") or given.get("execution_dates") or ()
    names = {"run_ids": given.get("run_ids"), "logical_dates": given.get("execution_dates")}
    found = [
        run for run in runs.several({"dag_id": given["dag_id"], **names}) if word_of(run) in states
    ]
    if len(found) != len(wanted):
        return None
    asked = {"poll_interval": given.get("poll_interval"), **names, "states": states}
    asked["execution_dates"] = asked.pop("logical_dates")
    known = {name: word_of(run) for run in found for name in (run.run_id, run.given_id) if name}
    named = {name: known[name] for name in given.get("run_ids") or ()}
    return OF_A_RUN, {"dag_id": given["dag_id"], **asked, **named}


def of_tasks(runs: Runs, given: Kwargs) -> Any:
    """Wait until all of the runs, or the tasks in all of them, are in a state that ends the wait."""
    wanted = given.get("run_ids") or given.get("logical_dates") or ()
    body = {"dag_id": given["external_dag_id"], "task_ids": given.get("external_task_ids")}
    body |= {"task_group_id": given.get("external_task_group_id")}
    body |= {"run_ids": given.get("run_ids"), "logical_dates": given.get("logical_dates")}
    found = runs.several(body)
    states = states_of(runs, found, body)
    for name, status in (("failed_states", "failed"), ("skipped_states", "skipped")):
        if count(states, given.get(name), body) > 0:
            return {"status": status}
    reached = count(states, given["allowed_states"], body)
    return {"status": "success"} if reached == len(wanted) else None


def states_of(runs: Runs, found: Sequence[Found], body: dict[str, Any]) -> list[list[str]]:
    """Return of each run the states that count: its own, or those of the tasks that are waited for."""
    if not body["task_ids"] and not body["task_group_id"]:
        return [[word_of(run)] for run in found]
    instances = runs.instances(body["dag_id"], found, body)
    return [
        [each.word or "none" for each in instances if each.run_id == run.run_id] for run in found
    ]


def count(
    states: Sequence[Sequence[str]], wanted: Sequence[Any] | None, body: dict[str, Any]
) -> float:
    """Return in how many runs it is in one of the states, as Airflow's sensor counts: named tasks in parts."""
    words = set(map(word, wanted or ()))
    if tasks := body["task_ids"]:
        return sum(state in words for each in states for state in each) / len(tasks)
    return sum(bool(each) and words.issuperset(each) for each in states)


def word(state: Any) -> str:
    return str(getattr(state, "value", state))
