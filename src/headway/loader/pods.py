"""DAGs whose pods the policy of their team does not allow: refused with the line of the task. No I/O.

What depends on the parameters of a run, or on what the platform makes of a pod, is compared when the pod is made.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from headway.core.pod_policy import PodPolicy, Wish, violation
from headway.core.quantities import amount
from headway.frontends.base import Trouble
from headway.spec.model import Dag, Task

HINT: Final = "a platform admin sets what is allowed, with: headway team set"


def refusal(dags: Iterable[Dag], policies: Mapping[str, PodPolicy]) -> Trouble | None:
    """Return what the author of a file has to change first. ``policies``: those of the team, by executor."""
    if not policies:
        return None
    for dag in dags:
        for task in dag.tasks:
            policy = policies.get(task.executor)
            if policy is not None and (why := violation(policy, wish_of(dag, task))) is not None:
                return Trouble(f"{dag.dag_id}: {task.task_id}: {why}", task.line or None, HINT)
    return None


def wish_of(dag: Dag, task: Task) -> Wish:
    asks = {name: found for name, text in task.resources.items() if (found := amount(text))}
    return Wish(
        images=(task.image,) if task.image else (),
        asks=asks,
        priority_class=task.pod.get("spec", {}).get("priorityClassName", ""),
        owner=task.owner or dag.owner,
    )
