"""``approve(task_id=…, subject=…)``: asks a person to approve or reject, without a process or a slot.

Rejected, the tasks downstream are skipped; with ``fail_on_reject=True`` the task fails. ``defaults`` ("Approve" or
"Reject") holds when nobody has answered within ``response_timeout``; without it the task fails then.
"""

from collections.abc import Mapping
from typing import Any, Final

from headway.authoring import questions
from headway.authoring.operators.base import Call, Operator
from headway.authoring.task import Follows
from headway.core.questions import APPROVE, REJECT, Ask

OPTIONS: Final = (APPROVE, REJECT)
RULES: Final = "ignore_downstream_trigger_rules"


def run(call: Call) -> None:
    given: Mapping[str, Any] = call.kwargs
    raise questions.ask(
        Ask.APPROVE,
        given,
        options=OPTIONS,
        outcomes={APPROVE: True, REJECT: False},
        defaults=questions.defaults_of(given.get("defaults"), OPTIONS, multiple=False),
        refusals=[REJECT] if questions.flag(given, "fail_on_reject") else (),
    )


def follows(given: Mapping[str, Any]) -> Follows:
    questions.check(given)
    questions.flag(given, "fail_on_reject")
    if questions.is_there(given, "defaults"):
        questions.defaults_of(given["defaults"], OPTIONS, multiple=False)
    return Follows.IF_TRUE if questions.flag(given, RULES) else Follows.IF_TRUE_DIRECT


OPERATOR = Operator(
    word="approve",
    parameters=(*questions.COMMON, "defaults", "fail_on_reject", RULES),
    required=("subject",),
    run=run,
    templated=questions.TEMPLATED,
    follows=follows,
)
