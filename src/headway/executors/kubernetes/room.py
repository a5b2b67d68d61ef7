"""The room that a team has in the cluster: how many more pods its quota allows, and why no more. Pure.

It is an estimate, so that attempts wait where they hold no slot; the API server has the last word.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from headway.core.cluster import ClusterSettings
from headway.core.pod_states import STUCK
from headway.core.quantities import amount, text_like
from headway.core.reasons import PodPending, PodRefused, QuotaFull, Reason
from headway.executors.kubernetes.cluster import Refusal
from headway.executors.kubernetes.pods import Pod
from headway.executors.kubernetes.tally import Tally

MESSAGE_CHARS_MAX: Final = 500
CREATING: Final = "ContainerCreating"  # also while a volume is not there yet
COUNTED: Final = ("cpu", "memory")
OVER: Final = re.compile(
    r"requested: ([^ =]+)=([^,]+).*? used: [^ =]+=([^,]+).*? limited: [^ =]+=([^,]+)"
)


def room(
    cluster: ClusterSettings, pods_max: int, pods: Tally, pending: int, usual: Mapping[str, str]
) -> tuple[int, QuotaFull]:
    """Return how many more pods fit, and what is used up as soon as they exist.

    ``pending``: attempts whose pod does not exist yet; they and new ones are taken to be as large as the smallest.
    """
    held = pods.live + pending
    holders = pods.holders()
    fits = max(0, pods_max - held)
    bound = QuotaFull("pods", str(held + fits), str(pods_max), held_by=holders)
    for name in COUNTED:
        hard = getattr(cluster, name)
        most = None if hard is None else amount(hard)
        unit = amount(usual.get(name, "0")) or Decimal(0)
        if (smallest := pods.smallest(name)) is not None:
            unit = min(unit, smallest)
        if most is None or not unit:
            continue
        used = pods.used(name) + pending * unit
        more = max(0, int((most - used) / unit))
        if more <= fits:
            fits = more
            bound = QuotaFull(name, text_like(used + more * unit, hard), hard, held_by=holders)
    return fits, bound


def why_not_created(refusal: Refusal, pods: Tally) -> Reason:
    found = OVER.search(refusal.message) if refusal.is_quota else None
    if found is None:
        return PodRefused(refusal.message[:MESSAGE_CHARS_MAX])
    name, asked, used, hard = found.groups()
    return QuotaFull(name.rpartition(".")[2] or name, used, hard, asked, pods.holders())


def why_pending(pod: Pod, trouble: str = "") -> Reason | None:
    """Return why a pod has not started, where the cluster says so. ``trouble``: of what its team needs there."""
    if pod.unschedulable:
        return PodPending("Unschedulable", pod.unschedulable[:MESSAGE_CHARS_MAX])
    reason, message = pod.waiting
    if reason not in STUCK and pod.beside[0]:
        reason, message = pod.beside
    if reason == CREATING and trouble:
        return PodPending(CREATING, trouble[:MESSAGE_CHARS_MAX])
    return PodPending(reason, message[:MESSAGE_CHARS_MAX]) if reason in STUCK else None
