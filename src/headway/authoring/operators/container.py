"""``container(task_id=…, image=…, command=[…])``: a program in any image, with nothing of Headway inside.

The pod has two containers: that of the task, and Headway's agent beside it, which runs this operator. It writes
``files``, lets the container begin, passes its log on, and ends as the container does. Command, arguments and
environment are in the pod already (``spec.container_tasks``).
"""

import os
import shlex
from collections.abc import Mapping
from typing import Final

from headway.authoring.exceptions import EndedElsewhere
from headway.authoring.operators.base import Call, Operator
from headway.authoring.rendered import show
from headway.authoring.run import Fail
from headway.spec.container_tasks import EXECUTOR, KIND

BESIDE: Final = "CONTAINER_OF_TASK"  # the variable of the process that runs beside one
RESOURCES: Final = ("cpu", "memory")
NOWHERE: Final = (
    "a container needs an executor of pods, and this process runs beside none; start Headway with "
    "--kubernetes FILE (docs/kubernetes.md). run_dag and agents run no containers: replace the task "
    "in a test, or name the others: run_dag(dag, tasks=[…])"
)


class ContainerFailed(EndedElsewhere):
    """The container ended badly, or never began."""


def run(call: Call) -> None:
    told = os.environ.get(BESIDE)
    if told is None:
        raise Fail(NOWHERE)
    from headway.authoring.containers.beside import accompany, beside  # no DAG file needs it

    show(**shown(call.kwargs))
    accompany(beside(told), call.kwargs.get("files"))


def shown(kwargs: Mapping[str, object]) -> dict[str, str]:
    """Return the fields for people. Of files and variables their names only: values are where secrets are."""
    found = {}
    for word in ("command", "args"):
        given = kwargs.get(word)
        if isinstance(given, (list, tuple)):
            found[word] = shlex.join(map(str, given))
    for word in ("env", "files"):
        given = kwargs.get(word)
        if isinstance(given, Mapping) and given:
            found[word] = ", ".join(map(str, given))
    return found


def fold(kwargs: Mapping[str, object]) -> dict[str, object]:
    """Return the options with ``cpu`` and ``memory`` among the resources."""
    amounts = {word: kwargs[word] for word in RESOURCES if kwargs.get(word) is not None}
    found = {word: value for word, value in kwargs.items() if word not in RESOURCES}
    if not amounts:
        return found
    given = found.get("resources") or {}
    if not isinstance(given, Mapping):
        return found  # whoever reads it says what is wrong
    if twice := sorted(amounts.keys() & given.keys()):
        raise Fail(f"{twice[0]} is given twice: {twice[0]}=… and among the resources")
    return {**found, "resources": {**given, **amounts}}


OPERATOR = Operator(
    word=KIND,
    parameters=("command", "args", "env", "files"),
    required=(),
    run=run,
    guarded=("files",),
    templated=("command", "args", "env", "files"),
    usual={"executor": EXECUTOR},
    fold=fold,
)
