"""Pods of the Kubernetes API as the executor sees them. Pure."""

from decimal import Decimal

from lightkube.models.core_v1 import Container, ContainerStatus, PodStatus
from lightkube.resources.core_v1 import Pod as PodObject

from headway.core.pod_states import STUCK
from headway.core.quantities import amount
from headway.core.warm import WARM
from headway.executors.kubernetes.foreign import SIDECAR
from headway.executors.kubernetes.images import digest_of
from headway.executors.kubernetes.names import (
    COMPONENT,
    CONTAINER_TASK,
    DAG,
    DELETION_COST,
    LEAVES,
    VERSION,
)
from headway.executors.kubernetes.pods import Pod

BACK_OFF = "CrashLoopBackOff"
CONTAINER = "task"  # others in the pod, as of a mesh, decide nothing


def view(found: PodObject) -> Pod:
    meta, status, spec = found.metadata, found.status or PodStatus(), found.spec
    assert meta is not None
    assert meta.name is not None
    conditions = {each.type: each for each in status.conditions or ()}
    scheduled, disrupted = conditions.get("PodScheduled"), conditions.get("DisruptionTarget")
    ours = next((c for c in status.containerStatuses or () if c.name == CONTAINER), None)
    beside = next((c for c in status.initContainerStatuses or () if c.name == SIDECAR), None)
    is_foreign = (meta.labels or {}).get(COMPONENT) == CONTAINER_TASK
    state = ours.state if ours is not None else None
    # The container of a task waits for the agent beside it, so that decides why it has not begun.
    first = beside.state if beside is not None else state
    waiting = first.waiting if first is not None else None
    ended = state.terminated if state is not None else None
    is_warm = (meta.labels or {}).get(COMPONENT) == WARM  # its container begins again
    # The agent beside a container tells the end of that, as long as it comes again.
    is_told = is_foreign and not is_gone(beside)
    return Pod(
        namespace=meta.namespace or "",
        name=meta.name,
        uid=meta.uid or "",
        phase=status.phase or "Pending",
        is_done=ended is not None and not is_warm and not is_told,
        created=meta.creationTimestamp,
        deleting=meta.deletionTimestamp is not None,
        node=(spec.nodeName or "") if spec is not None else "",
        reason=status.reason or "",
        message=status.message or "",
        disruption=told(disrupted) if disrupted is not None and disrupted.status == "True" else "",
        unschedulable=(scheduled.message or "")
        if scheduled is not None and scheduled.status == "False"
        else "",
        waiting=("", "") if waiting is None else (waiting.reason or "", waiting.message or ""),
        beside=held_up(status),
        ended=None if ended is None else (ended.reason or "", ended.exitCode),
        memory=memory_of(found, ours),
        dag=(meta.labels or {}).get(DAG, ""),
        is_foreign=is_foreign,
        is_warm=is_warm,
        is_last=(meta.annotations or {}).get(DELETION_COST) == LEAVES,
        version=(meta.annotations or {}).get(VERSION, ""),
        image=(image := image_of(found)),
        digest=digest_of(image, ours.imageID or "") if ours is not None else None,
        asks=asks_of(found),
    )


def is_gone(beside: ContainerStatus | None) -> bool:
    """Return whether the agent beside a container has ended, and the kubelet does not begin it again for a while."""
    state = beside.state if beside is not None else None
    if state is None:
        return False
    waits = state.waiting is not None and state.waiting.reason == BACK_OFF
    return waits or state.terminated is not None


def held_up(status: PodStatus) -> tuple[str, str]:
    """Return why a container of others, such as that of a mesh, does not start: reason and message."""
    for each in (*(status.initContainerStatuses or ()), *(status.containerStatuses or ())):
        waiting = each.state.waiting if each.state is not None else None
        if each.name in (CONTAINER, SIDECAR) or waiting is None or waiting.reason not in STUCK:
            continue
        said = f": {waiting.message}" if waiting.message else ""
        return waiting.reason or "", f"the container {each.name}{said}"
    return "", ""


def asks_of(found: PodObject) -> dict[str, Decimal]:
    asks: dict[str, Decimal] = {}
    for container in lasting(found):
        requests = (container.resources.requests if container.resources else None) or {}
        for name, text in requests.items():
            asks[name] = asks.get(name, Decimal(0)) + (amount(str(text)) or Decimal(0))
    return asks


def lasting(found: PodObject) -> list[Container]:
    """Return the containers of a pod that run beside each other."""
    if found.spec is None:
        return []
    first = [each for each in found.spec.initContainers or () if each.restartPolicy == "Always"]
    return [*found.spec.containers, *first]


def image_of(found: PodObject) -> str:
    containers = found.spec.containers if found.spec is not None else ()
    return next((each.image or "" for each in containers if each.name == CONTAINER), "")


def told(condition: object) -> str:
    return getattr(condition, "reason", None) or ""


def memory_of(found: PodObject, ours: ContainerStatus | None) -> str:
    if found.spec is None or ours is None:
        return ""
    limits = [
        c.resources.limits for c in found.spec.containers if c.name == CONTAINER and c.resources
    ]
    return (limits[0] or {}).get("memory", "") if limits else ""
