"""Results of tasks in other runs: ``run_result(started, "work")``, and ``trigger_dag(…, wait=True, result="work")``.

``started`` names a run of a DAG of the own team, as the results of ``trigger_dag`` and ``wait_for_run`` do. Those of
other teams are closed: a grant to start a DAG, to wait for it or to see its runs does not open what its tasks return.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from headway.authoring import secrets
from headway.authoring.references import RESULT_KEY
from headway.authoring.run import Fail
from headway.authoring.values import from_json
from headway.core.foreign import foreign

XCOM: Final = "xcom"  # the kind of question (``headway.secrets.results``)
RUNS: Final = "runs"  # (``headway.secrets.runs``)


class Stored(msgspec.Struct, frozen=True):
    map_index: int
    value: msgspec.Raw


class Told(msgspec.Struct, frozen=True):
    """An instance of the task."""

    map_index: int
    state: str


STORED: Final = msgspec.json.Decoder(list[Stored])
INSTANCES: Final = msgspec.json.Decoder(list[Told] | None)


def run_result(run: object, task_id: str) -> Any:
    """Return the result of a task in another run; of a mapped task, the list of its results.

    ``run``: a dict with ``dag_id`` and ``run_id``, such as the result of ``trigger_dag`` or ``wait_for_run``. In a unit
    test the result is None. Raises Fail, which no retry follows, if there is no such result.
    """
    dag_id, run_id = named(run)
    if not isinstance(task_id, str) or not task_id:
        raise Fail(f"task_id must be the id of a task, not {task_id!r}")
    if secrets.ask is secrets.ask_environment:
        return None
    wanted = {"run_id": run_id, "task_id": task_id, "key": RESULT_KEY, "map_index": None}
    answer = secrets.ask(XCOM, msgspec.json.encode(wanted).decode())
    found = STORED.decode(answer or "[]")
    if any(one.map_index < 0 for one in found):
        return from_json(bytes(found[0].value))
    if not found:
        check(dag_id, run_id, task_id)
    return [from_json(bytes(one.value)) for one in found]


def named(run: object) -> tuple[str, str]:
    """Return the DAG and the id of a run. Raises Fail."""
    given = run if isinstance(run, Mapping) else {}
    dag_id, run_id = given.get("dag_id"), given.get("run_id")
    if not isinstance(dag_id, str):
        raise Fail(
            f"run_result takes the result of trigger_dag or wait_for_run, a dict with dag_id and run_id, not {run!r}"
        )
    refuse_foreign(dag_id)
    if not isinstance(run_id, str):
        raise Fail(f"run_id must be the id of a run of {dag_id}, not {run_id!r}")
    return dag_id, run_id


def refuse_foreign(dag_id: str) -> None:
    if (other := foreign(dag_id)) is not None:
        raise Fail(
            f"the results of {dag_id} belong to the team {other.team}: no grant lets another team read them; "
            "let its DAG write what you need where both teams can read it, and report an asset"
        )


def check(dag_id: str, run_id: str, task_id: str) -> None:
    """Raise Fail with the reason for which there is no result; return if it is that of a mapped task, and empty."""
    asked = {"ask": "instances", "dag_id": dag_id, "run_ids": [run_id], "task_ids": [task_id]}
    answer = secrets.ask(RUNS, msgspec.json.encode(asked).decode())
    instances = INSTANCES.decode(answer or "null")
    place = f"run {run_id} of {dag_id}"
    if instances is None:
        raise Fail(f"there is no DAG {dag_id!r}, so there is no result of {task_id!r}")
    if not instances:
        raise Fail(f"{place} has no task {task_id!r}, or there is no such run")
    state = instances[0].state
    if instances[0].map_index < 0 and state != "success":
        raise Fail(f"{task_id!r} in {place} is {state}, so it has no result")
    if instances[0].map_index < 0:
        raise Fail(
            f"{task_id!r} in {place} returned no result: it returned None, or has do_xcom_push=False"
        )
    if all(each.state != "success" for each in instances):
        raise Fail(f"no instance of {task_id!r} in {place} succeeded, so it has no result")
