"""The policy of pods: the images that tasks may use, how much one may ask for, its priority, its owner.

The platform has one, in the settings of its executor; what a team has of its own holds in place of that. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from headway.core.cluster import ClusterSettings, patterns_trouble
from headway.core.globs import fits
from headway.core.quantities import amount

GPU: Final = "/gpu"  # of any vendor


@dataclass(frozen=True, slots=True, kw_only=True)
class PodPolicy:
    """``images``: patterns, of which one must match, ``*`` being any text; none: all are allowed.

    ``priority_classes``: patterns; none: no task has one, because a higher priority evicts the pods of other teams.
    """

    images: tuple[str, ...] = ()
    task_cpu: str | None = None
    task_memory: str | None = None
    task_gpu: int | None = None
    priority_classes: tuple[str, ...] = ()
    owner_required: bool = False


OPEN: Final = PodPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The parts of a pod that a policy is compared with. ``asks``: amounts by resource; no ``owner``: not compared."""

    images: tuple[str, ...] = ()
    asks: Mapping[str, Decimal]
    priority_class: str = ""
    owner: str | None = None


def of_team(platform: PodPolicy, team: ClusterSettings) -> PodPolicy:
    """Return the policy for a team: each of its own settings in place of the platform's."""
    own: dict[str, Any] = {
        "images": team.images or None,
        "task_cpu": team.task_cpu,
        "task_memory": team.task_memory,
        "task_gpu": team.task_gpu,
        "priority_classes": team.priority_classes or None,
        "owner_required": team.owner_required,
    }
    return replace(platform, **{name: value for name, value in own.items() if value is not None})


def violation(policy: PodPolicy, wish: Wish) -> str | None:
    """Return the first thing that the policy does not allow, and what it allows."""
    return next(violations(policy, wish), None)


def violations(policy: PodPolicy, wish: Wish) -> Iterator[str]:
    for image in wish.images:
        if policy.images and not matches(image, policy.images):
            yield f"the image {image} is not allowed here; allowed are {', '.join(policy.images)}"
    for name, most in (("cpu", policy.task_cpu), ("memory", policy.task_memory)):
        limit, asked = amount(most or ""), wish.asks.get(name)
        if limit is not None and asked is not None and asked > limit:
            yield f"it asks for more {name} than one task may have here: the limit is {most}"
    gpus = sum((asked for name, asked in wish.asks.items() if name.endswith(GPU)), Decimal(0))
    if policy.task_gpu is not None and gpus > policy.task_gpu:
        yield f"it asks for {gpus} GPUs; the limit of one task is {policy.task_gpu} here"
    if wish.priority_class and not covers(wish.priority_class, policy.priority_classes):
        allowed = ", ".join(policy.priority_classes) or "none"
        yield f"the priority class {wish.priority_class} is not allowed here; allowed: {allowed}"
    if policy.owner_required and wish.owner == "":
        yield "it has no owner, and tasks must have one here"


def matches(image: str, patterns: Iterable[str]) -> bool:
    """Return whether an image may be used, as it is written or with the registry that Kubernetes fills in."""
    given = list(patterns)
    return covers(image, given) or covers(in_full(image), given)


def covers(text: str, patterns: Iterable[str]) -> bool:
    return any(fits(pattern, text) for pattern in patterns)


def in_full(image: str) -> str:
    first, slash, _ = image.partition("/")
    if not slash:
        return f"docker.io/library/{image}"
    is_host = "." in first or ":" in first or first == "localhost"
    return image if is_host else f"docker.io/{image}"


def flaw_of_policy(policy: PodPolicy) -> str | None:
    """Return which part of a policy is wrong and why, or None."""
    for name in ("task_cpu", "task_memory"):
        given = getattr(policy, name)
        if given is not None and not amount(given):
            return f"{name} is {given[:100]!a}, it must be an amount above 0, such as 8 or 64Gi"
    if policy.task_gpu is not None and policy.task_gpu < 0:
        return f"task_gpu must be at least 0, not {policy.task_gpu}"
    return patterns_trouble(policy)
