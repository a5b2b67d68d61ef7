"""``choose(task_id=…, subject=…, options=[…])``: asks a person to choose, without a process or a slot.

``multiple=True``: several options. ``options_mapping={"small": "load_small"}`` makes it a branch: what is chosen names
the task or group that goes on, or several; an option without an entry is a task's name itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from headway.authoring import questions
from headway.authoring.operators.base import Call, Operator
from headway.authoring.run import Fail
from headway.authoring.task import Follows
from headway.core.questions import Ask


def run(call: Call) -> None:
    given: Mapping[str, Any] = call.kwargs
    options = questions.options_of(given["options"])
    multiple = questions.flag(given, "multiple")
    raise questions.ask(
        Ask.CHOOSE,
        given,
        options=options,
        multiple=multiple,
        outcomes=branches(given.get("options_mapping"), options),
        defaults=questions.defaults_of(given.get("defaults"), options, multiple=multiple),
    )


def branches(mapping: object, options: Sequence[str]) -> dict[str, object]:
    """Return the tasks to which each option leads. Raises Fail."""
    if mapping is None:
        return dict.fromkeys(options)
    if not isinstance(mapping, Mapping):
        raise Fail(f"options_mapping must be a dict of options and task ids, not {mapping!r}")
    for option in mapping:
        if option not in options:
            raise Fail(f"options_mapping has {option!r}, which is not an option")
    return {option: mapping.get(option, option) for option in options}


def follows(given: Mapping[str, Any]) -> Follows:
    questions.check(given)
    multiple = questions.flag(given, "multiple")
    if questions.is_there(given, "options"):
        options = questions.options_of(given["options"])
        branches(given.get("options_mapping"), options)
        if questions.is_there(given, "defaults"):
            questions.defaults_of(given["defaults"], options, multiple=multiple)
    return Follows.ALL if given.get("options_mapping") is None else Follows.NAMED


OPERATOR = Operator(
    word="choose",
    parameters=(*questions.COMMON, "options", "multiple", "defaults", "options_mapping"),
    required=("subject", "options"),
    run=run,
    templated=questions.TEMPLATED,
    follows=follows,
)
