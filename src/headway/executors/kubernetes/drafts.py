"""The pod of one attempt, from the spec of its task, the parameters of its run, and what became of earlier attempts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from headway.agent.protocol import AttemptKey
from headway.core import pod_policy
from headway.core.pod_policy import PodPolicy, Wish
from headway.core.quantities import amount
from headway.core.resource_params import param_of
from headway.executors.base import Host
from headway.executors.kubernetes.demands import resources, smaller
from headway.executors.kubernetes.final import Denied, Manifest, finished
from headway.executors.kubernetes.foreign import SIDECAR, beside, told
from headway.executors.kubernetes.images import pinned
from headway.executors.kubernetes.manifest import draft, marked, own
from headway.executors.kubernetes.mutation import Mutation
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.shares import Share
from headway.executors.kubernetes.tickets import awaited, mounted, refuse_secret
from headway.spec.container_tasks import KIND
from headway.spec.model import Dag, Task
from headway.store import attempts, images
from headway.store.runs import Claimed
from headway.store.sessions import Bound
from headway.store.transact import read


class Draft:
    """The pod as its author wants it, and what is laid over it. ``policy`` is that of its team; ``digests``: of the
    images that its run is pinned to; ``keytab_secret``: what the pod may not have.
    """

    def __init__(
        self,
        pod: Manifest,
        ours: Manifest,
        policy: PodPolicy,
        usual_image: str,
        digests: Mapping[str, str],
        keytab_secret: str | None = None,
    ) -> None:
        self.pod = pod
        self.ours = ours
        self.policy = policy
        self.usual_image = usual_image
        self.digests = digests
        self.keytab_secret = keytab_secret

    async def made(self, mutation: Mutation) -> Manifest:
        """Return the pod that is sent to the API server. Raises Denied."""
        found = finished(await mutation.of(self.pod), self.ours)
        self.check(found)  # of the image as people name it, which is also what policies name
        return pinned(found, self.digests)

    def check(self, pod: Manifest, owner: str | None = None) -> None:
        """Raise Denied where the policy does not allow the pod."""
        refuse_secret(pod, self.keytab_secret)
        why = pod_policy.violation(self.policy, wish_of(pod, self.usual_image, owner))
        if why is not None:
            raise Denied(why)


# The digests of a run's images, by team and run: read once for the pods that are asked for together.
Pins = dict[tuple[int, str], dict[str, str]]


class Drafts:
    def __init__(self, host: Host, settings: Settings) -> None:
        self.host = host
        self.settings = settings

    def of(self, share: Share, bound: Bound, key: AttemptKey, row: Claimed, pins: Pins) -> Draft:
        """Return the draft of an attempt's pod. Raises Denied."""
        dag = self.host.versions.dag(share.team_id, row.dag_id, row.version)
        task = next(each for each in dag.tasks if each.task_id == key.task_id)
        policy = pod_policy.of_team(self.settings.policy, share.settings)
        amounts = self.resources(share, bound, task, row, policy)
        ours = self.ours(share, dag, task, key, row)
        made = draft(self.settings, task, ours, amounts)
        if share.settings.keytab_secret is not None:
            made = awaited(made)
        if row.key not in pins:
            pins[row.key] = read(self.host.conn, images.pinned, share.team_id, row.run_id)
        keytab = share.settings.keytab_secret
        found = Draft(made, ours, policy, self.settings.image, pins[row.key], keytab)
        found.check(made, owner_of(dag, task))
        return found

    def ours(self, share: Share, dag: Dag, task: Task, key: AttemptKey, row: Claimed) -> Manifest:
        if task.kind == KIND:
            words = told(dag, task, key, row)
            found = beside(self.settings, share.team, row.dag_id, key, words)
        else:
            found = own(self.settings, share.team, row.dag_id, key)
            if share.settings.keytab_secret is not None:
                found = mounted(found)
        return marked(found, share.settings)

    def resources(
        self, share: Share, bound: Bound, task: Task, row: Claimed, policy: PodPolicy
    ) -> dict[str, str]:
        params: dict[str, Any] = {}
        if any(param_of(text) is not None for text in task.resources.values()):
            params = msgspec.json.decode(row.params)
        short = 0
        if task.memory_after_oom > 1 and bound.number > 1:
            short = read(self.host.conn, attempts.ended_by, bound, "memory")
        return resources(
            self.settings.resources,
            task.resources,
            params,
            factor=task.memory_after_oom,
            out_of_memory=short,
            memory_most=smaller(policy.task_memory, share.settings.memory),
        )


def owner_of(dag: Dag, task: Task) -> str:
    return task.owner or dag.owner


def wish_of(pod: Manifest, usual_image: str, owner: str | None = None) -> Wish:
    """Return what a pod asks for. The image of the platform's own settings needs no permission."""
    spec = pod["spec"]
    containers = [*spec["containers"], *spec.get("initContainers", ())]
    containers = [
        each for each in containers if each["name"] != SIDECAR
    ]  # which is not the author's
    asks: dict[str, Decimal] = {}
    for each in containers:
        given = each.get("resources") or {}
        for name, text in {**(given.get("requests") or {}), **(given.get("limits") or {})}.items():
            asks[name] = asks.get(name, Decimal(0)) + (amount(str(text)) or Decimal(0))
    images = {str(each.get("image")) for each in containers} - {usual_image}
    return Wish(
        images=tuple(sorted(images)),
        asks=asks,
        priority_class=str(spec.get("priorityClassName") or ""),
        owner=owner,
    )
