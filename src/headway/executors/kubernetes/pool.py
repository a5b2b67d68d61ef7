"""The warm pool of a team as an object of its cluster: a Deployment of agents. Pure, but for ``brought_level``.

Its pods are like those of tasks: restricted, without rights, in the team's namespace and behind its network policies,
counted by its quota, and what the platform's ``pod_mutation`` makes of pods it makes of them, too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from lightkube import ApiError, AsyncClient
from lightkube.codecs import from_dict
from lightkube.resources.core_v1 import Pod as PodObject
from lightkube.types import PatchType

from headway.core import pod_policy
from headway.core.cluster import ClusterSettings
from headway.core.pod_overlay import CONTAINER
from headway.core.quantities import amount, text_like
from headway.core.warm import TASKS_MAX, WARM, Bounds
from headway.executors.kubernetes.drafts import Draft
from headway.executors.kubernetes.drift import drift, is_current
from headway.executors.kubernetes.final import Manifest, laid_over
from headway.executors.kubernetes.level import MISSING, read
from headway.executors.kubernetes.manifest import GRACE_S, container_of, marked, spec_of
from headway.executors.kubernetes.mutation import Mutation
from headway.executors.kubernetes.names import (
    COMPONENT,
    DELETION_COST,
    INSTALL,
    LEAVES,
    POOL,
    VERSION,
    namespace_of,
    value,
)
from headway.executors.kubernetes.objects import APPLIED, TEAM, Object, digest
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.tickets import mounted

STAYS: Final = "0"


@dataclass(frozen=True, slots=True)
class Leveled:
    """``applied``: the digest of the Deployment; ``repairs``: what somebody had changed; ``failure``: why the cluster
    does not create its pods.
    """

    applied: str
    repairs: tuple[str, ...]
    failure: str


def labels(settings: Settings, team: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "headway",
        INSTALL: value(settings.install),
        TEAM: value(team),
        COMPONENT: WARM,
    }


def draft(settings: Settings, team: str, cluster: ClusterSettings, bounds: Bounds) -> Draft:
    """Return the pod of an agent, and the policy that it is checked by."""
    told = {
        "slots": str(bounds.slots),
        "queues": ",".join(settings.queues),
        "tasks": str(cluster.warm_tasks or TASKS_MAX),
        "drain_s": str(settings.drain_s),
    }
    container = container_of(settings, settings.warm_command, told, {"name": "metadata.name"})
    spec = spec_of(settings, container, settings.drain_s + GRACE_S) | {"restartPolicy": "Always"}
    ours: Manifest = {
        "metadata": {
            "name": POOL,
            "namespace": namespace_of(settings, team),
            "labels": labels(settings, team),
            "annotations": {},
        },
        "spec": spec,
    }
    if cluster.keytab_secret is not None:
        ours = mounted(ours)
    ours = marked(ours, cluster)
    image = cluster.warm_image or settings.image
    asks = amounts(settings, cluster, bounds)
    given = {"name": CONTAINER, "image": image, "resources": {"requests": asks, "limits": asks}}
    made = laid_over({"spec": {"containers": [given]}}, ours)
    version = {VERSION: digest([made])}
    made["metadata"]["annotations"] |= version
    ours["metadata"]["annotations"] |= version
    policy = pod_policy.of_team(settings.policy, cluster)
    return Draft(made, ours, policy, settings.image, {}, cluster.keytab_secret)


def version_of(draft: Draft) -> str:
    """Return the version of the pods: that of what they are made of, before the platform's ``pod_mutation``."""
    return str(draft.ours["metadata"]["annotations"][VERSION])


def amounts(settings: Settings, cluster: ClusterSettings, bounds: Bounds) -> dict[str, str]:
    """Return what an agent asks for: by itself as much as all its tasks at once would in pods of their own."""
    found = {}
    for name, text in settings.resources.items():
        one = amount(text)
        found[name] = text if one is None else text_like(one * bounds.slots, text)
    given = {"cpu": cluster.warm_cpu, "memory": cluster.warm_memory}
    return found | {name: text for name, text in given.items() if text is not None}


def deployment(settings: Settings, team: str, pod: Manifest, replicas: int) -> Object:
    """Return the Deployment of pods as ``pod``. One agent at a time makes way for a new version."""
    metadata = {k: v for k, v in pod["metadata"].items() if k in ("labels", "annotations") and v}
    chosen = {name: metadata["labels"][name] for name in (INSTALL, COMPONENT)}
    found: Object = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": POOL,
            "namespace": namespace_of(settings, team),
            "labels": labels(settings, team),
        },
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": chosen},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1},
            },
            "template": {"metadata": metadata, "spec": pod["spec"]},
        },
    }
    found["metadata"]["annotations"] = {APPLIED: digest([found])}
    return found


async def brought_level(
    client: AsyncClient,
    settings: Settings,
    team: str,
    draft: Draft,
    mutation: Mutation,
    replicas: int,
    costs: Collection[tuple[str, bool]],
    applied: str,
) -> Leveled:
    """Mark the agents that go first, then apply the Deployment where it differs. ``applied``: the digest before.

    Raises Denied, and what ``attempted`` turns into a refusal.
    """
    pod = await draft.made(mutation)
    wanted = deployment(settings, team, pod, replicas)
    mark = wanted["metadata"]["annotations"][APPLIED]
    namespace = wanted["metadata"]["namespace"]
    for name, leaves in costs:
        await mark_pod(client, namespace, name, leaves=leaves)
    found = await read(client, wanted)
    repairs: list[str] = []
    differences = [] if found is None else drift(wanted, found)
    if found is None and applied == mark:
        repairs.append(f"Deployment {POOL} was missing")
    elif found is not None and differences and is_current(wanted, found):
        repairs.append(f"Deployment {POOL}: {', '.join(differences)}")
    if found is None or differences:
        made: Any = await client.apply(from_dict(wanted), force=True)
        found = dict(made.to_dict())
    return Leveled(mark, tuple(repairs), failure_of(found))


async def mark_pod(client: AsyncClient, namespace: str, name: str, *, leaves: bool) -> None:
    patch = {"metadata": {"annotations": {DELETION_COST: LEAVES if leaves else STAYS}}}
    try:
        await client.patch(PodObject, name, patch, namespace=namespace, patch_type=PatchType.MERGE)
    except ApiError as error:
        if error.status.code != MISSING:
            raise


def failure_of(found: Object) -> str:
    """Return what the cluster says of pods that it does not create, as of a quota that is used up."""
    for each in (found.get("status") or {}).get("conditions") or ():
        if each.get("type") == "ReplicaFailure" and each.get("status") == "True":
            return str(each.get("message") or each.get("reason") or "")
    return ""
