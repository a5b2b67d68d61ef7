"""Questions of Airflow's human-in-the-loop operators, as waits of Headway, and what their tasks are told of the answer.

The operator tells its question first, and waits with its next message: for input (Airflow 3.3), or for a trigger of its
own (3.2), which does not run here. Its method then goes on with the answer, as after Airflow's own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from headway import clock
from headway.authoring.run import ANSWER, Deferral, Resumption
from headway.authoring.values import to_json
from headway.core.questions import APPROVE, OK, REJECT, Ask
from headway.frontends.airflow.params import param_of

TRIGGER: Final = "airflow.providers.standard.triggers.hitl.HITLTrigger"
LATE: Final = {
    "error": "The timeout has passed, and the response has not yet been received.",
    "error_type": "timeout",
}


def told(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to the message that tells a question."""
    return {**body, "type": "HITLDetailRequestResult"}


def deferral(
    question: Mapping[str, Any], timeout_s: float | None, method: str, carried: Any
) -> Deferral:
    """Return the wait. Without defaults the task goes on when its time is over, and raises what Airflow's does."""
    facts = {
        "ask": kind_of(question),
        "subject": question["subject"],
        "body": question.get("body") or "",
        "options": question["options"],
        "multiple": question.get("multiple") or False,
        "defaults": question.get("defaults"),
        "params": fields(question.get("params") or {}),
        "assigned_users": [name_of(user) for user in question.get("assigned_users") or ()],
    }
    return Deferral(
        ANSWER, facts, timeout_s=timeout_s, overdue="resume", method=method, kwargs=to_json(carried)
    )


def kind_of(question: Mapping[str, Any]) -> str:
    options = list(question["options"])
    if options == [APPROVE, REJECT] and not question.get("multiple"):
        return Ask.APPROVE.value
    return Ask.ASK.value if options == [OK] else Ask.CHOOSE.value


def fields(params: Mapping[str, Any]) -> list[Any]:
    """Return the fields of its form. A plain value is the default of a field."""
    from airflow.sdk import Param

    found = []
    for name, given in params.items():
        is_param = isinstance(given, dict) and {"value", "schema"} <= given.keys()
        schema = given["schema"] if is_param else {}
        value = given["value"] if is_param else given
        param = Param(value, given.get("description") if is_param else None, **schema)
        found.append(msgspec.to_builtins(param_of(name, param)))
    return found


def name_of(user: Mapping[str, Any]) -> str:
    """Return the name by which a user is known here: the id, unless that is a number of Airflow's database."""
    return str(user["name"] if str(user["id"]).isdecimal() else user["id"])


def seconds_of(given: Mapping[str, Any]) -> float | None:
    """Return the time that the trigger of Airflow 3.2 waits."""
    from airflow.sdk.serde import deserialize

    found = given.get("timeout_datetime")
    until = None if found is None else deserialize(found)
    return None if until is None else max(0.0, until.timestamp() - clock.now().timestamp())


def event(resumed: Resumption) -> dict[str, Any]:
    """Return what the method of the task is called with, as Airflow's scheduler writes it."""
    from airflow.sdk.serde import serialize

    if resumed.timed_out:
        return {"payload": serialize(LATE)}
    answer = dict(resumed.found)
    answer.pop("approved", None)
    answer["responded_at"] = datetime.fromisoformat(answer["responded_at"])
    return {"payload": serialize(answer)}
