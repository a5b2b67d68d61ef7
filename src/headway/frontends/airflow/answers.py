"""Answers to what a task runner of Airflow asks and tells while its task runs.

Connections, variables, results and state are asked of the server, for the team of the attempt. A message that is not
known here is refused with its name, and the task fails with that. The messages are those of Airflow 3.2 and 3.3.
"""

import os
import socket
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final

from headway import clock
from headway.authoring import rendered, secrets
from headway.authoring.map_index import shortened
from headway.authoring.run import Deferral, Run
from headway.authoring.values import to_json
from headway.core.connections import BadConnection, is_name, is_sensitive, parse
from headway.frontends.airflow import asking, deferring, stores, variables
from headway.frontends.airflow.events import Events
from headway.frontends.airflow.frames import Request, send
from headway.frontends.airflow.logs import Others
from headway.frontends.airflow.results import BadQuestion, Results
from headway.frontends.airflow.runs import NoSuchRun, Runs

# All that is not answered, with what a task that asks for it does.
REFUSED: Final = {
    "GetHITLDetailResponse": "the task reads the answer of a person by itself",
    "UpdateHITLDetail": "the task answers in place of a person",
}


CHOICE: Final = "skipmixin_key"  # the XCom in which Airflow's branches keep what they chose


class State(Enum):
    """The end of a task, as its runner told it."""

    SUCCESS = "success"
    SKIPPED = "skipped"
    FAILED = "failed"
    RETRY = "retry"


class Refused(Exception):
    """The question cannot be answered: why, for the log and the task."""


class Conversation:
    """``deferral``: what the task waits for, if it ended with that.

    ``others``: the programs that the task starts and that log by themselves. ``root``: of the bundle.
    ``skipped``: the direct downstream tasks that a branch leaves out; None: it is none, or follows all.
    """

    def __init__(self, run: Run, dag: Any, downstream: list[str], root: str = "") -> None:
        self.run = run
        self.others = Others(root)
        self.downstream = downstream
        self.may_retry = run.try_number < run.max_tries
        self.state: State | None = None
        self.refused = ""
        self.deferral: Callable[[], Deferral] | None = None
        self.skipped: set[str] | None = None
        self.question: dict[str, Any] = {}
        self.runs = runs = Runs(run, dag)
        self.results = Results(run, runs)
        events = Events(dag)
        self.said: dict[str, Any] = {}  # of its success or retry
        self.lacking: dict[
            str, str
        ] = {}  # what the team does not have, and the command that makes it
        self.answers: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
            "GetXCom": self.results.get,
            "GetXComCount": self.results.count,
            "GetNumberXComs": self.results.count,  # its name in 3.2
            "GetXComSequenceItem": self.results.item,
            "GetXComSequenceSlice": self.results.part,
            "SetXCom": self.results.put,
            "DeleteXCom": self.results.delete,
            "GetConnection": self.connection,
            "GetVariable": self.variable,
            **variables.ANSWERS,
            "GetDag": runs.of_dag,
            "GetDagRun": runs.whole,
            "GetDagRunState": runs.state,
            "GetDRCount": runs.count,
            "GetTICount": runs.instance_count,
            "GetTaskStates": runs.states,
            "GetTaskBreadcrumbs": runs.breadcrumbs,
            "GetPreviousDagRun": runs.previous,
            "GetPreviousTI": runs.previous_instance,
            "GetPrevSuccessfulDagRun": runs.previous_successful,
            "TriggerDagRun": runs.trigger,
            "GetTaskRescheduleStartDate": lambda _: {
                "type": "TaskRescheduleStartDate",
                "start_date": deferring.started(run, clock.now()),
            },
            "GetAssetByName": events.by_name,
            "GetAssetByUri": events.by_uri,
            "GetAssetsByAlias": events.by_alias,
            "GetAssetEventByAsset": events.of_asset,
            "GetAssetEventByAssetAlias": events.of_alias,
            "ValidateInletsAndOutlets": lambda _: {
                "type": "InactiveAssetsResult",
                "inactive_assets": [],
            },
            **dict.fromkeys((*stores.OF_TASK, *stores.OF_ASSET), stores.answer),
            # A program that the task has started asks on, in its place, and wants a place for its own log.
            "ResendLoggingFD": lambda _: {"type": "SentFDs", "fds": [self.others.open()]},
            "MaskSecret": mask,
            "SetRenderedFields": show,
            "SetRenderedMapIndex": named,
            "SucceedTask": self.succeed,
            "RetryTask": self.retry,
            "TaskState": lambda body: self.end(
                State.SKIPPED if body.get("state") == "skipped" else State.FAILED
            ),
            "SkipDownstreamTasks": self.skip,
            "CreateHITLDetailPayload": self.ask,
            "AwaitInputTask": self.await_input,
            "DeferTask": self.defer,
            "RescheduleTask": self.reschedule,
        }

    @property
    def pushed(self) -> dict[str, object]:
        return self.results.pushed

    def connection(self, body: dict[str, Any]) -> dict[str, Any]:
        found = connection(body)
        self.note(found, body["conn_id"], "headway conn set")
        return found

    def variable(self, body: dict[str, Any]) -> dict[str, Any]:
        found = variable(body)
        self.note(found, body["key"], "headway var set")
        return found

    def note(self, found: dict[str, Any], name: str, command: str) -> None:
        if found["type"] == "ErrorResponse" and is_name(name):
            self.lacking[name] = f"{command} {name}"

    def advice(self, text: str) -> str:
        """Return what creates the connection or variable that an error is about; "" if it is about none."""
        return next((how for name, how in self.lacking.items() if name in text), "")

    def answer(self, end: socket.socket, request: Request) -> None:
        """Send the answer to one request. What goes wrong here is an answer too, never our end."""
        kind = str(request.body.get("type"))
        try:
            if (answer := self.answers.get(kind)) is None:
                self.refused = refusal(kind)
                raise Refused(self.refused)
            found = answer(request.body)
            places = found["fds"] if found and found["type"] == "SentFDs" else []
            send(end, request.number, found, descriptors=places)
            for place in places:
                os.close(place)
        except (
            Refused,
            BadQuestion,
            NoSuchRun,
            stores.BadState,
            variables.BadVariable,
            secrets.SecretRefused,
        ) as error:
            told = {
                "type": "ErrorResponse",
                "error": "GENERIC_ERROR",
                "detail": {"message": str(error)},
            }
            send(end, request.number, None, told)

    def follow(self) -> list[str] | None:
        """The direct downstream tasks that go on; None: all."""
        out = self.skipped if self.run.map_index < 0 else skipped_by(self.pushed, self.downstream)
        if out is None:
            return None
        return [task_id for task_id in self.downstream if task_id not in out]

    def end(self, state: State) -> None:
        self.state = state

    def succeed(self, body: dict[str, Any]) -> None:
        stores.succeeded()
        self.end(State.SUCCESS)
        self.said = body

    def retry(self, body: dict[str, Any]) -> None:
        self.end(State.RETRY)
        self.said = body

    def ask(self, body: dict[str, Any]) -> dict[str, Any]:
        self.question = body
        return asking.told(body)

    def await_input(self, body: dict[str, Any]) -> None:
        self.deferral = lambda: deferring.awaits_input(self.question, body, self.pushed)

    def defer(self, body: dict[str, Any]) -> None:
        if self.question and body["classpath"] == asking.TRIGGER:
            self.await_input(body)
        else:
            self.deferral = lambda: deferring.deferred(self.runs, body, self.pushed)

    def reschedule(self, body: dict[str, Any]) -> None:
        self.deferral = lambda: deferring.rescheduled(self.run, body)

    def skip(self, body: dict[str, Any]) -> dict[str, Any]:
        named = (task if isinstance(task, str) else task[0] for task in body["tasks"])
        self.skipped = {*(self.skipped or ()), *named}
        return {"type": "OKResponse", "ok": True}


def skipped_by(pushed: dict[str, object], downstream: list[str]) -> set[str] | None:
    """Return what a mapped branch leaves out of ``downstream``, which it tells by its XCom only. None: nothing."""
    told = pushed.get(CHOICE)
    if not isinstance(told, dict):
        return None
    followed, skipped = told.get("followed"), told.get("skipped")
    if isinstance(followed, list):
        return {task_id for task_id in downstream if task_id not in followed}
    if isinstance(skipped, list):
        return {task_id for task_id in downstream if task_id in skipped}
    return None


def refusal(kind: str) -> str:
    does = REFUSED.get(kind, "the task asks its supervisor for what Headway does not have")
    return f"{does} ({kind}), which Headway does not support yet"


def connection(body: dict[str, Any]) -> dict[str, Any]:
    """The connection of the team. All fields are there: Airflow takes one without for none at all."""
    conn_id = body["conn_id"]
    text = secrets.ask(secrets.CONNECTION, conn_id) if is_name(conn_id) else None
    if text is None:
        return missing("CONNECTION_NOT_FOUND", conn_id=conn_id)
    try:
        found = parse(text, conn_id)
    except BadConnection as error:
        raise Refused(f"the connection {conn_id!r} is not valid: {error}") from None
    return {
        "type": "ConnectionResult",
        "conn_id": conn_id,
        "conn_type": found.conn_type,
        "host": found.host,
        "schema": found.schema,
        "login": found.login,
        "password": found.password,
        "port": found.port,
        "extra": to_json(found.extra).decode() if found.extra else None,
    }


def variable(body: dict[str, Any]) -> dict[str, Any]:
    key = body["key"]
    text = secrets.ask(secrets.VARIABLE, key) if is_name(key) else None
    if text is None:
        return missing("VARIABLE_NOT_FOUND", key=key)
    return {"type": "VariableResult", "key": key, "value": text}


def missing(error: str, **detail: object) -> dict[str, Any]:
    return {"type": "ErrorResponse", "error": error, "detail": detail}


def mask(body: dict[str, Any]) -> None:
    secrets.announce(list(texts(body["value"], body.get("name"))))


def texts(value: object, name: str | None) -> Iterator[str]:
    """Yield what must not be shown: all texts, or those whose name says so, as Airflow decides it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item, name)
    elif isinstance(value, str) and value and (not name or is_sensitive(name, value)):
        yield value


def show(body: dict[str, Any]) -> dict[str, Any]:
    fields = body["rendered_fields"]
    named = list(fields.items())[: rendered.FIELDS_MAX]
    rendered.announce([(name, rendered.cut(text_of(value))) for name, value in named])
    return {"type": "OKResponse", "ok": True}


def named(body: dict[str, Any]) -> dict[str, Any]:
    """The name of a mapped instance. The runner tells it before the task begins, and again if it has changed."""
    rendered.call_instance(shortened(body["rendered_map_index"]))
    return {"type": "OKResponse", "ok": True}


def text_of(value: object) -> str:
    return value if isinstance(value, str) else rendered.short.repr(value)
