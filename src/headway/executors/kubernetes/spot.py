"""The meaning of ``capacity="spot"`` in a cluster: a part of a pod, under what its author says. Pure.

Clusters taint their spot nodes, so that only pods run there that say they may. The defaults are the taints and labels
of GKE, AKS, EKS and Karpenter; a cluster has those of one of them, and the others have no effect there.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from headway.core.pod_overlay import flaw

MARKS: Final = {
    "cloud.google.com/gke-spot": "true",
    "kubernetes.azure.com/scalesetpriority": "spot",
    "karpenter.sh/capacity-type": "spot",
}
LABELS_ONLY: Final = {"eks.amazonaws.com/capacityType": "SPOT"}  # managed node groups have no taint
WEIGHT: Final = 100  # the most there is


def tolerated(marks: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    return tuple(
        {"key": key, "operator": "Equal", "value": value, "effect": effect}
        for key, value in marks.items()
        for effect in ("NoSchedule", "NoExecute")
    )


class Spot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``node_selector``: labels that a node must have; ``preferred``: a node with any of these is taken first."""

    node_selector: dict[str, str] = {}
    preferred: dict[str, str] = msgspec.field(default_factory=lambda: {**MARKS, **LABELS_ONLY})
    tolerations: tuple[dict[str, Any], ...] = tolerated(MARKS)


def overlay(spot: Spot) -> dict[str, Any]:
    """Return the settings in the shape of a pod's manifest."""
    spec: dict[str, Any] = {"tolerations": [dict(each) for each in spot.tolerations]}
    if spot.node_selector:
        spec["nodeSelector"] = dict(spot.node_selector)
    if spot.preferred:
        terms = [preference(key, value) for key, value in spot.preferred.items()]
        preferred = {"preferredDuringSchedulingIgnoredDuringExecution": terms}
        spec["affinity"] = {"nodeAffinity": preferred}
    return {"spec": spec}


def preference(key: str, value: str) -> dict[str, Any]:
    expression = {"key": key, "operator": "In", "values": [value]}
    return {"weight": WEIGHT, "preference": {"matchExpressions": [expression]}}


def flaw_of_spot(spot: Spot) -> str | None:
    """Return which part of the settings no pod may have and why, or None."""
    for word in ("node_selector", "preferred"):
        given: dict[str, str] = getattr(spot, word)
        if (found := flaw({"spec": {"nodeSelector": given}})) is not None:
            return f"{word} {found.why}: {found.path.removeprefix('spec.nodeSelector')}"
    found = flaw(overlay(spot))
    return None if found is None else str(found).removeprefix("spec.")
