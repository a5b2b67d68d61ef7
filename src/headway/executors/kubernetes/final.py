"""The last step of a manifest: Headway's own fields are laid over it, and what came out is checked. Pure.

Rule 1: nothing that an author or the platform's ``pod_mutation`` writes survives where Headway has a say.
Rule 2: what Headway has no say in is checked in the object that is sent, not in the parts it was made of.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headway.core.pod_overlay import CONTAINER, OURS
from headway.core.pod_words import OBJECT
from headway.executors.kubernetes.names import LABEL

Manifest = dict[str, Any]

# As the Pod Security Standard *restricted* has them. Tokens of the API server are told apart below.
VOLUMES: Final = (
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"),
    *("projected", "secret"),
)
METADATA: Final = ("name", "namespace", "labels", "annotations")
NEVER: Final = (
    *("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "nodeName"),
    *("ephemeralContainers", "resourceClaims"),
)
LISTS: Final = ("containers", "initContainers", "volumes")
NEVER_IN_CONTAINER: Final = ("volumeDevices", "restartPolicyRules")
OTHERS: Final = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
OF_CONTAINER: Final = ("command", "args", "securityContext", "workingDir")
IF_SAID: Final = ("livenessProbe",)  # of ours where we have one


class Denied(Exception):
    """The final pod has something that no pod of a task may have: the message says what."""


def finished(pod: Manifest, ours: Manifest) -> Manifest:
    """Return the pod with Headway's fields laid over it. Raises Denied."""
    try:
        found = laid_over(pod, ours)
        why = next(flaws(found, ours), None)
    except (AttributeError, KeyError, TypeError, ValueError):  # of no pod
        raise Denied("it is not a manifest of a pod") from None
    if why is not None:
        raise Denied(why)
    return found


def laid_over(pod: Manifest, ours: Manifest) -> Manifest:
    metadata = {**pod.get("metadata", {})}
    for part in ("labels", "annotations"):
        metadata[part] = {**(metadata.get(part) or {}), **ours["metadata"][part]}
    metadata |= {"name": ours["metadata"]["name"], "namespace": ours["metadata"]["namespace"]}
    spec = {**pod["spec"]}
    spec.pop("serviceAccount", None)  # another word for serviceAccountName
    own = ours["spec"]
    volumes = [each for each in spec.get("volumes") or () if not is_ours(each["name"])]
    containers = [
        task_container(each, own["containers"][0])
        if each["name"] == CONTAINER
        else restricted(each)
        for each in spec["containers"]
    ]
    first = [each for each in spec.get("initContainers") or () if each]
    ours_first = own.get("initContainers", [])
    names = [each["name"] for each in ours_first]
    first = [restricted(each) for each in first if each["name"] not in names]
    spec |= {name: value for name, value in own.items() if name not in LISTS}
    spec |= {"containers": containers, "volumes": [*volumes, *own["volumes"]]}
    if first or ours_first:
        spec["initContainers"] = [*first, *ours_first]  # a mesh comes first: ours needs a network
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def task_container(given: Manifest, ours: Manifest) -> Manifest:
    names = {each["name"] for each in ours["env"]}
    env = [each for each in given.get("env") or () if each["name"] not in names]
    mounts = [each for each in given.get("volumeMounts") or () if not is_ours(each["name"])]
    said = (*OF_CONTAINER, *(word for word in IF_SAID if word in ours))
    found = {key: value for key, value in given.items() if key not in said}
    found |= {word: ours[word] for word in said if word in ours}
    return {
        **found,
        "env": [*ours["env"], *env],
        "volumeMounts": [*ours["volumeMounts"], *mounts],
    }


def restricted(given: Manifest) -> Manifest:
    """Return a container that the platform added, without any right that a task has not."""
    security = {**(given.get("securityContext") or {}), **OTHERS}
    return {**given, "securityContext": security}


def is_ours(name: str) -> bool:
    return name.startswith(OURS)


def flaws(pod: Manifest, ours: Manifest) -> Iterator[str]:
    """Yield what the final object may not have."""
    metadata, spec = pod["metadata"], pod["spec"]
    for word in metadata:
        if word not in METADATA:
            yield f"metadata.{word} is not allowed"
    for part in ("labels", "annotations"):
        for key, value in metadata[part].items():
            if not isinstance(value, str):
                yield f"metadata.{part}[{key!r}] must be a text"
            if LABEL in key and key not in ours["metadata"][part]:
                yield f"metadata.{part}[{key!r}] is not allowed: {LABEL} is Headway's"
    for word in NEVER:
        if spec.get(word):
            yield f"spec.{word} is not allowed"
    yield from flaws_of_volumes(spec["volumes"], ours["spec"]["volumes"])
    names = [each["name"] for each in spec["containers"]]
    if names.count(CONTAINER) != 1 or len(set(names)) != len(names):
        yield f"spec.containers must have one container called {CONTAINER}"
    first = ours["spec"].get("initContainers", [])
    for part in ("containers", "initContainers"):
        for each in spec.get(part, ()):
            if each not in first:
                yield from flaws_of_container(each, f"the container {each['name']}")


def flaws_of_volumes(volumes: list[Manifest], ours: list[Manifest]) -> Iterator[str]:
    for each in volumes:
        if each in ours:
            continue
        where = f"the volume {each['name']}"
        kinds = [word for word in each if word != "name"]
        if len(kinds) != 1 or kinds[0] not in VOLUMES:
            yield f"{where} must be one of {', '.join(VOLUMES)}"
        for source in (each.get("projected") or {}).get("sources") or ():
            if "serviceAccountToken" in source:
                yield f"{where} is not allowed to have a token of the service account"


def flaws_of_container(given: Manifest, where: str) -> Iterator[str]:
    if not OBJECT.fullmatch(str(given["name"])):
        yield f"{where} has no valid name"
    if not isinstance(given.get("image"), str):
        yield f"{where} has no image"
    security: Mapping[str, Any] = given["securityContext"]
    if security.get("privileged") or security.get("runAsUser") == 0:
        yield f"{where} is not allowed to run with rights of the node"
    if security.get("runAsNonRoot") is False or security.get("procMount", "Default") != "Default":
        yield f"{where} is not allowed to run with rights of the node"
    for word in ("seccompProfile", "appArmorProfile"):
        if (security.get(word) or {}).get("type", "RuntimeDefault") == "Unconfined":
            yield f"{where} is not allowed to be without its {word}"
    if security.get("seLinuxOptions") or security.get("windowsOptions"):
        yield f"{where} is not allowed to choose its SELinux or Windows options"
    for port in given.get("ports") or ():
        if port.get("hostPort") or port.get("hostIP"):
            yield f"{where} is not allowed to have a port of its node"
    for word in NEVER_IN_CONTAINER:
        if given.get(word):
            yield f"{where} is not allowed to have {word}"
    for mount in given.get("volumeMounts") or ():
        if given["name"] != CONTAINER and is_ours(mount["name"]):
            yield f"{where} is not allowed to mount {mount['name']}"
        if mount.get("mountPropagation", "None") != "None":
            yield f"{where} is not allowed to propagate mounts"
