"""The options of a team's settings in a cluster, and how they and its state there are said."""

from typing import Annotated, Final

import typer
from msgspec import UNSET, UnsetType

from headway import wire
from headway.errors import UsageError

DEFAULT: Final = "default"
NAMES: Final = (
    *("cpu", "memory", "gpu", "pods", "pending_deadline_s"),
    *("annotations", "pull_secrets", "egress"),
    *("images", "task_cpu", "task_memory", "task_gpu", "priority_classes", "owner_required"),
)
COUNTS: Final = ("gpu", "pods", "pending_deadline_s", "task_gpu")
LISTS: Final = ("pull_secrets", "egress", "images", "priority_classes")
FLAGS: Final = ("owner_required",)

Cpu = Annotated[
    str | None, typer.Option("--cpu", metavar="N|default", help="CPUs in the cluster, such as 64.")
]
Memory = Annotated[
    str | None,
    typer.Option("--memory", metavar="N|default", help="Memory in the cluster, such as 256Gi."),
]
Gpu = Annotated[str | None, typer.Option("--gpu", metavar="N|default", help="GPUs in the cluster.")]
Pods = Annotated[
    str | None, typer.Option("--pods", metavar="N|default", help="Pods at once in the cluster.")
]
PendingDeadline = Annotated[
    str | None,
    typer.Option(
        "--pending-deadline",
        metavar="SECONDS|default",
        help="Fail a task whose pod did not start by then.",
    ),
]
Annotation = Annotated[
    list[str] | None,
    typer.Option(
        "--annotation",
        metavar="KEY=VALUE|default",
        help="Annotation of the service account of its tasks, such as a cloud role. Can be repeated.",
    ),
]
PullSecret = Annotated[
    list[str] | None,
    typer.Option(
        "--pull-secret",
        metavar="NAME|default",
        help="Image pull secret in its namespace. Can be repeated.",
    ),
]
Egress = Annotated[
    list[str] | None,
    typer.Option(
        "--egress",
        metavar="CIDR[:PORT]|default",
        help="Network that its pods may connect to. Can be repeated.",
    ),
]
ImagePattern = Annotated[
    list[str] | None,
    typer.Option(
        "--image-pattern",
        metavar="PATTERN|default",
        help="Images that its tasks may use, such as ghcr.io/acme/*. Can be repeated.",
    ),
]
TaskCpu = Annotated[
    str | None,
    typer.Option("--task-cpu", metavar="N|default", help="CPUs that one task may ask for."),
]
TaskMemory = Annotated[
    str | None,
    typer.Option(
        "--task-memory", metavar="N|default", help="Memory that one task may ask for, such as 64Gi."
    ),
]
TaskGpu = Annotated[
    str | None,
    typer.Option("--task-gpu", metavar="N|default", help="GPUs that one task may ask for."),
]
PriorityClass = Annotated[
    list[str] | None,
    typer.Option(
        "--priority-class",
        metavar="PATTERN|default",
        help="Priority classes that its tasks may have, such as batch-*. Can be repeated.",
    ),
]
OwnerRequired = Annotated[
    str | None,
    typer.Option(
        "--owner-required", metavar="yes|no|default", help="Refuse tasks that have no owner."
    ),
]


def change(
    cpu: str | None,
    memory: str | None,
    gpu: str | None,
    pods: str | None,
    pending_deadline: str | None,
    annotation: list[str] | None,
    pull_secret: list[str] | None,
    egress: list[str] | None,
    image_pattern: list[str] | None = None,
    task_cpu: str | None = None,
    task_memory: str | None = None,
    task_gpu: str | None = None,
    priority_class: list[str] | None = None,
    owner_required: str | None = None,
) -> wire.ClusterChange | UnsetType:
    """Return what the options ask for. Raises UsageError."""
    given = (cpu, memory, gpu, pods, pending_deadline, annotation, pull_secret, egress)
    policy = (image_pattern, task_cpu, task_memory, task_gpu, priority_class, owner_required)
    if all(not each for each in (*given, *policy)):
        return UNSET
    return wire.ClusterChange(
        cpu=quantity(cpu),
        memory=quantity(memory),
        gpu=count(gpu, "--gpu"),
        pods=count(pods, "--pods"),
        pending_deadline_s=count(pending_deadline, "--pending-deadline"),
        annotations=pairs(annotation),
        pull_secrets=names(pull_secret),
        egress=names(egress),
        images=names(image_pattern),
        task_cpu=quantity(task_cpu),
        task_memory=quantity(task_memory),
        task_gpu=count(task_gpu, "--task-gpu"),
        priority_classes=names(priority_class),
        owner_required=flag(owner_required, "--owner-required"),
    )


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


def pairs(given: list[str] | None) -> dict[str, str] | UnsetType | None:
    if not given or given == [DEFAULT]:
        return None if given else UNSET
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(
                f"{text!r} is not KEY=VALUE",
                where="--annotation",
                hint="for instance: --annotation eks.amazonaws.com/role-arn=arn:aws:iam::1:role/a",
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
    return found
