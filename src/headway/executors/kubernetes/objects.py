"""The objects of a team in the cluster, as data, from its settings. Pure.

They say who may do what in its namespace: pods are restricted, use no more than the quota, talk to nobody but who is
named, and the scheduler looks after pods and nothing else. Defaults of the API server are written out, so that
what it returns can be compared.
"""

import ipaddress
from collections.abc import Sequence
from hashlib import blake2s
from typing import Any, Final

import msgspec

from headway.core.cluster import TICKETS, ClusterSettings, peer
from headway.core.quantities import amount, text_like
from headway.executors.kubernetes.names import (
    COMPONENT,
    CONTAINER_TASK,
    INSTALL,
    LABEL,
    namespace_of,
    value,
)
from headway.executors.kubernetes.rights import role_of
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.tickets import ASKS, renewer

Object = dict[str, Any]

APPLIED: Final = f"{LABEL}applied"  # the digest of all that was applied together
CREATED: Final = f"{LABEL}created"  # the namespace did not exist before
TEAM: Final = f"{LABEL}team"
# Of these ``patch`` marks the agents of a warm pool that go first.
PODS_VERBS: Final = ("get", "list", "watch", "create", "patch", "delete")
POOL_VERBS: Final = ("get", "create", "patch", "delete")
DNS_PORT: Final = 53


def of_team(settings: Settings, team: str, cluster: ClusterSettings) -> list[Object]:
    """Return all objects of a team, in the order in which they are applied. Each carries the digest of all."""
    namespace = namespace_of(settings, team)
    found = [
        namespace_object(namespace),
        service_account(settings, cluster),
        quota(settings, cluster),
        limit_range(settings),
        *access(settings, cluster),
        *access_of_tasks(settings),
        *network_policies(settings, cluster),
        *keeper(settings, cluster, namespace),
    ]
    labels = {
        "app.kubernetes.io/managed-by": "headway",
        INSTALL: value(settings.install),
        TEAM: value(team),
    }
    for each in found:
        meta = each["metadata"]
        for subject in each.get("subjects", ()):
            subject["namespace"] = subject["namespace"] or namespace
        meta["labels"] = {**meta.get("labels", {}), **labels}
        if each["kind"] != "Namespace":
            meta["namespace"] = namespace
    mark = digest(found)
    for each in found:
        meta = each["metadata"]
        meta["annotations"] = {**meta.get("annotations", {}), APPLIED: mark}
    return found


def digest(objects: list[Object]) -> str:
    text = msgspec.json.encode(objects, order="sorted")
    return blake2s(text, digest_size=8).hexdigest()


def applied(objects: Sequence[Object]) -> str:
    """Return the digest that the objects of a team carry."""
    return str(objects[0]["metadata"]["annotations"][APPLIED])


def namespace_object(name: str) -> Object:
    modes = ("enforce", "audit", "warn")
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": security}}


def service_account(settings: Settings, cluster: ClusterSettings) -> Object:
    """Tasks have no rights in the cluster; cloud roles come by the annotations of the team."""
    found: Object = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": settings.service_account,
            "annotations": dict(cluster.annotations),
        },
        "automountServiceAccountToken": False,
    }
    if cluster.pull_secrets:
        found["imagePullSecrets"] = [{"name": name} for name in cluster.pull_secrets]
    return found


def quota(settings: Settings, cluster: ClusterSettings) -> Object:
    """Return the quota. What the renewer of tickets asks for is added to what the team may use."""
    has_keeper = cluster.keytab_secret is not None
    hard = {"pods": str((cluster.pods or settings.pods) + has_keeper)}
    for name in ("cpu", "memory"):
        if (most := getattr(cluster, name)) is not None:
            most = added(most, ASKS[name]) if has_keeper else most
            hard |= {f"requests.{name}": most, f"limits.{name}": most}
    if cluster.gpu is not None:
        hard["requests.nvidia.com/gpu"] = str(cluster.gpu)
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "headway"},
        "spec": {"hard": hard},
    }


def added(text: str, other: str) -> str:
    """Return the sum of two amounts, in the unit of the second."""
    one, two = amount(text), amount(other)
    assert one is not None
    assert two is not None
    return text_like(one + two, other)


def limit_range(settings: Settings) -> Object:
    """Containers of others, such as sidecars, count against the quota too."""
    usual = settings.resources
    limits = [{"type": "Container", "default": usual, "defaultRequest": usual}]
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "headway"},
        "spec": {"limits": limits},
    }


def access(settings: Settings, cluster: ClusterSettings) -> list[Object]:
    """Return what lets schedulers look after pods and the warm pool in this namespace: no exec, and no secret but the
    one with the tickets of the team.
    """
    namespace, _, account = settings.identity.partition("/")
    rules: list[Object] = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": list(PODS_VERBS)},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": list(POOL_VERBS)},
    ]
    if settings.manage_teams and cluster.keytab_secret is not None:
        secrets: Object = {"apiGroups": [""], "resources": ["secrets"]}
        rules += [
            {**secrets, "resourceNames": [TICKETS], "verbs": ["get", "patch", "delete"]},
            {**secrets, "verbs": ["create"]},  # a name that does not exist yet cannot be given here
        ]
    return role_of("headway-executor", rules, account, namespace)


def access_of_tasks(settings: Settings) -> list[Object]:
    """Return what lets the agent beside a container read its pod and the log of that: no list, no secrets, no exec.

    Roles do not tell the pods of a namespace apart, so it may read those of its team, by name.
    """
    rules = [{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get"]}]
    return role_of("headway-task", rules, settings.service_account, "")


def network_policies(settings: Settings, cluster: ClusterSettings) -> list[Object]:
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    tasks = {
        "podSelector": {"matchLabels": {INSTALL: value(settings.install)}},
        "policyTypes": ["Egress"],
        "egress": [dns(), gateway(settings), *settings.egress, *map(rule_of, cluster.egress)],
    }
    found = [("headway-default-deny", deny), ("headway-tasks", tasks)]
    if settings.api_servers:
        mine = {INSTALL: value(settings.install), COMPONENT: CONTAINER_TASK}
        found.append(
            (
                "headway-containers",
                {
                    "podSelector": {"matchLabels": mine},
                    "policyTypes": ["Egress"],
                    "egress": [rule_of(each) for each in settings.api_servers],
                },
            )
        )
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name},
            "spec": spec,
        }
        for name, spec in found
    ]


def keeper(settings: Settings, cluster: ClusterSettings, namespace: str) -> list[Object]:
    """Return what keeps the Kerberos tickets of a team's pods, if it has a keytab."""
    if cluster.keytab_secret is None:
        return []
    others = [*cluster.egress, *settings.api_servers]
    egress = [dns(), *settings.egress, *map(rule_of, others)]
    return renewer(settings, cluster, namespace, egress)


def dns() -> Object:
    ports = [{"port": DNS_PORT, "protocol": protocol} for protocol in ("UDP", "TCP")]
    return {"to": [in_namespace("kube-system")], "ports": ports}


def gateway(settings: Settings) -> Object:
    """The scheduler's, which a pod reaches by its address or by the name of a service."""
    host, _, port = settings.connect.partition(":")[2].rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        to: Object = {"ipBlock": {"cidr": f"{address}/{address.max_prefixlen}"}}
    except ValueError:
        to = in_namespace(settings.identity.partition("/")[0])
    return {"to": [to], "ports": [{"port": int(port), "protocol": "TCP"}]}


def in_namespace(name: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def rule_of(entry: str) -> Object:
    """Return the rule of a valid entry of the team's ``egress``."""
    found = peer(entry)
    assert found is not None, entry
    network, port = found
    rule: Object = {"to": [{"ipBlock": {"cidr": network}}]}
    return rule if port is None else {**rule, "ports": [{"port": port, "protocol": "TCP"}]}
