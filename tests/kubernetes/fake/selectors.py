"""Label and field selectors."""

import re
from typing import Any

from tests.kubernetes.fake.status import Refused

Object = dict[str, Any]


def matches(found: Object, labels: str, fields: str) -> bool:
    has = found["metadata"].get("labels", {})
    return all(label(has, term) for term in terms(labels)) and all(
        field(found, term) for term in terms(fields)
    )


def terms(text: str) -> list[str]:
    return [term.strip() for term in re.split(r",(?![^()]*\))", text) if term.strip()]


def label(has: dict[str, str], term: str) -> bool:
    if inside := re.fullmatch(r"(\S+)\s+(in|notin)\s+\((.*)\)", term):
        name, how, values = inside.groups()
        return (has.get(name) in {v.strip() for v in values.split(",")}) == (how == "in")
    if equal := re.fullmatch(r"([^=!]+?)\s*(!=|==?)\s*(.*)", term):
        name, how, value = equal.groups()
        return (has.get(name) != value) if how == "!=" else (has.get(name) == value)
    return term[1:] not in has if term.startswith("!") else term in has


def field(found: Object, term: str) -> bool:
    name, how, value = re.fullmatch(r"([\w.]+?)(!=|==?)(.*)", term).groups()  # type: ignore[union-attr]
    if name not in ("metadata.name", "metadata.namespace", "spec.nodeName", "status.phase"):
        raise Refused(400, "BadRequest", f'field label not supported: "{name}"')
    value_of: Any = found
    for part in name.split("."):
        value_of = (value_of or {}).get(part)
    return ((value_of or "") == value) == (how != "!=")
