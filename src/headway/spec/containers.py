"""Checks of what the container and the pod of a task are to be, without asking whether its executor has such."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from headway.core import pod_overlay
from headway.core.pod_words import CAPACITIES, Flaw
from headway.core.resource_params import flaw_of_amount, param_of
from headway.spec.carried import flaws, place
from headway.spec.container_tasks import flaw_of_container_task
from headway.spec.errors import did_you_mean
from headway.spec.model import Dag, Task

RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")
RESOURCE: Final = re.compile(
    rf"{'|'.join(RESOURCES)}|[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
)
IMAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}")
AMOUNTS: Final = "write it as Kubernetes does: 500m, 2, 512Mi, 4Gi"
FACTOR_MAX: Final = 100.0

Trouble = tuple[str, str | None]  # what is wrong, and a hint


def flaw_of_container(dag: Dag, task: Task) -> Trouble | None:
    given = [word for word in ("image", "resources", "capacity", "pod") if getattr(task, word)]
    if given and not task.executor:
        said = "settings of its pod" if given[0] == "pod" else given[0]
        return (
            f"it has {said}, which only an executor with containers reads",
            'add executor="kubernetes", or remove it; for the memory of a process use memory_limit',
        )
    if task.capacity and task.capacity not in CAPACITIES:
        return (
            f"the capacity {task.capacity[:100]!a} is not valid",
            did_you_mean(task.capacity, CAPACITIES) or f"it is one of {', '.join(CAPACITIES)}",
        )
    if task.image and not IMAGE.fullmatch(task.image):
        return (
            f"the image {task.image[:100]!a} is not a valid name",
            "write it as a registry does: ghcr.io/team/name:tag",
        )
    return (
        flaw_of_container_task(dag, task)
        or flaw_of_resources(dag, task)
        or flaw_of_memory(task)
        or flaw_of_pod(task.pod)
    )


def flaw_of_resources(dag: Dag, task: Task) -> Trouble | None:
    for name, amount in task.resources.items():
        if not RESOURCE.fullmatch(name):
            hint = did_you_mean(name, RESOURCES)
            return (
                f"the resource {name[:100]!a} is not a valid name",
                hint or f"it is one of {', '.join(RESOURCES)}, or example.com/name",
            )
        if (param := param_of(amount)) is None:
            if (why := flaw_of_amount(name, amount)) is not None:
                return why, AMOUNTS
            continue
        declared = {each.name: each for each in dag.params}
        if param not in declared:
            return (
                f"{name} is the parameter {param}, which the DAG does not have",
                did_you_mean(param, declared) or f'declare it: params={{"{param}": "4Gi"}}',
            )
        known = declared[param]
        if not known.required and (why := flaw_of_amount(name, known.default)) is not None:
            return f"{why} (the default of the parameter {param})", AMOUNTS
    return None


def flaw_of_memory(task: Task) -> Trouble | None:
    factor = task.memory_after_oom
    if math.isfinite(factor) and 1 <= factor <= FACTOR_MAX:
        if factor == 1 or task.executor:
            return None
        return (
            "it has memory_after_oom, which only an executor with containers reads",
            'add executor="kubernetes", or remove it',
        )
    return (
        f"memory_after_oom is {factor:g}, it must be between 1 and {FACTOR_MAX:g}",
        "2 doubles the memory of the retry after an attempt that ran out of it",
    )


def flaw_of_pod(overlay: Mapping[str, Any]) -> Trouble | None:
    for path, why in flaws(overlay):
        return f"its pod{place(path)} {why}", None
    found: Flaw | None = pod_overlay.flaw(overlay)
    return None if found is None else (f"its pod: {found}", None)
