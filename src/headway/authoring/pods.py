"""The options of a task about its pod: the words users write, and the overlay that they become."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from headway.core.pod_overlay import CONTAINER, merged

AIRFLOWS_CONTAINER: Final = "base"  # the name of the container that runs the task there
SOURCES: Final = ("claim", "empty_dir", "config_map", "secret")
REFERENCE: Final = re.compile(r"([^/]+)/([^/]+)")
VOLUMES: Final = (
    'a dict of mount paths, such as {"/models": {"claim": "models", "read_only": True}}; '
    f"each has one of {', '.join(SOURCES)}, and may have read_only and sub_path"
)
SECRETS: Final = 'a dict of variables, such as {"PASSWORD": "warehouse/password"} (secret/key)'


class WrongPod(Exception):
    """The description of an expected value, for the error message."""


def texts(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, Mapping) and all(
        isinstance(key, str) and isinstance(text, str) for key, text in value.items()
    ):
        return dict(value)
    raise WrongPod('a dict of texts, such as {"disk": "ssd"}')


def node_selector(value: object) -> dict[str, Any]:
    return spec("nodeSelector", texts(value))


def labels(value: object) -> dict[str, Any]:
    found = texts(value)
    return {"metadata": {"labels": found}} if found else {}


def annotations(value: object) -> dict[str, Any]:
    found = texts(value)
    return {"metadata": {"annotations": found}} if found else {}


def priority_class(value: object) -> dict[str, Any]:
    if value is not None and not isinstance(value, str):
        raise WrongPod("the name of a priority class")
    return spec("priorityClassName", value)


def tolerations(value: object) -> dict[str, Any]:
    given = plain(value)
    if given is None:
        return {}
    if isinstance(given, list) and all(isinstance(each, dict) for each in given):
        return spec("tolerations", given)
    raise WrongPod('a list of dicts, such as [{"key": "spot", "operator": "Exists"}]')


def volumes(value: object) -> dict[str, Any]:
    """Volumes by their mount paths."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongPod(VOLUMES)
    found: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    for number, (path, given) in enumerate(value.items(), 1):
        if not isinstance(path, str) or not isinstance(given, Mapping):
            raise WrongPod(VOLUMES)
        kinds = [word for word in SOURCES if word in given]
        if len(kinds) != 1 or given.keys() - {*SOURCES, "read_only", "sub_path"}:
            raise WrongPod(VOLUMES)
        name = f"volume-{number}"
        found.append({"name": name, **source(kinds[0], given[kinds[0]])})
        mount: dict[str, Any] = {"name": name, "mountPath": path}
        if given.get("read_only"):
            mount["readOnly"] = True
        if given.get("sub_path"):
            mount["subPath"] = given["sub_path"]
        mounts.append(mount)
    if not found:
        return {}
    return {"spec": {"volumes": found, "containers": [{"name": CONTAINER, "volumeMounts": mounts}]}}


def source(kind: str, name: object) -> dict[str, Any]:
    if kind == "empty_dir":
        return {"emptyDir": {"sizeLimit": name} if name else {}}
    if not isinstance(name, str):
        raise WrongPod(VOLUMES)
    if kind == "claim":
        return {"persistentVolumeClaim": {"claimName": name}}
    return (
        {"configMap": {"name": name}} if kind == "config_map" else {"secret": {"secretName": name}}
    )


def secrets(value: object) -> dict[str, Any]:
    """Keys of Kubernetes' secrets as environment variables. Headway never reads them."""
    env = []
    for variable, text in texts_of_secrets(value):
        reference = REFERENCE.fullmatch(text)
        if reference is None:
            raise WrongPod(SECRETS)
        found = {"name": reference[1], "key": reference[2]}
        env.append({"name": variable, "valueFrom": {"secretKeyRef": found}})
    return {"spec": {"containers": [{"name": CONTAINER, "env": env}]}} if env else {}


def texts_of_secrets(value: object) -> Iterator[tuple[str, str]]:
    try:
        yield from texts(value).items()
    except WrongPod:
        raise WrongPod(SECRETS) from None


def override(value: object) -> dict[str, Any]:
    """A part of a pod's manifest, as data or as an object of the client library ``kubernetes``."""
    found = plain(value)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise WrongPod('a part of a pod, such as {"spec": {"nodeSelector": {"disk": "ssd"}}}')
    for word in ("apiVersion", "kind"):
        found.pop(word, None)
    inside = found.get("spec")
    if isinstance(inside, dict) and isinstance(inside.get("containers"), list):
        for each in inside["containers"]:
            if isinstance(each, dict) and each.get("name") == AIRFLOWS_CONTAINER:
                each["name"] = CONTAINER
    return {key: part for key, part in found.items() if part not in ({}, [])}


def plain(value: object) -> Any:
    """Return data of its own; objects of the client library ``kubernetes`` say the names of their fields in JSON."""
    names = getattr(value, "attribute_map", None)
    if isinstance(names, Mapping):
        given = {json: getattr(value, name) for name, json in names.items()}
        return {name: plain(part) for name, part in given.items() if part not in (None, [])}
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def spec(word: str, value: object) -> dict[str, Any]:
    return {"spec": {word: value}} if value else {}


# By the option's word. ``pod_override`` is laid over what the others say.
PARTS: Final = {
    "node_selector": node_selector,
    "tolerations": tolerations,
    "volumes": volumes,
    "secrets": secrets,
    "labels": labels,
    "annotations": annotations,
    "priority_class": priority_class,
    "pod_override": override,
}


def folded(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with one ``pod`` in place of those about it."""
    found = {name: value for name, value in options.items() if name not in PARTS}
    overlay: dict[str, Any] = {}
    for name in PARTS:
        overlay = merged(overlay, options.get(name) or {})
    return {**found, "pod": overlay} if overlay else found
