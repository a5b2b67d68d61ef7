"""The supervisor that triggers of Airflow ask for connections, variables, XComs, runs and state while they look out.

In Airflow it is another process. Here the question is answered in the name of the wait whose code runs, as that of a
task of Airflow is (``answers``). A message that is not answered is refused with its name.
"""

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from headway.authoring import secrets
from headway.core.connections import is_name
from headway.frontends.airflow import answers, stores
from headway.frontends.airflow.results import BadQuestion, Results
from headway.frontends.airflow.runs import NoSuchRun, Runs

if TYPE_CHECKING:
    from headway.authoring.looking import Given

# The wait whose trigger asks. A watcher has none, and asks for connections, variables and the state of assets only.
ASKS: Final[ContextVar["Given | None"]] = ContextVar("asks", default=None)
OF_TASKS_ONLY: Final = {
    "PutVariable": "the task writes a variable",
    "DeleteVariable": "the task deletes a variable",
    "GetVariableKeys": "the task lists variables",
}
COMMANDS: Final = {"GetConnection": "headway conn set", "GetVariable": "headway var set"}


class Comms:
    """Airflow's ``SUPERVISOR_COMMS``. ``send`` waits in its thread; ``asend`` lets the event loop turn."""

    def __init__(self) -> None:
        from airflow.sdk.execution_time.comms import ToTask
        from pydantic import TypeAdapter

        self.decoder: Any = TypeAdapter(ToTask)

    def send(self, msg: Any) -> Any:
        """Return the answer. Raises AirflowRuntimeError: why there is none."""
        answer = answered(msg.model_dump())
        return None if answer is None else self.decoder.validate_python(answer)

    async def asend(self, msg: Any) -> Any:
        return await asyncio.to_thread(self.send, msg)


def answered(body: dict[str, Any]) -> dict[str, Any] | None:
    kind = str(body.get("type"))
    try:
        found = answer(kind, body)
    except (
        answers.Refused,
        BadQuestion,
        NoSuchRun,
        stores.BadState,
        secrets.SecretRefused,
    ) as error:
        print(f"{kind}: {error}")  # the code that asks often tells only that it got nothing
        raise failed(str(error)) from None
    if found is not None and found.get("type") == "ErrorResponse":
        tell_lack(kind, found)
    return found


def answer(kind: str, body: dict[str, Any]) -> dict[str, Any] | None:
    match kind:
        case "GetConnection":
            return answers.connection(body)
        case "GetVariable":
            return answers.variable(body)
        case "MaskSecret":
            answers.mask(body)
            return None
        case _ if kind in stores.OF_ASSET:
            return stores.answer(body)
    if (given := ASKS.get()) is not None:
        workflow = given.dags[given.run.dag_id]
        runs = Runs(given.run, workflow.dag)
        match kind:
            case "GetXCom":
                return Results(given.run, runs).get(body)
            case "GetDagRunState":
                return runs.state(body)
            case "GetDRCount":
                return runs.count(body)
            case "GetTICount":
                return runs.instance_count(body)
            case "GetTaskStates":
                return runs.states(body)
            case "GetPreviousTI":
                return runs.previous_instance(body)
    raise answers.Refused(refusal(kind))


def refusal(kind: str) -> str:
    known = OF_TASKS_ONLY.get(kind) or answers.REFUSED.get(kind)
    does = known or "the task asks its supervisor for what Headway does not have"
    return (
        f"{does.replace('the task', 'the trigger', 1)} ({kind}), which Headway does not support yet"
    )


def failed(message: str) -> Exception:
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse

    error = ErrorResponse(error=ErrorType.GENERIC_ERROR, detail={"message": message})
    found: Exception = AirflowRuntimeError(error)
    return found


def tell_lack(kind: str, found: dict[str, Any]) -> None:
    """Say in the log of the wait what creates a connection or variable that there is not, for this DAG."""
    name = next(iter(found.get("detail", {}).values()), "")
    if kind in COMMANDS and is_name(str(name)):
        what = "connection" if kind == "GetConnection" else "variable"
        print(f"there is no {what} {name!r} for this DAG; to create it: {COMMANDS[kind]} {name}")


def install() -> None:
    """Let the triggers of this process ask us."""
    from airflow.sdk.execution_time import task_runner

    if not isinstance(getattr(task_runner, "SUPERVISOR_COMMS", None), Comms):
        task_runner.SUPERVISOR_COMMS = Comms()
