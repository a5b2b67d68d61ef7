"""``ask(task_id=…, subject=…, params={…})``: asks a person to fill in a form, without a process or a slot.

When nobody has answered within ``response_timeout``, the defaults of the parameters hold; if one has none, the task
fails.
"""

from collections.abc import Mapping
from typing import Any

from headway.authoring import questions
from headway.authoring.operators.base import Call, Operator
from headway.authoring.run import Fail
from headway.authoring.task import Follows
from headway.core.questions import OK, Ask


def run(call: Call) -> None:
    given: Mapping[str, Any] = call.kwargs
    raise questions.ask(Ask.ASK, given, options=[OK], outcomes={OK: None}, defaults=[OK])


def follows(given: Mapping[str, Any]) -> Follows:
    if not given.get("params"):
        raise Fail('params must have at least one field, such as {"amount": Param(5, minimum=1)}')
    questions.check(given)
    return Follows.ALL


OPERATOR = Operator(
    word="ask",
    parameters=questions.COMMON,
    required=("subject", "params"),
    run=run,
    templated=questions.TEMPLATED,
    follows=follows,
)
