"""The state of a task's container, as the status of its pod tells it. Pure.

A pod that the cluster takes away (an eviction, a preemption, a node that is drained) has its containers ended by
signals: what they say then is not how the task ended.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from signal import Signals
from typing import Any, Final, Literal

from headway.core.pod_overlay import CONTAINER
from headway.core.pod_states import ENDED_BY_SIGNAL, lack_of_memory

# Ends by which the runtime says that the program never began.
NOT_RUN: Final = ("ContainerCannotRun", "StartError")


@dataclass(frozen=True, slots=True)
class Waiting:
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Over:
    """``taken``: why the cluster ended it; empty: it ended by itself."""

    exit_code: int
    reason: str
    message: str
    memory: str  # its limit
    taken: str


@dataclass(frozen=True, slots=True)
class Running:
    pass


State = Waiting | Running | Over


@dataclass(frozen=True, slots=True)
class End:
    outcome: Literal["success", "failed", "taken"]
    cause: str = ""
    detail: str = ""
    exit_code: int | None = None


def state_of(pod: Mapping[str, Any]) -> State:
    status = pod.get("status") or {}
    known = status.get("containerStatuses") or ()
    states = [each.get("state") or {} for each in known if each.get("name") == CONTAINER]
    state: Mapping[str, Any] = states[0] if states else {}
    if (ended := state.get("terminated")) is not None:
        return Over(
            int(ended.get("exitCode", 0)),
            ended.get("reason") or "",
            ended.get("message") or "",
            memory_of(pod),
            taken(pod, ended.get("finishedAt")),
        )
    if "running" in state:
        return Running()
    if status.get("phase") == "Failed":  # it never began, and never will
        why = status.get("reason") or "Failed"
        return Over(137, why, status.get("message") or "", "", why)
    waiting = state.get("waiting") or {}
    return Waiting(waiting.get("reason") or "", waiting.get("message") or "")


def taken(pod: Mapping[str, Any], finished: str | None) -> str:
    """Return why the cluster had begun to end the pod before its container had finished; empty: it had not."""
    at = None if finished is None else datetime.fromisoformat(finished)
    for since, why in takings(pod):
        if at is None or since is None or at > since:
            return why
    return ""


def takings(pod: Mapping[str, Any]) -> Iterator[tuple[datetime | None, str]]:
    status, meta = pod.get("status") or {}, pod["metadata"]
    for each in status.get("conditions") or ():
        if each.get("type") == "DisruptionTarget" and each.get("status") == "True":
            yield moment(each.get("lastTransitionTime")), each.get("reason") or "DisruptionTarget"
    if status.get("reason"):
        yield None, status["reason"]
    if (deleted := moment(meta.get("deletionTimestamp"))) is not None:
        grace_s = meta.get("deletionGracePeriodSeconds") or 0
        yield deleted - timedelta(seconds=grace_s), "the pod was deleted"


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def memory_of(pod: Mapping[str, Any]) -> str:
    for each in pod["spec"]["containers"]:
        if each["name"] == CONTAINER:
            limits = (each.get("resources") or {}).get("limits") or {}
            return str(limits.get("memory", ""))
    return ""


def end_of(over: Over, *, resumed: bool) -> End:
    """Return how the task ended. ``resumed``: the process beside it was another one before; while it was away the
    container may have been ended, as it is without one.
    """
    if over.taken:
        return End("taken", "stopped", f"its pod was ended: {over.taken}")
    if over.exit_code == 0:
        return End("success")
    if over.reason == "OOMKilled":
        return End("failed", "memory", lack_of_memory(over.memory), over.exit_code)
    if over.reason in NOT_RUN:
        said = f": {over.message}" if over.message else ""
        return End("failed", "container", f"{over.reason}{said}", over.exit_code)
    if resumed and over.exit_code in ENDED_BY_SIGNAL:
        why = "the agent beside it ended, so the container was ended too"
        return End("taken", "stopped", why)
    detail = f"the container ended with exit code {over.exit_code}{signal_of(over.exit_code)}"
    return End("failed", "exit_code", detail, over.exit_code)


def signal_of(exit_code: int) -> str:
    """Return the signal that an exit code stands for, in brackets; empty: it stands for none."""
    try:
        return f" ({Signals(exit_code - 128).name})"
    except ValueError:
        return ""
