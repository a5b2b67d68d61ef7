"""How the status of a pod looks as it goes through its life: edits for ``Store.change``."""

import hashlib
from collections.abc import Callable
from typing import Any

from tests.kubernetes.fake.store import Object, stamp

Edit = Callable[[Object], None]


def scheduled(node: str) -> Edit:
    def edit(pod: Object) -> None:
        pod["spec"]["nodeName"] = node
        condition(pod, "PodScheduled", "True")

    return edit


def unschedulable(message: str) -> Edit:
    return lambda pod: condition(pod, "PodScheduled", "False", "Unschedulable", message)


def waiting(reason: str, message: str = "") -> Edit:
    return lambda pod: container(pod, {"waiting": {"reason": reason, "message": message}})


def running(pod: Object) -> None:
    pod["status"]["phase"] = "Running"
    pod["status"].setdefault("startTime", stamp())
    container(pod, {"running": {"startedAt": stamp()}})


def ended(code: int, reason: str = "") -> Edit:
    def edit(pod: Object) -> None:
        pod["status"]["phase"] = "Succeeded" if code == 0 else "Failed"
        why = reason or ("Completed" if code == 0 else "Error")
        container(pod, {"terminated": {"exitCode": code, "reason": why, "finishedAt": stamp()}})

    return edit


def taken(reason: str, message: str, disruption: str = "") -> Edit:
    """The cluster ends the pod: an eviction, a preemption, a lost node."""

    def edit(pod: Object) -> None:
        pod["status"] |= {"phase": "Failed", "reason": reason, "message": message}
        if disruption:
            condition(pod, "DisruptionTarget", "True", disruption, message)

    return edit


def condition(pod: Object, kind: str, status: str, reason: str = "", message: str = "") -> None:
    others = [each for each in pod["status"].get("conditions", []) if each["type"] != kind]
    made = {"type": kind, "status": status, "reason": reason, "message": message}
    pod["status"]["conditions"] = [*others, made]


def pulled(digest: str) -> Edit:
    """The node has got this for the tag of the image."""

    def edit(pod: Object) -> None:
        container(pod, {"waiting": {"reason": "ContainerCreating", "message": ""}})
        image = pod["spec"]["containers"][0]["image"]
        pod["status"]["containerStatuses"][0]["imageID"] = identity(image, digest)

    return edit


def identity(image: str, digest: str = "") -> str:
    """What a node says of an image that it has pulled: without its tag, and with its digest."""
    name, _, given = image.partition("@")
    head, _, last = name.rpartition("/")
    host = head if "." in head else "docker.io/" + (head or "library")
    digest = given or digest or f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    return f"{host}/{last.partition(':')[0]}@{digest}"


def container(pod: Object, state: dict[str, Any]) -> None:
    ours = pod["spec"]["containers"][0]
    before, *others = pod["status"].get("containerStatuses") or [{}]
    made = {
        "name": ours["name"],
        "image": ours["image"],
        "imageID": before.get("imageID") or ("" if "waiting" in state else identity(ours["image"])),
        "ready": "running" in state,
        "restartCount": 0,
        "state": state,
    }
    pod["status"]["containerStatuses"] = [made, *others]
