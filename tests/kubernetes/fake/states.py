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


def container(pod: Object, state: dict[str, Any], name: str = "", **more: Any) -> None:
    """Set the state of a container: the first one, unless it is named."""
    name = name or pod["spec"]["containers"][0]["name"]
    part, specs = place_of(pod, name)
    ours = next(each for each in specs if each["name"] == name)
    known = {each["name"]: each for each in pod["status"].get(part, ())}
    before = known.get(name, {})
    known[name] = {
        "name": name,
        "image": ours["image"],
        "imageID": before.get("imageID") or ("" if "waiting" in state else identity(ours["image"])),
        "ready": "running" in state,
        "restartCount": before.get("restartCount", 0),
        "state": state,
        **more,
    }
    order = [each["name"] for each in specs]
    pod["status"][part] = [known[each] for each in order if each in known]


def place_of(pod: Object, name: str) -> tuple[str, list[dict[str, Any]]]:
    first = pod["spec"].get("initContainers", [])
    if any(each["name"] == name for each in first):
        return "initContainerStatuses", first
    return "containerStatuses", pod["spec"]["containers"]


def state_of(pod: Object, name: str) -> dict[str, Any]:
    """Return the state of a container; empty if it has none yet."""
    part, _ = place_of(pod, name)
    known = {each["name"]: each["state"] for each in pod["status"].get(part, ())}
    return dict(known.get(name, {}))


def of(name: str, state: dict[str, Any]) -> Edit:
    return lambda pod: container(pod, state, name)


def missing(name: str) -> Edit:
    """The image of a container is not to be had."""
    return of(
        name, {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    )


def creating(name: str) -> Edit:
    """A volume is not to be had yet."""
    return of(name, {"waiting": {"reason": "ContainerCreating", "message": ""}})


def addressed(address: str) -> Edit:
    """The pod is on its node, and its containers wait for their turn."""

    def edit(pod: Object) -> None:
        pod["status"] |= {"podIP": address, "startTime": stamp()}
        if pod["spec"].get("initContainers"):
            for each in pod["spec"]["containers"]:
                container(pod, {"waiting": {"reason": "PodInitializing"}}, each["name"])

    return edit


def begun(name: str, restarts: int = 0) -> Edit:
    def edit(pod: Object) -> None:
        is_first = place_of(pod, name)[0] == "initContainerStatuses"
        state = {"running": {"startedAt": stamp()}}
        container(pod, state, name, started=not is_first, restartCount=restarts)
        if not is_first:
            pod["status"]["phase"] = "Running"

    return edit


def started(name: str) -> Edit:
    """Its startup probe has passed."""
    return lambda pod: container(pod, state_of(pod, name), name, started=True)


def terminated(name: str, code: int, reason: str = "") -> Edit:
    def edit(pod: Object) -> None:
        if "terminated" not in state_of(pod, name):
            why = reason or ("Completed" if code == 0 else "Error")
            state = {"exitCode": code, "reason": why, "finishedAt": stamp()}
            container(pod, {"terminated": state}, name)

    return edit


def over(well: bool) -> Edit:
    return lambda pod: pod["status"].update(phase="Succeeded" if well else "Failed")


def failed(reason: str, message: str) -> Edit:
    told = {"phase": "Failed", **({"reason": reason, "message": message} if reason else {})}
    return lambda pod: pod["status"].update(told)
