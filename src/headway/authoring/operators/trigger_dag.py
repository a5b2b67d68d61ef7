"""``trigger_dag(task_id=…, dag_id=…)``: starts a run of another DAG, and with ``wait=True`` waits for its end.

``@team/dag`` is a DAG of another team, which must have granted ``start``, and to wait for it ``wait``. While it waits,
no process and no slot is in use. The result says which run it is, and with ``wait`` how it ended; any other end than
one of ``states`` fails the task. With ``result``, the id of a task of that DAG, the result is what that task returned;
with a list of ids it is a dict. Only DAGs of the own team tell their results.

Each attempt starts a run of its own. With ``given_id``, which no other run of the DAG has, several tasks or attempts
mean one run: ``if_exists`` is ``"use"``, ``"again"`` (clear it), ``"skip"`` or ``"fail"``.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from headway.authoring import secrets
from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.sleep_until import moment
from headway.authoring.rendered import show
from headway.authoring.run import Deferred, Fail, Run, Skip
from headway.authoring.run_results import refuse_foreign, run_result
from headway.authoring.values import to_json
from headway.authoring.waits import SUCCESS, RunEnd, aware, seconds
from headway.core.foreign import flaw
from headway.core.states import RUN_FINAL

KIND: Final = "runs"  # of the question (``headway.secrets.runs``)
EXISTS: Final = ("use", "again", "skip", "fail")
OVER: Final = tuple(sorted(state.value for state in RUN_FINAL))


class RunNotStarted(Exception):
    """The server did not start the run: why."""


def run(call: Call) -> object:
    given = call.kwargs
    wanted = given.get("result")
    if wanted is not None and call.run.found is not None:
        return results_of(call.run.found, wanted)
    dag_id, exists = dag_of(given["dag_id"]), given.get("if_exists") or "use"
    if exists not in EXISTS:
        raise Fail(f"if_exists must be one of {', '.join(EXISTS)}, not {exists!r}")
    states, timeout = given.get("states") or SUCCESS, given.get("timeout")
    timeout_s = None if timeout is None else seconds("timeout", timeout)
    RunEnd(dag_id, states=states).deferral(call.run)  # type: ignore[arg-type]  # a mistake is told before anything starts
    check_result(wanted, dag_id, waits=bool(given.get("wait")))
    date = given.get("logical_date")
    at = None if date is None else aware("logical_date", moment("logical_date", date, call.run))
    name = name_of(given.get("given_id"), call.run)
    asked = {
        "ask": "start",
        "dag_id": dag_id,
        "run_id": name,
        "params": params_of(given.get("params")),
        "logical_date": None if at is None else at.isoformat(),
        "note": text_of("note", given.get("note")),
        "partition": text_of("partition", given.get("partition")),
        "again": exists == "again",
    }
    show(dag_id=dag_id, params=msgspec.json.encode(asked["params"]).decode(), run=name)
    started = start(asked, call.run)
    if started["exists"] and exists in ("skip", "fail"):
        text = f"{dag_id} has a run {name} already: {started['run_id']}"
        raise Skip(text) if exists == "skip" else Fail(text)
    print(f"{'uses' if started['exists'] else 'started'} run {started['run_id']} of {dag_id}")
    if not given.get("wait"):
        return {"dag_id": dag_id, "run_id": started["run_id"]}
    wait = RunEnd(
        dag_id,
        run_id=started["run_id"],
        logical_date=started["logical_date"],
        states=states,  # type: ignore[arg-type]
        failed_states=[state for state in OVER if state not in states],  # type: ignore[operator]
    )
    raise Deferred(wait.deferral(call.run)._replace(timeout_s=timeout_s, finishes=wanted is None))


def check_result(wanted: object, dag_id: str, *, waits: bool) -> None:
    """Raises Fail for results that cannot come, before a run is started."""
    if wanted is None:
        return
    if not tasks_of(wanted):
        raise Fail(
            f"result must be the id of a task of {dag_id}, or a list of them, not {wanted!r}"
        )
    if not waits:
        raise Fail("result needs wait=True: the run has no results before its tasks have ended")
    refuse_foreign(dag_id)


def tasks_of(wanted: object) -> list[str]:
    """Return the tasks whose results are wanted; none, if it is something else."""
    names = (
        [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list | tuple) else []
    )
    return [*names] if all(isinstance(name, str) and name for name in names) else []


def results_of(run: object, wanted: object) -> object:
    """Return the result of the task, or by task those of several. Raises Fail."""
    if isinstance(wanted, str):
        return run_result(run, wanted)
    return {name: run_result(run, name) for name in tasks_of(wanted)}


def start(asked: Mapping[str, object], run: Run) -> dict[str, Any]:
    """Return the run: its id, its logical date, and whether somebody else had started it.

    Raises RunNotStarted. In a unit test no run is started, and its id is ``test``.
    """
    if secrets.ask is secrets.ask_environment:
        return {"run_id": "test", "logical_date": run.logical_date, "exists": False}
    try:
        answer = secrets.ask(KIND, msgspec.json.encode(asked).decode())
    except secrets.SecretRefused as error:
        raise RunNotStarted(str(error)) from None
    assert answer is not None, "a start has an answer, or is refused"
    found: dict[str, Any] = msgspec.json.decode(answer)
    date = msgspec.convert(found["logical_date"], type=type(run.logical_date), strict=False)
    return {**found, "logical_date": date}


def dag_of(given: object) -> str:
    if not isinstance(given, str) or not given:
        raise Fail(f"dag_id must be the id of a DAG, not {given!r}")
    if (trouble := flaw(given)) is not None:
        raise Fail(f"the DAG id {given!r} {trouble}")
    return given


def params_of(given: object) -> object:
    """Return the parameters as JSON has them. Raises Fail."""
    if not isinstance(given, Mapping | None):
        raise Fail(f"params must be a dict, not {type(given).__name__}")
    return msgspec.json.decode(to_json(dict(given or {})))


def text_of(name: str, given: object) -> str | None:
    if given is None or isinstance(given, str):
        return given
    raise Fail(f"{name} must be a string, not {type(given).__name__}")


def name_of(given: object, run: Run) -> str:
    """Return the name of the run. Without one that is given, the same attempt means the same run."""
    if given is not None:
        if not text_of("given_id", given):
            raise Fail("given_id must not be empty")
        return str(given)
    index = "" if run.map_index < 0 else f"[{run.map_index}]"
    return f"{run.run_id}/{run.task_id}{index}/{run.try_number}"


OPERATOR = Operator(
    word="trigger_dag",
    parameters=(
        *("dag_id", "params", "logical_date", "partition", "note", "given_id", "if_exists"),
        *("wait", "states", "timeout", "result"),
    ),
    required=("dag_id",),
    run=run,
    templated=("dag_id", "params", "logical_date", "partition", "note", "given_id"),
)
