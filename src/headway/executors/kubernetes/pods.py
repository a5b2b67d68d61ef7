"""A pod as the executor sees it, and how it ended. Pure.

Rule 1: an end is told by conditions and reasons, never by an exit code alone: 137 is the end of an eviction, of a
lack of memory and of a kill.
Rule 2: what the cluster did is a loss and uses no retry of the task; what the task did, or what its author asked for,
is a failure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from headway.core.pod_states import AT_ONCE, ENDED_BY_SIGNAL, STUCK, lack_of_memory

OVER: Final = ("Succeeded", "Failed")
STUCK_CAUSES: Final = frozenset({*STUCK.values(), "not_started"})
LOSSES: Final = {
    "Evicted": "evicted",
    "Preempting": "preempted",
    "PreemptionByScheduler": "preempted",
    "PreemptionByKubeScheduler": "preempted",
    "NodeLost": "node_lost",
    "NodeShutdown": "node_lost",
    "Terminated": "node_lost",
    "DeletionByTaintManager": "node_lost",
    "DeletionByPodGC": "node_lost",
    "EvictionByEvictionAPI": "evicted",
    "TerminationByKubelet": "evicted",
}

Ref = tuple[str, str]  # namespace and name


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """``reason`` and ``message`` of the pod itself; ``waiting`` and ``ended`` of its container."""

    namespace: str
    name: str
    uid: str
    phase: str = "Pending"
    created: datetime | None = None
    deleting: bool = False
    node: str = ""
    reason: str = ""
    message: str = ""
    disruption: str = ""  # the reason of the condition DisruptionTarget
    unschedulable: str = ""  # the scheduler's message
    waiting: tuple[str, str] = ("", "")
    beside: tuple[str, str] = ("", "")  # why another container does not start
    ended: tuple[str, int] | None = None  # reason and exit code
    is_done: bool = (
        False  # its container has ended for good, whatever others in it do, such as those of a mesh
    )
    memory: str = ""  # its limit
    dag: str = ""  # as its label has it
    is_foreign: bool = False  # its task has an image without Headway, and an agent beside it
    is_warm: bool = False  # of the team's warm pool, and so of no attempt
    is_last: bool = False  # of the warm pool, and marked as one that goes first
    version: str = ""  # of the warm pool, as its annotation has it
    image: str = ""  # of its task, as the pod names it
    digest: str | None = None  # what the node got for it
    asks: Mapping[str, Decimal] = field(
        default_factory=dict
    )  # the requests of its containers, by resource

    @property
    def ref(self) -> Ref:
        return self.namespace, self.name

    @property
    def is_over(self) -> bool:
        return self.phase in OVER or self.is_done

    @property
    def is_held(self) -> bool:
        """True if it is over, and other containers keep it alive: quotas count it until it is removed."""
        return self.is_over and self.phase not in OVER


@dataclass(frozen=True, slots=True)
class PodEnd:
    outcome: Literal["success", "failed", "lost"]
    cause: str
    detail: str
    exit_code: int | None = None


def denied(message: str, *, is_ours: bool = True) -> PodEnd:
    """Return the end of an attempt whose pod is not made: by Headway's rules, or by the API server's."""
    why = "is not allowed" if is_ours else "is invalid"
    return PodEnd("failed", "rejected", f"the pod {why}: {message}")


def loss(pod: Pod) -> PodEnd | None:
    """Return why the cluster took the pod away, or None."""
    for reason in (pod.reason, pod.disruption):
        if (cause := LOSSES.get(reason)) is not None:
            where = f" on node {pod.node}" if pod.node else ""
            return PodEnd("lost", cause, f"{reason}{where}: {pod.message or 'its pod was ended'}")
    return None


def end_of(pod: Pod) -> PodEnd | None:
    """Return how a pod ended that did not report it itself; None while it may still run."""
    if (lost := loss(pod)) is not None:
        return lost
    if not pod.is_over:
        return None
    reason, code = pod.ended or ("", None)
    if reason == "OOMKilled":
        return PodEnd("failed", "memory", lack_of_memory(pod.memory), code)
    if pod.reason == "DeadlineExceeded":
        return PodEnd("failed", "timeout", f"DeadlineExceeded: {pod.message}", code)
    said = f" with code {code}" if code is not None else ""
    return PodEnd("lost", "pod_ended", f"its pod ended{said} without a report", code)


def end_of_container(pod: Pod) -> PodEnd | None:
    """Return how a pod with an image without Headway ended, where the agent beside it did not say so.

    Here the exit code tells: nothing else of the task could. The signals by which a container is ended that nobody
    looks after tell nothing.
    """
    end = end_of(pod)
    if end is None or end.cause != "pod_ended" or end.exit_code in (None, *ENDED_BY_SIGNAL):
        return end
    said = f"the container ended with exit code {end.exit_code}; the end of its log may be missing"
    if end.exit_code == 0:
        return PodEnd("success", "", said, 0)
    return PodEnd("failed", "exit_code", said, end.exit_code)


def stuck(pod: Pod, waited_s: float, deadline_s: float) -> PodEnd | None:
    """Return why a pod that has not started will not; None while it may. After a loss another pod may fare better."""
    reason, message = pod.waiting
    if reason in AT_ONCE:
        return PodEnd("failed", STUCK[reason], f"{reason}: {message}" if message else reason)
    if waited_s < deadline_s:
        return None
    why = pod.unschedulable and f"Unschedulable: {pod.unschedulable}"
    if not why and reason not in STUCK and pod.beside[0]:
        reason, message = pod.beside
    why = why or f"{reason or pod.phase}{': ' + message if message else ''}"
    cause = STUCK.get(reason, "not_started")
    return PodEnd("lost", cause, f"its pod did not start in {deadline_s:g} s: {why}")
