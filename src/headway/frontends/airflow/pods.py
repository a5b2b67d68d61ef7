"""The pod of a task, as ``executor_config`` describes it to Airflow's KubernetesExecutor.

A pod is what the task asks for by ``executor="KubernetesExecutor"``. In Airflow an installation may have no other
executor, so that files leave it out; here a task without it runs in a process of an agent.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headway.authoring.pods import WrongPod, override
from headway.core.pod_overlay import CONTAINER, flaw

NAMES: Final = ("KubernetesExecutor", "kubernetes")
EXECUTOR: Final = "kubernetes"
HINT: Final = "leave it out, or set it for all pods of the team (docs/kubernetes.md)"


def wants_pod(task: Any) -> bool:
    return str(task.executor or "").rpartition(".")[2] in NAMES


def options_of(task: Any) -> dict[str, Any]:
    """Return executor, image, resources and pod of the task, as the spec has them; nothing without a pod."""
    if not wants_pod(task):
        return {}
    overlay = overlay_of(task)
    spec = overlay.get("spec", {})
    container = next(iter(containers(spec)), {})
    given = container.pop("resources", None) or {}
    image = container.pop("image", None) or ""
    if not container.keys() - {"name"} and "containers" in spec:
        del spec["containers"]
    if not spec:
        overlay.pop("spec", None)
    # One amount of each resource here, asked for and not exceeded; what Airflow limits is the larger of its two.
    amounts = {**(given.get("requests") or {}), **(given.get("limits") or {})}
    resources = {name: str(amount) for name, amount in amounts.items()}
    return {"executor": EXECUTOR, "image": image, "resources": resources, "pod": overlay}


def overlay_of(task: Any) -> dict[str, Any]:
    """Raises WrongPod."""
    config = task.executor_config
    return override(config.get("pod_override")) if isinstance(config, Mapping) else {}


def containers(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the container that runs the task."""
    for each in spec.get("containers") or ():
        if isinstance(each, dict) and each.get("name") == CONTAINER:
            yield each


def refused(task: Any) -> str:
    """Return what the task asks of its pod that no author may choose here, or nothing."""
    try:
        found = flaw(options_of(task).get("pod", {}))
    except WrongPod as error:
        return f"has a pod_override that is not {error}"
    return f"has a pod_override whose {found}" if found is not None else ""


def ignored(task: Any) -> Iterator[str]:
    """Yield what of the executor and its config has no effect."""
    name = task.task_id
    if not wants_pod(task):
        if task.executor:
            yield f"{name} runs on Headway's executor, not {task.executor}"
        if task.executor_config:
            yield f'the executor_config of {name} is ignored without executor="KubernetesExecutor"'
        return
    config = task.executor_config
    others = sorted(set(config) - {"pod_override"}) if isinstance(config, Mapping) else ()
    for word in others:
        yield f"{word} in the executor_config of {name} is ignored"
