"""Differences between an object in the cluster and what was applied. Pure.

Fields that somebody added beside ours are theirs. Lists are compared as a whole, but those that Kubernetes merges
by name. Amounts are compared as amounts: the API server may write them in another way.
"""

from typing import Any, Final

from headway.core.quantities import amount
from headway.executors.kubernetes.objects import APPLIED

BY_NAME: Final = ("imagePullSecrets",)
SHOWN_CHARS_MAX: Final = 80


def drift(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Return what differs, as ``spec.hard.pods is 200, not 100``."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            text
            for name, each in wanted.items()
            if name not in ("apiVersion", "kind")
            for text in field(name, each, found.get(name), f"{path}.{name}".lstrip("."))
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = zip(wanted, found, strict=True)
        return [t for n, (a, b) in enumerate(pairs) for t in drift(a, b, f"{path}[{n}]")]
    return [] if same(wanted, found) else [f"{path} is {shown(found)}, not {shown(wanted)}"]


def field(name: str, wanted: Any, found: Any, path: str) -> list[str]:
    if wanted in ({}, []) and not found:  # the API server leaves out what is empty
        return []
    if name in BY_NAME and isinstance(found, list):
        missing = [each["name"] for each in wanted if each not in found]
        return [f"{path} has no {each}" for each in missing]
    return drift(wanted, found, path)


def same(wanted: Any, found: Any) -> bool:
    if wanted == found:
        return True
    if not isinstance(wanted, str) or not isinstance(found, str):
        return False
    most = amount(wanted)
    return most is not None and most == amount(found)


def is_current(wanted: dict[str, Any], found: dict[str, Any]) -> bool:
    """Return whether what was found was applied from the same settings."""
    marks = [each["metadata"].get("annotations", {}).get(APPLIED) for each in (wanted, found)]
    return bool(marks[0] == marks[1])


def shown(value: Any) -> str:
    text = "missing" if value is None else str(value)
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}…"
