"""The options of a team's settings in a cluster, and how they and its state there are said."""

from typing import Annotated, Any, Final

import typer
from msgspec import UNSET, UnsetType

from headway import wire
from headway.errors import UsageError
from headway.wire.teams import PoolAgent, WarmPool

DEFAULT: Final = "default"
NAMES: Final = (
    *("cpu", "memory", "gpu", "pods", "pending_deadline_s"),
    *("annotations", "pull_secrets", "egress"),
    *("images", "task_cpu", "task_memory", "task_gpu", "priority_classes", "owner_required"),
    *("warm_min", "warm_max", "warm_slots", "warm_idle_s", "warm_tasks"),
    *("warm_cpu", "warm_memory", "warm_image"),
    *("keytab_secret", "pod_labels", "pod_annotations"),
)
COUNTS: Final = (
    *("gpu", "pods", "pending_deadline_s", "task_gpu"),
    *("warm_min", "warm_max", "warm_slots", "warm_idle_s", "warm_tasks"),
)
LISTS: Final = ("pull_secrets", "egress", "images", "priority_classes")
MAPS: Final = ("annotations", "pod_labels", "pod_annotations")
PAIRS: Final = {
    "--annotation": "eks.amazonaws.com/role-arn=arn:aws:iam::1:role/a",
    "--pod-label": "sidecar.istio.io/inject=true",
    "--pod-annotation": "linkerd.io/inject=enabled",
}
FLAGS: Final = ("owner_required",)


def setting(name: str, value: str, text: str) -> Any:
    """Return the option of a setting: ``default`` resets it."""
    return typer.Option(f"--{name}", metavar=f"{value}|default", help=text)


def settings_list(name: str, value: str, text: str) -> Any:
    return setting(name, value, f"{text} Can be repeated.")


Cpu = Annotated[str | None, setting("cpu", "N", "CPUs in the cluster, such as 64.")]
Memory = Annotated[str | None, setting("memory", "N", "Memory in the cluster, such as 256Gi.")]
Gpu = Annotated[str | None, setting("gpu", "N", "GPUs in the cluster.")]
Pods = Annotated[str | None, setting("pods", "N", "Pods at once in the cluster.")]
PendingDeadline = Annotated[
    str | None,
    setting("pending-deadline", "SECONDS", "Fail a task whose pod did not start by then."),
]
Annotation = Annotated[
    list[str] | None,
    settings_list(
        "annotation",
        "KEY=VALUE",
        "Annotation of the service account of its tasks, such as a cloud role.",
    ),
]
PullSecret = Annotated[
    list[str] | None,
    settings_list("pull-secret", "NAME", "Image pull secret in its namespace."),
]
Egress = Annotated[
    list[str] | None,
    settings_list("egress", "CIDR[:PORT]", "Network that its pods may connect to."),
]
ImagePattern = Annotated[
    list[str] | None,
    settings_list(
        "image-pattern", "PATTERN", "Images that its tasks may use, such as ghcr.io/acme/*."
    ),
]
TaskCpu = Annotated[str | None, setting("task-cpu", "N", "CPUs that one task may ask for.")]
TaskMemory = Annotated[
    str | None,
    setting("task-memory", "N", "Memory that one task may ask for, such as 64Gi."),
]
TaskGpu = Annotated[str | None, setting("task-gpu", "N", "GPUs that one task may ask for.")]
PriorityClass = Annotated[
    list[str] | None,
    settings_list(
        "priority-class", "PATTERN", "Priority classes that its tasks may have, such as batch-*."
    ),
]
OwnerRequired = Annotated[
    str | None, setting("owner-required", "yes|no", "Refuse tasks that have no owner.")
]
WarmMin = Annotated[
    str | None, setting("warm-min", "N", "Agents of its warm pool that are always there.")
]
WarmMax = Annotated[
    str | None, setting("warm-max", "N", "Agents of its warm pool at once; 0: it has none.")
]
WarmSlots = Annotated[
    str | None, setting("warm-slots", "N", "Tasks at once of each agent of its warm pool.")
]
WarmIdle = Annotated[
    str | None,
    setting(
        "warm-idle", "SECONDS", "Remove an agent of its warm pool that ran nothing for so long."
    ),
]
WarmTasks = Annotated[
    str | None,
    setting("warm-tasks", "N", "Replace the process of an agent of its warm pool after N tasks."),
]
WarmCpu = Annotated[str | None, setting("warm-cpu", "N", "CPUs of each agent of its warm pool.")]
WarmMemory = Annotated[
    str | None, setting("warm-memory", "N", "Memory of each agent of its warm pool.")
]
WarmImage = Annotated[
    str | None, setting("warm-image", "IMAGE", "Image of the agents of its warm pool.")
]
KeytabSecret = Annotated[
    str | None,
    setting("keytab-secret", "NAME", "Secret with the keytab from which its pods have tickets."),
]
PodLabel = Annotated[
    list[str] | None, settings_list("pod-label", "KEY=VALUE", "Label of its pods.")
]
PodAnnotation = Annotated[
    list[str] | None,
    settings_list("pod-annotation", "KEY=VALUE", "Annotation of its pods, such as of a mesh."),
]


def change(
    cpu: Cpu = None,
    memory: Memory = None,
    gpu: Gpu = None,
    pods: Pods = None,
    pending_deadline: PendingDeadline = None,
    annotation: Annotation = None,
    pull_secret: PullSecret = None,
    egress: Egress = None,
    image_pattern: ImagePattern = None,
    task_cpu: TaskCpu = None,
    task_memory: TaskMemory = None,
    task_gpu: TaskGpu = None,
    priority_class: PriorityClass = None,
    owner_required: OwnerRequired = None,
    warm_min: WarmMin = None,
    warm_max: WarmMax = None,
    warm_slots: WarmSlots = None,
    warm_idle: WarmIdle = None,
    warm_tasks: WarmTasks = None,
    warm_cpu: WarmCpu = None,
    warm_memory: WarmMemory = None,
    warm_image: WarmImage = None,
    keytab_secret: KeytabSecret = None,
    pod_label: PodLabel = None,
    pod_annotation: PodAnnotation = None,
) -> wire.ClusterChange | UnsetType:
    """Return what the options ask for. Raises UsageError."""
    asked = wire.ClusterChange(
        cpu=quantity(cpu),
        memory=quantity(memory),
        gpu=count(gpu, "--gpu"),
        pods=count(pods, "--pods"),
        pending_deadline_s=count(pending_deadline, "--pending-deadline"),
        annotations=pairs(annotation, "--annotation"),
        pull_secrets=names(pull_secret),
        egress=names(egress),
        images=names(image_pattern),
        task_cpu=quantity(task_cpu),
        task_memory=quantity(task_memory),
        task_gpu=count(task_gpu, "--task-gpu"),
        priority_classes=names(priority_class),
        owner_required=flag(owner_required, "--owner-required"),
        warm_min=count(warm_min, "--warm-min"),
        warm_max=count(warm_max, "--warm-max"),
        warm_slots=count(warm_slots, "--warm-slots"),
        warm_idle_s=count(warm_idle, "--warm-idle"),
        warm_tasks=count(warm_tasks, "--warm-tasks"),
        warm_cpu=quantity(warm_cpu),
        warm_memory=quantity(warm_memory),
        warm_image=quantity(warm_image),
        keytab_secret=quantity(keytab_secret),
        pod_labels=pairs(pod_label, "--pod-label"),
        pod_annotations=pairs(pod_annotation, "--pod-annotation"),
    )
    return UNSET if asked == wire.ClusterChange() else asked


def flag(text: str | None, option: str) -> bool | UnsetType | None:
    if text is None or text == DEFAULT:
        return UNSET if text is None else None
    if text not in ("yes", "no"):
        raise UsageError(f"{text!r} is not yes or no", where=option)
    return text == "yes"


def quantity(text: str | None) -> str | UnsetType | None:
    return UNSET if text is None else None if text == DEFAULT else text


def count(text: str | None, option: str) -> int | UnsetType | None:
    if text is None or text == DEFAULT:
        return UNSET if text is None else None
    if not text.isascii() or not text.isdigit():
        raise UsageError(
            f"{text!r} is not a whole number", where=option, hint=f"to reset it: {option} default"
        )
    return int(text)


def names(given: list[str] | None) -> list[str] | UnsetType | None:
    return UNSET if not given else None if given == [DEFAULT] else given


def pairs(given: list[str] | None, option: str) -> dict[str, str] | UnsetType | None:
    if not given or given == [DEFAULT]:
        return None if given else UNSET
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(
                f"{text!r} is not KEY=VALUE",
                where=option,
                hint=f"for instance: {option} {PAIRS[option]}",
            )
        found[key] = value
    return found


def settings(cluster: wire.TeamCluster) -> str:
    """Return the settings in words; empty if there are none."""
    given = [(name, getattr(cluster, name)) for name in NAMES]
    return ", ".join(
        f"{name} {shown(value)}" for name, value in given if value not in (None, [], {})
    )


def shown(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def lines(cluster: wire.TeamCluster) -> list[str]:
    """Return what is in clusters, in words."""
    found = []
    if said := settings(cluster):
        found.append(f"settings in the cluster: {said}")
    for each in cluster.found:
        why = f": {each.trouble}" if each.trouble else ""
        repaired = f", repaired {each.repaired_at:%Y-%m-%d %H:%M:%S}" if each.repaired_at else ""
        found.append(
            f"namespace {each.namespace} ({each.executor}): {each.state}{why}, "
            f"checked {each.checked_at:%Y-%m-%d %H:%M:%S}{repaired}"
        )
        found += [f"  quota {use.name}: {use.used} of {use.hard} used" for use in each.quota]
    for pool in cluster.pools:
        found.append(f"warm pool ({pool.executor}): {pool_text(pool)}")
    return found


def pool_text(pool: WarmPool) -> str:
    why = f", {pool.reason}" if pool.reason else ""
    agents = ", ".join(f"{each.name} ({agent_text(each)})" for each in pool.agents)
    ready = sum(each.is_ready for each in pool.agents)
    return f"{ready} of {pool.replicas} agents ready{why}{': ' if agents else ''}{agents}"


def agent_text(agent: PoolAgent) -> str:
    if not agent.is_ready:
        return "starting"
    if agent.held:
        return f"{agent.held} task{'s' if agent.held > 1 else ''}"
    return "idle" if agent.idle_since is None else f"idle since {agent.idle_since:%H:%M:%S}"
