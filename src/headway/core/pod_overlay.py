"""An overlay: what the author of a task says of its pod, in the shape of the pod's manifest. Pure.

Rule 1: only what is named here may be in an overlay. Namespace, service account, security context, names, tokens,
and whatever Kubernetes adds in the future are refused, because they are not named.
Rule 2: the volumes and variables of Headway begin with its name, and those of an author do not.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from headway.core.pod_words import (
    CHOSEN_ELSEWHERE,
    CLASS,
    ENVIRONMENT,
    KEY,
    LABEL_VALUE,
    OBJECT,
    RESERVED,
    Flaw,
    is_reserved,
)
from headway.core.quantities import amount

CONTAINER: Final = "task"
OURS: Final = "headway-"  # what names of our own volumes begin with
VARIABLE: Final = "HEADWAY_"  # and of our own variables
TAKEN: Final = ("/headway", "/tmp", "/proc", "/sys", "/dev")
ENTRIES_MAX: Final = 50
TEXT_CHARS_MAX: Final = 10_000
# By what the entries of a list are merged, as Kubernetes does; other lists are joined.
MERGE_KEYS: Final = {
    "containers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
}

Check = Callable[[Any, str], Iterator[Flaw]]
Shape = Mapping[str, "Shape | Check"]


def flaw(overlay: object) -> Flaw | None:
    """Return the first part of an overlay that an author may not write, and why."""
    return next(within(overlay, "", OVERLAY), None)


def within(value: Any, path: str, shape: Shape | Check) -> Iterator[Flaw]:
    if not isinstance(shape, Mapping):
        yield from shape(value, path)
        return
    if not isinstance(value, Mapping):
        yield Flaw(path, "must be a dict")
        return
    for key, part in value.items():
        here = f"{path}.{key}" if path else str(key)
        if key not in shape:
            usual = f"it may have {', '.join(shape)}"
            yield Flaw(here, f"is not allowed: {CHOSEN_ELSEWHERE.get(str(key), usual)}")
        else:
            yield from within(part, here, shape[key])


def texts(value: Any, path: str, *, most: int = TEXT_CHARS_MAX) -> Iterator[Flaw]:
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        yield Flaw(path, f"must be a text of at most {most:,} characters")


def matching(pattern: re.Pattern[str], meant: str) -> Check:
    def check(value: Any, path: str) -> Iterator[Flaw]:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            yield Flaw(path, f"must be {meant}")

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, path: str) -> Iterator[Flaw]:
        if value not in allowed:
            yield Flaw(path, f"must be one of {', '.join(allowed)}")

    return check


def flags(value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, bool):
        yield Flaw(path, "must be true or false")


def numbers(value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        yield Flaw(path, "must be a whole number of at least 0")


def quantities(value: Any, path: str) -> Iterator[Flaw]:
    if not isinstance(value, str) or not amount(value):
        yield Flaw(path, "must be an amount such as 10Gi")


def each(shape: Shape | Check) -> Check:
    def check(value: Any, path: str) -> Iterator[Flaw]:
        if not isinstance(value, (list, tuple)) or len(value) > ENTRIES_MAX:
            yield Flaw(path, f"must be a list of at most {ENTRIES_MAX} entries")
            return
        for number, entry in enumerate(value):
            yield from within(entry, f"{path}[{number}]", shape)

    return check


def keyed(values: Check, reserved: bool = True) -> Check:
    """Check a dict whose keys are as those of labels and annotations."""

    def check(value: Any, path: str) -> Iterator[Flaw]:
        if not isinstance(value, Mapping) or len(value) > ENTRIES_MAX:
            yield Flaw(path, f"must be a dict of at most {ENTRIES_MAX} entries")
            return
        for key, text in value.items():
            here = f"{path}[{str(key)[:100]!a}]"
            if not isinstance(key, str) or not KEY.fullmatch(key):
                yield Flaw(here, "is not a valid key")
            elif reserved and is_reserved(key):
                yield Flaw(here, f"is not allowed: {RESERVED}")
            else:
                yield from values(text, here)

    return check


def anything(value: Any, path: str, deep: int = 0) -> Iterator[Flaw]:
    """Check an affinity: any terms, of the team's own namespace only."""
    if deep > 12:
        yield Flaw(path, "is nested too deeply")
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key in ("namespaces", "namespaceSelector"):
                yield Flaw(f"{path}.{key}", "is not allowed: terms are about pods of the own team")
            else:
                yield from anything(part, f"{path}.{key}", deep + 1)
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(value):
            yield from anything(part, f"{path}[{number}]", deep + 1)
    elif not isinstance(value, (str, int)):
        yield Flaw(path, "must be a text or a whole number")


def toleration(value: Any, path: str) -> Iterator[Flaw]:
    yield from within(value, path, TOLERATION)
    if not isinstance(value, Mapping):
        return
    key = str(value.get("key") or "")
    if not key:
        yield Flaw(path, "must have a key: without one it tolerates every taint")
    elif key.startswith(("node-role.kubernetes.io/", "node.kubernetes.io/")):
        yield Flaw(f"{path}.key", f"is not allowed: taints such as {key} are the cluster's own")


def volume(value: Any, path: str) -> Iterator[Flaw]:
    yield from within(value, path, VOLUME)
    if not isinstance(value, Mapping):
        return
    if len(value.keys() & SOURCES.keys()) != 1 or "name" not in value:
        yield Flaw(path, f"must have a name and one of {', '.join(SOURCES)}")


def volume_name(value: Any, path: str) -> Iterator[Flaw]:
    yield from matching(CLASS, "a name of lower-case letters, digits and -")(value, path)
    if isinstance(value, str) and value.startswith(OURS):
        yield Flaw(path, f"is not allowed: names that begin with {OURS} are Headway's")


def mount(value: Any, path: str) -> Iterator[Flaw]:
    yield from within(value, path, MOUNT)
    if isinstance(value, Mapping) and not {"name", "mountPath"} <= value.keys():
        yield Flaw(path, "must have name and mountPath")


def mount_path(value: Any, path: str) -> Iterator[Flaw]:
    yield from texts(value, path, most=1000)
    text = str(value)
    parts = text.split("/")
    if not text.startswith("/") or text == "/" or ".." in parts or ":" in text or "//" in text:
        yield Flaw(path, "must be an absolute path, such as /models")
    for taken in TAKEN:
        if text.rstrip("/") == taken or text.startswith(f"{taken}/"):
            yield Flaw(path, f"is not allowed: {taken} is not for volumes of a task")


def sub_path(value: Any, path: str) -> Iterator[Flaw]:
    yield from texts(value, path, most=1000)
    if str(value).startswith("/") or ".." in str(value).split("/"):
        yield Flaw(path, "must be a relative path without ..")


def variable_name(value: Any, path: str) -> Iterator[Flaw]:
    yield from matching(ENVIRONMENT, "the name of an environment variable")(value, path)
    if str(value).startswith(VARIABLE):
        yield Flaw(path, f"is not allowed: variables that begin with {VARIABLE} are Headway's")


def variable(value: Any, path: str) -> Iterator[Flaw]:
    yield from within(value, path, {"name": variable_name, "value": texts, "valueFrom": REFERENCE})
    if not isinstance(value, Mapping):
        return
    if "name" not in value or len(value.keys() & {"value", "valueFrom"}) != 1:
        yield Flaw(path, "must have a name, and either value or valueFrom")
    elif "valueFrom" in value and len(value["valueFrom"] or ()) != 1:
        yield Flaw(f"{path}.valueFrom", f"must have one of {', '.join(REFERENCE)}")


def container_name(value: Any, path: str) -> Iterator[Flaw]:
    if value != CONTAINER:
        yield Flaw(path, f"must be {CONTAINER}: a pod has no other container of its author")


def container(value: Any, path: str) -> Iterator[Flaw]:
    yield from within(value, path, IN_CONTAINER)
    if isinstance(value, Mapping) and "name" not in value:
        yield Flaw(path, f"must have the name {CONTAINER}")


NAME: Final = matching(OBJECT, "the name of an object in the team's namespace")
IN_OBJECT: Final = matching(re.compile(r"[-._A-Za-z0-9]{1,253}"), "a key of the object")
ITEMS: Final = each({"key": IN_OBJECT, "path": sub_path, "mode": numbers})
SOURCES: Final[Shape] = {
    "persistentVolumeClaim": {"claimName": NAME, "readOnly": flags},
    "emptyDir": {"sizeLimit": quantities, "medium": one_of("", "Memory")},
    "configMap": {"name": NAME, "items": ITEMS, "defaultMode": numbers, "optional": flags},
    "secret": {"secretName": NAME, "items": ITEMS, "defaultMode": numbers, "optional": flags},
}
VOLUME: Final[Shape] = {"name": volume_name, **SOURCES}
MOUNT: Final[Shape] = {
    "name": volume_name,
    "mountPath": mount_path,
    "readOnly": flags,
    "subPath": sub_path,
}
TOLERATION: Final[Shape] = {
    "key": matching(KEY, "the key of a taint"),
    "operator": one_of("Equal", "Exists"),
    "value": matching(LABEL_VALUE, "the value of a taint"),
    "effect": one_of("", "NoSchedule", "PreferNoSchedule", "NoExecute"),
    "tolerationSeconds": numbers,
}
IN_OBJECT_NAMED: Final[Shape] = {"name": NAME, "key": IN_OBJECT, "optional": flags}
REFERENCE: Final[Shape] = {"secretKeyRef": IN_OBJECT_NAMED, "configMapKeyRef": IN_OBJECT_NAMED}
OBJECT_NAMED: Final[Shape] = {"name": NAME, "optional": flags}
IN_CONTAINER: Final[Shape] = {
    "name": container_name,
    "env": each(variable),
    "envFrom": each({"secretRef": OBJECT_NAMED, "configMapRef": OBJECT_NAMED}),
    "volumeMounts": each(mount),
}
OVERLAY: Final[Shape] = {
    "metadata": {
        "labels": keyed(matching(LABEL_VALUE, "a valid value of a label")),
        "annotations": keyed(texts),
    },
    "spec": {
        "nodeSelector": keyed(matching(LABEL_VALUE, "a valid value of a label"), reserved=False),
        "affinity": {
            "nodeAffinity": anything,
            "podAffinity": anything,
            "podAntiAffinity": anything,
        },
        "tolerations": each(toleration),
        "priorityClassName": matching(OBJECT, "the name of a priority class"),
        "volumes": each(volume),
        "containers": each(container),
    },
}


def merged(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one manifest over another one, as a strategic merge patch does without its directives."""
    found = {key: deepcopy(value) for key, value in base.items()}
    for key, value in overlay.items():
        known = found.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            found[key] = merged(known, value)
        elif isinstance(value, (list, tuple)) and isinstance(known, (list, tuple)):
            found[key] = merged_list(known, value, MERGE_KEYS.get(key))
        else:
            found[key] = deepcopy(value)
    return found


def merged_list(base: Any, overlay: Any, key: str | None) -> list[Any]:
    found = [deepcopy(each) for each in base]
    places = {each.get(key): number for number, each in enumerate(found)} if key else {}
    for each_ in overlay:
        place = places.get(each_.get(key)) if key else None
        if place is None:
            found.append(deepcopy(each_))
        else:
            found[place] = merged(found[place], each_)
    return found
