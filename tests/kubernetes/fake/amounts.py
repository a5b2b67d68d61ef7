"""Quantities of Kubernetes, and what the pods of each namespace use of them, as its quotas count it."""

import re
from decimal import Decimal
from typing import Any, Final

Amounts = dict[str, Decimal]
UNITS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def amount(text: object) -> Decimal:
    found = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(text))
    if found is None or found[2] not in UNITS:
        raise ValueError(f"quantities must match the regular expression, got {text!r}")
    return Decimal(found[1]) * UNITS[found[2]]


def plain(value: Decimal) -> str:
    """Return an amount as Kubernetes writes it, near enough: whole, in ``Mi`` or in ``m``."""
    whole = value == value.to_integral_value()
    if whole and value and not value % UNITS["Mi"]:
        return f"{int(value / UNITS['Mi'])}Mi"
    return str(int(value)) if whole else f"{int(value * 1000)}m"


def cost(pod: dict[str, Any]) -> Amounts:
    found: Amounts = {"pods": Decimal(1)}
    first = pod["spec"].get("initContainers", ())
    lasting = [each for each in first if each.get("restartPolicy") == "Always"]
    for container in [*pod["spec"]["containers"], *lasting]:
        for side in ("requests", "limits"):
            for what, value in container.get("resources", {}).get(side, {}).items():
                names = [f"{side}.{what}", *([what] if side == "requests" else [])]
                for name in names:
                    found[name] = found.get(name, Decimal(0)) + amount(value)
    return found


class Used:
    """Counted with each change: a count over thousands of pods for each new one would take longer than all else."""

    def __init__(self) -> None:
        self.namespaces: dict[str, Amounts] = {}

    def of(self, namespace: str) -> Amounts:
        return self.namespaces.get(namespace, {})

    def count(
        self, namespace: str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        """Count a pod that is added (no ``before``), changed, or deleted (no ``after``)."""
        if is_counted(before) and is_counted(after):
            return  # what it asks for never changes
        used = self.namespaces.setdefault(namespace, {})
        for pod, sign in ((before, -1), (after, 1)):
            if pod is not None and is_counted(pod):
                for what, value in cost(pod).items():
                    used[what] = used.get(what, Decimal(0)) + sign * value


def is_counted(pod: dict[str, Any] | None) -> bool:
    """Return whether a pod is there and not over."""
    return pod is not None and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
