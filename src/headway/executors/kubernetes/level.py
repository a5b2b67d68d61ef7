"""Brings the objects of a team level with what they should be, and removes them in order.

Rule 1: what is there is read first, and only what differs is applied: a second call writes nothing.
Rule 2: a namespace that is labelled by another install is never touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lightkube import ApiError, AsyncClient
from lightkube.codecs import from_dict
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Pod as PodObject
from lightkube.resources.core_v1 import Secret, ServiceAccount
from lightkube.resources.networking_v1 import NetworkPolicy
from lightkube.resources.rbac_authorization_v1 import Role, RoleBinding

from headway import clock
from headway.core.cluster import TICKETS
from headway.executors.kubernetes.cluster import Refusal
from headway.executors.kubernetes.drift import drift, is_current
from headway.executors.kubernetes.names import INSTALL, POOL
from headway.executors.kubernetes.objects import CREATED, Object, applied
from headway.executors.kubernetes.tickets import trouble_of
from headway.store.clusters import Used

MISSING: Final = 404
FORBIDDEN: Final = 403
OF_TICKETS: Final = (Deployment, Secret, NetworkPolicy, RoleBinding, Role, ServiceAccount)


@dataclass(frozen=True, slots=True)
class Leveled:
    """``repairs``: what somebody had changed since it was applied; ``quota``: as the cluster counts it; ``trouble``: of
    the Kerberos tickets.
    """

    repairs: Sequence[str]
    quota: Sequence[Used]
    trouble: str = ""


async def level(client: AsyncClient, objects: Sequence[Object], before: str) -> Leveled | Refusal:
    """Apply what differs. ``before``: the digest of what was applied last. If these very objects were, one that is
    missing was deleted; if others were, what kept tickets is removed where the team is to have none.

    Raises what ``attempted`` turns into a refusal.
    """
    was_applied = before == applied(objects)
    repairs: list[str] = []
    quota: Sequence[Used] = ()
    of_tickets: dict[str, Object] = {}
    for wanted in objects:
        name = f"{wanted['kind']} {wanted['metadata']['name']}"
        found = await read(client, wanted)
        if wanted["kind"] == "Namespace" and (refusal := foreign(wanted, found)) is not None:
            return refusal
        differences = [] if found is None else drift(wanted, found)
        if found is None:
            if was_applied:
                repairs.append(f"{name} was missing")
            if wanted["kind"] == "Namespace":
                await create_namespace(client, wanted)
        elif differences and is_current(wanted, found):
            repairs.append(f"{name}: {', '.join(differences)}")
        if found is None or differences:
            made: Any = await client.apply(from_dict(wanted), force=True)
            found = dict(made.to_dict())
        if wanted["kind"] == "ResourceQuota":
            quota = used(found)
        if wanted["metadata"]["name"] == TICKETS:
            of_tickets[wanted["kind"]] = found
        if wanted["kind"] == "Namespace" and before and not was_applied:
            await remove_unwanted(client, objects)
    return Leveled(repairs, quota, trouble_of(of_tickets, clock.now()))


async def remove_unwanted(client: AsyncClient, objects: Sequence[Object]) -> None:
    """Remove what kept the tickets of a team that has no keytab any more, as long as the role of before allows it."""
    if any(each["metadata"]["name"] == TICKETS for each in objects):
        return
    for kind in OF_TICKETS:
        try:
            await client.delete(kind, TICKETS, namespace=objects[0]["metadata"]["name"])
        except ApiError as error:
            if error.status.code not in (MISSING, FORBIDDEN):  # without that role there was nothing
                raise


async def read(client: AsyncClient, wanted: Object) -> Object | None:
    """Return the object that exists under this name, or None."""
    meta = wanted["metadata"]
    where = {"namespace": meta["namespace"]} if "namespace" in meta else {}
    try:
        found: Any = await client.get(type(from_dict(wanted)), meta["name"], **where)
    except ApiError as error:
        if error.status.code == MISSING:
            return None
        raise
    return dict(found.to_dict())


async def create_namespace(client: AsyncClient, wanted: Object) -> None:
    """Create it with the mark that it is ours to delete. Applying does not remove that: creating owns it."""
    meta = {"name": wanted["metadata"]["name"], "annotations": {CREATED: "true"}}
    await client.create(from_dict({**wanted, "metadata": meta}))


def foreign(wanted: Object, found: Object | None) -> Refusal | None:
    """Return why a namespace cannot be the team's."""
    if found is None:
        return None
    name, meta = wanted["metadata"]["name"], found["metadata"]
    if "deletionTimestamp" in meta:
        return Refusal(0, "Terminating", f"the namespace {name} is being deleted")
    owner = meta.get("labels", {}).get(INSTALL)
    if owner in (None, wanted["metadata"]["labels"][INSTALL]):
        return None
    why = f"the namespace {name} belongs to the install {owner!r}; choose other namespaces in the settings"
    return Refusal(0, "Foreign", why)


def used(quota: Object) -> list[Used]:
    status = quota.get("status") or {}
    counted = status.get("used") or {}
    return [
        Used(name, str(counted.get(name, "0")), str(hard))
        for name, hard in (quota["spec"].get("hard") or {}).items()
    ]


async def clear(client: AsyncClient, objects: Sequence[Object]) -> bool:
    """Take one step of a removal: pods first, then what they needed. True: nothing is left.

    A namespace that existed before is left, without what was applied in it.
    """
    namespace = objects[0]
    found = await read(client, namespace)
    labels = namespace["metadata"]["labels"]
    if found is None or found["metadata"].get("labels", {}).get(INSTALL) != labels[INSTALL]:
        return True
    if "deletionTimestamp" in found["metadata"]:
        return False
    name = namespace["metadata"]["name"]
    await remove_pool(client, name)  # else it makes its pods anew
    pods = client.list(PodObject, namespace=name, labels={INSTALL: labels[INSTALL]})
    if left := [pod async for pod in pods]:
        for pod in left:
            if pod.metadata is not None and pod.metadata.deletionTimestamp is None:
                await client.delete(PodObject, pod.metadata.name or "", namespace=name)
        return False
    if CREATED in found["metadata"].get("annotations", {}):
        await client.delete(type(from_dict(namespace)), name)
        return False
    for each in reversed(objects[1:]):
        await remove(client, each)
    bare = {**namespace, "metadata": {"name": name}}
    await client.apply(from_dict(bare), force=True)
    return True


async def remove_pool(client: AsyncClient, namespace: str) -> None:
    """Remove the warm pool of a team, if there is one. Its agents end what they have."""
    try:
        await client.get(Deployment, POOL, namespace=namespace)
        await client.delete(Deployment, POOL, namespace=namespace)
    except ApiError as error:
        if error.status.code != MISSING:
            raise


async def remove(client: AsyncClient, each: Object) -> None:
    meta = each["metadata"]
    if await read(client, each) is not None:
        kind: Any = type(from_dict(each))
        await client.delete(kind, meta["name"], namespace=meta["namespace"])
