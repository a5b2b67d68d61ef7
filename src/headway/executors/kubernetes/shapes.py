"""The shapes of values that are more than a text or a number, as JSON Schema. Pure.

Chart and ``headway manifests`` go by them.

Patterns are of the part that Python, JSON Schema and Helm read alike, without look-around.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from headway.core.cluster import ENTRIES_MAX, PATTERN, PODS_MAX, PORT_MAX, peer
from headway.core.pod_words import KEY, LABEL_VALUE

if TYPE_CHECKING:
    from headway.executors.kubernetes.install import Install

Shape = dict[str, Any]

QUEUE: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
# An amount above 0.
AMOUNT: Final = (
    r"([0-9]{0,14}[1-9][0-9]{0,14}(\.[0-9]{1,9})?|[0-9]{1,15}\.[0-9]{0,8}[1-9][0-9]{0,8})"
    r"(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?"
)
RESOURCE: Final = r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[a-z]([a-z0-9.-]{0,61}[a-z0-9])?"
OCTET: Final = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
CIDR: Final = (
    rf"({OCTET}(\.{OCTET}){{3}}/(3[0-2]|[12]?[0-9])|[0-9a-fA-F:]*:[0-9a-fA-F:]*/[0-9]{{1,3}})"
)
PORT: Final = (
    r"(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
)


def text(pattern: str, meant: str) -> Shape:
    """Return the shape of a text. ``meant``: what it must be, behind "must be"."""
    return {"type": "string", "pattern": f"^({pattern})$", "description": meant}


def each(items: Shape) -> Shape:
    return {"type": "array", "items": items, "maxItems": ENTRIES_MAX}


def words(keys: Shape, values: Shape) -> Shape:
    """Return the shape of a dict of texts."""
    return {
        "type": "object",
        "propertyNames": keys,
        "additionalProperties": values,
        "maxProperties": ENTRIES_MAX,
    }


def closed(**parts: Shape) -> Shape:
    return {"type": "object", "additionalProperties": False, "properties": parts}


def optional(shape: Shape) -> Shape:
    return {**shape, "type": [shape["type"], "null"]}


PATTERNS: Final = each(text(PATTERN.pattern, "a pattern, such as ghcr.io/acme/*"))
LABEL: Final = text(KEY.pattern, "the name of a label")
VALUE: Final = text(LABEL_VALUE.pattern, "the value of a label")
LABELS: Final = words(LABEL, VALUE)
QUANTITY: Final = text(AMOUNT, "an amount above 0, such as 500m or 4Gi")
AMOUNTS: Final = words(text(RESOURCE, "the name of a resource, such as cpu"), QUANTITY)
QUEUES: Final[Shape] = {
    **each(text(QUEUE, "the name of a queue")),
    "minItems": 1,
    "uniqueItems": True,
}
TOLERATION: Final = closed(
    key=LABEL,
    operator={"enum": ["Equal", "Exists"]},
    value=VALUE,
    effect={"enum": ["", "NoSchedule", "PreferNoSchedule", "NoExecute"]},
    tolerationSeconds={"type": "integer", "minimum": 0},
)
EXPRESSION: Final = closed(
    key=LABEL,
    operator={"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
    values=each(VALUE),
)
SELECTOR: Final = closed(matchLabels=LABELS, matchExpressions=each(EXPRESSION))
NETWORK: Final = text(CIDR, "a network, such as 10.0.0.0/8")
PEER: Final = closed(
    ipBlock={**closed(cidr=NETWORK, **{"except": each(NETWORK)}), "required": ["cidr"]},
    namespaceSelector=SELECTOR,
    podSelector=SELECTOR,
)
NUMBER: Final[Shape] = {"type": "integer", "minimum": 1, "maximum": PORT_MAX}
OF_PORT: Final = closed(
    port={"anyOf": [NUMBER, text("[a-z0-9-]{1,15}", "a port")]},
    endPort=NUMBER,
    protocol={"enum": ["TCP", "UDP", "SCTP"]},
)
POLICY: Final = closed(
    images=PATTERNS,
    task_cpu=optional(QUANTITY),
    task_memory=optional(QUANTITY),
    task_gpu={"type": ["integer", "null"], "minimum": 0, "maximum": PODS_MAX},
    priority_classes=PATTERNS,
    owner_required={"type": "boolean"},
)
SPOT: Final = closed(
    node_selector=LABELS,
    preferred=LABELS,
    tolerations=each({**TOLERATION, "required": ["key"]}),
)
SHAPES: Final[Mapping[str, Shape]] = {
    "policy": {
        **optional(POLICY),
        "description": "The pods that tasks may have: allowed images, the most of one task, "
        "priority classes, and whether each task must have an owner.",
    },
    "spot": {
        **optional(SPOT),
        "description": 'The nodes that capacity="spot" of a task stands for.',
    },
    "resources": {
        **optional(AMOUNTS),
        "description": "Requests and limits of tasks in pods that name none.",
    },
    "sidecar_resources": {
        **optional(AMOUNTS),
        "description": "Requests and limits of the agent beside the container of a task.",
    },
    "queues": {**QUEUES, "description": "The queues whose tasks warm pools run."},
    "agent_queues": {**QUEUES, "description": "The queues whose tasks agents run."},
    "egress": {
        **each(closed(to=each(PEER), ports=each(OF_PORT))),
        "description": "Where tasks of all teams may connect to, as egress rules of a NetworkPolicy.",
    },
    "api_servers": {
        **each(text(f"{CIDR}:{PORT}", "NETWORK:PORT, such as 10.0.0.1/32:443")),
        "description": "Addresses of the API server: agents beside containers and the renewers of tickets "
        "may connect there.",
    },
}


def trouble(install: "Install") -> str | None:
    """Return the first part of a value that is not of its shape, or None. Begins with the name of the value."""
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import best_match

    for name, shape in SHAPES.items():
        given = plain(getattr(install, name, None))
        if given is None:
            continue
        error = best_match(Draft7Validator(shape).iter_errors(given))
        if error is not None:
            why = error.message
            if error.validator == "pattern":
                why = f"{error.instance[:100]!a} must be {error.schema['description']}"
            return f"{name.replace('_', '-')}: {why[:300]} (at {error.json_path})"
    for entry in install.api_servers:
        if peer(entry) is None:  # an address with bits behind the network's
            return f"api-servers: {entry} must be a network, such as 10.0.0.0/28:443"
    return None


def plain(value: Any) -> Any:
    """Return lists for tuples: a validator knows no others."""
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items()}
    return value
