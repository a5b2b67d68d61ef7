"""docs/isolation.md: what a task in a pod reaches, by the pod as the API server has it and the objects around it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from psycopg import Connection

from headway.agent.pod import variable
from headway.agent.tickets import VARIABLE as KERBEROS
from headway.executors.kubernetes.settings import AUDIENCE
from tests.executors.test_conformance import Bench, key
from tests.kubernetes.fake.kinds import (
    ACCOUNT,
    BINDING,
    LIMITS,
    NAMESPACE,
    POD,
    POLICY,
    QUOTA,
    ROLE,
)
from tests.kubernetes.fake.store import Object, Store
from tests.kubernetes.test_executor import bench, wait, workers
from tests.kubernetes.test_namespaces import Engine, is_ready, settings_for
from tests.kubernetes.test_refused_pods import refusals
from tests.kubernetes.workers import KubernetesWorkers, PodClient
from tests.scenarios.world import states as states_of
from tests.scenarios.world import trigger, value

pytestmark = pytest.mark.long

__all__ = ["bench", "workers"]

HOME: Final = "first-default"
TASKS: Final = "headway-task"
SCHEDULER: Final = ("headway", "headway-scheduler")
CLUSTER: Final = {
    "cpu": "64",
    "memory": "256Gi",
    "pods": 7,
    "pull_secrets": ["registry"],
    "egress": ["10.1.0.0/16:5432"],
    "annotations": {"eks.amazonaws.com/role-arn": "arn:x"},
}


@dataclass
class Place:
    """A pod as it was stored, in the namespace that the executor made for its team."""

    pod: Object
    store: Store
    run_id: str

    @property
    def spec(self) -> Any:
        return self.pod["spec"]

    @property
    def container(self) -> Any:
        (found,) = self.spec["containers"]
        return found

    def every(self, kind: Any) -> list[Object]:
        return self.store.every(kind, HOME)[0]


@pytest.fixture
def place(
    conn: Connection[Any],
    owner_conn: Connection[Any],
    dsn: str,
    bench: Bench,
    workers: KubernetesWorkers,
    tmp_path: Path,
) -> Place:
    owner_conn.execute(
        "UPDATE team SET cluster = %s::jsonb", [msgspec.json.encode(CLUSTER).decode()]
    )
    settings = settings_for(
        workers.server,
        tmp_path,
        install="first",
        namespaces="first-{team}",
        listen=f"unix:{tmp_path}/namespaces.sock",
    )
    engine = Engine(dsn, settings, "namespaces")
    try:
        engine.until(lambda: is_ready(conn))
    finally:
        engine.close()
    run_id = wait(conn, bench, executor="first", image="jobs:2", resources={"memory": "2Gi"})
    (pod,) = workers.pods()
    return Place(pod, workers.server.store, run_id)


def test_files_and_processes_of_others(place: Place) -> None:
    """Its volumes are empty and its own, but for its token; it shares nothing with the node or another container."""
    kinds = {each["name"]: set(each) - {"name"} for each in place.spec["volumes"]}
    assert kinds == {
        "headway-data": {"emptyDir"}, "headway-scratch": {"emptyDir"},
        "headway-tmp": {"emptyDir"}, "headway-token": {"projected"},
    }  # fmt: skip
    mounts = {each["name"]: each for each in place.container["volumeMounts"]}
    assert mounts.keys() == kinds.keys()
    assert mounts["headway-token"]["readOnly"] is True
    assert place.container["securityContext"]["readOnlyRootFilesystem"] is True
    shared = {
        "hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostAliases", "nodeName", "initContainers",
        "ephemeralContainers", "priorityClassName", "runtimeClassName", "resourceClaims",
    }  # fmt: skip
    assert not shared & place.spec.keys()


def test_rights_of_root_and_of_the_node(place: Place) -> None:
    """The pod is restricted, and the namespace admits no other."""
    pod, container = place.spec["securityContext"], place.container["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"] > 0) == (True, True)
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"ports", "lifecycle", "volumeDevices", "stdin"} & place.container.keys()
    labels = place.store.get(NAMESPACE, "", HOME)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_secrets_in_its_environment_and_arguments(conn: Connection[Any], place: Place) -> None:
    """It is told who it is, where the scheduler is and whom to trust: no value is a secret, or read from one."""
    env = {each["name"]: each for each in place.container["env"]}
    told = {"connect", "ca", "data", "scratch", "attempt", "name", "token_file", "uid"}
    assert env.keys() == {variable(each) for each in told}
    assert env[variable("uid")]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.uid"}}
    assert [name for name, each in env.items() if "valueFrom" in each] == [variable("uid")]
    assert not {"envFrom", "args"} & place.container.keys()
    assert place.container["command"] == ["python", "-m", "headway.agent.pod"]
    assert place.spec["enableServiceLinks"] is False
    assert value(conn, "SELECT token FROM attempt") not in msgspec.json.encode(place.pod).decode()


def test_kerberos_tickets(place: Place) -> None:
    """No cache, and no keytab: its volumes are empty when it begins, but for its own token and what is public."""
    assert KERBEROS not in {each["name"] for each in place.container["env"]}
    kinds = {kind for each in place.spec["volumes"] for kind in each if kind != "name"}
    assert kinds <= {"emptyDir", "projected", "configMap"}


def test_the_kubernetes_api(place: Place, workers: KubernetesWorkers) -> None:
    """The only token in it is for the scheduler. With another one, its service account may read pods and their logs."""
    assert place.spec["serviceAccountName"] == TASKS
    assert place.spec["automountServiceAccountToken"] is False
    account = place.store.get(ACCOUNT, HOME, TASKS)
    assert account["automountServiceAccountToken"] is False
    sources = [s for v in place.spec["volumes"] for s in v.get("projected", {}).get("sources", ())]
    (token,) = sources
    assert set(token) == {"serviceAccountToken"}
    assert token["serviceAccountToken"]["audience"] == AUDIENCE
    meta, tokens = place.pod["metadata"], workers.server.tokens
    given = tokens.issue(HOME, TASKS, (AUDIENCE,), meta["name"], meta["uid"])
    assert not tokens.review({"spec": {"token": given}})["status"]["authenticated"]
    resources = ("pods", "pods/log", "pods/exec", "secrets", "serviceaccounts/token", "configmaps")
    allowed = [(v, r) for v in VERBS for r in resources if may(place, (HOME, TASKS), v, r)]
    assert allowed == [("get", "pods"), ("get", "pods/log")]


def test_what_the_scheduler_may_do_beside_it(place: Place) -> None:
    """Look after pods and the warm pool: it reads no secret of the team, and runs no command in its pods."""
    pods = {verb for verb in VERBS if may(place, SCHEDULER, verb, "pods")}
    assert pods == {"get", "list", "watch", "create", "patch", "delete"}
    pools = {verb for verb in VERBS if may(place, SCHEDULER, verb, "deployments")}
    assert pools == {"get", "create", "patch", "delete"}
    others = ("secrets", "pods/exec", "pods/log", "pods/attach", "serviceaccounts/token", "roles")
    assert [(v, r) for v in VERBS for r in others if may(place, SCHEDULER, v, r)] == []
    assert [each["kind"] for each in place.every(BINDING)] == ["RoleBinding", "RoleBinding"]


VERBS: Final = (
    "get",
    "list",
    "watch",
    "create",
    "delete",
    "update",
    "patch",
    "impersonate",
    "bind",
)


def may(place: Place, who: tuple[str, str], verb: str, resource: str) -> bool:
    """Return what the roles of the namespace allow a service account, as a cluster reads them."""
    roles = {each["metadata"]["name"]: each["rules"] for each in place.every(ROLE)}
    return any(
        (subject["namespace"], subject["name"]) == who
        and {verb, "*"} & set(rule["verbs"])
        and {resource, "*"} & set(rule["resources"])
        for binding in place.every(BINDING)
        for subject in binding["subjects"]
        for rule in roles[binding["roleRef"]["name"]]
    )


def test_what_its_team_may_not_use(place: Place) -> None:
    """All that it takes is bounded, and counted against the quota of the team."""
    (quota,) = place.every(QUOTA)
    hard = quota["spec"]["hard"]
    assert hard == {
        "pods": "7", "requests.cpu": "64", "limits.cpu": "64", "requests.memory": "256Gi", "limits.memory": "256Gi",
    }  # fmt: skip
    resources = place.container["resources"]
    assert resources["requests"] == resources["limits"] == {"cpu": "500m", "memory": "2Gi"}
    (limits,) = place.every(LIMITS)
    (usual,) = limits["spec"]["limits"]  # of a container that somebody else puts beside it
    assert usual["type"] == "Container"
    assert usual["default"].keys() == usual["defaultRequest"].keys() == {"cpu", "memory"}


# -- the network, as a cluster that enforces policies reads them


@dataclass(frozen=True)
class Peer:
    port: int
    namespace: str = ""
    address: str = "10.99.0.1"
    protocol: str = "TCP"


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels"}
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def matches(rule: Mapping[str, Any], side: str, peer: Peer) -> bool:
    ports = rule.get("ports")
    if ports is not None and {"port": peer.port, "protocol": peer.protocol} not in ports:
        return False
    return side not in rule or any(is_peer(each, peer) for each in rule[side])


def is_peer(given: Mapping[str, Any], peer: Peer) -> bool:
    assert given.keys() in ({"ipBlock"}, {"namespaceSelector"})
    if "ipBlock" in given:
        block = ipaddress.ip_network(given["ipBlock"]["cidr"])
        return not peer.namespace and ipaddress.ip_address(peer.address) in block
    labels = {"kubernetes.io/metadata.name": peer.namespace}
    return bool(peer.namespace) and selects(given["namespaceSelector"], labels)


def passes(place: Place, direction: str, peer: Peer) -> bool:
    """Return whether a connection is allowed: by any rule of those policies that select the pod, if there are any."""
    labels = place.pod["metadata"]["labels"]
    side = {"Ingress": "from", "Egress": "to"}[direction]
    concerned = [
        each["spec"]
        for each in place.every(POLICY)
        if selects(each["spec"]["podSelector"], labels) and direction in each["spec"]["policyTypes"]
    ]
    rules = [rule for spec in concerned for rule in spec.get(direction.lower(), ())]
    return not concerned or any(matches(rule, side, peer) for rule in rules)


OPEN: Final = {
    "names": Peer(53, "kube-system", protocol="UDP"),
    "names over TCP": Peer(53, "kube-system"),
    "the scheduler's port for agents": Peer(7077, "headway"),
    "what the team's egress allows": Peer(5432, address="10.1.2.3"),
}
CLOSED: Final = {
    "the API of Headway": Peer(8080, "headway"),
    "the database": Peer(5432, "headway"),
    "a database elsewhere": Peer(5432, address="10.2.0.1"),
    "another port where egress leads": Peer(22, address="10.1.2.3"),
    "the Kubernetes API": Peer(443, "default"),
    "the address of the Kubernetes API": Peer(443, address="10.96.0.1"),
    "other services of the system": Peer(443, "kube-system"),
    "pods of another team": Peer(8080, "first-other"),
    "another pod of its team": Peer(8080, HOME),
    "the metadata of the cloud": Peer(80, address="169.254.169.254"),
    "the metadata of the cloud by IPv6": Peer(80, address="fd00:ec2::254"),
    "the kubelet": Peer(10250, address="192.168.0.7"),
    "the internet": Peer(443, address="93.184.216.34"),
}


def test_the_network(place: Place) -> None:
    assert [name for name, peer in OPEN.items() if not passes(place, "Egress", peer)] == []
    assert [name for name, peer in CLOSED.items() if passes(place, "Egress", peer)] == []
    everyone = {**OPEN, **CLOSED}
    assert [name for name, peer in everyone.items() if passes(place, "Ingress", peer)] == []


# -- who it is


def elsewhere(workers: KubernetesWorkers, name: str) -> Object:
    """A pod of the same name in the namespace of another team."""
    store, first = workers.server.store, workers.pods()[0]
    store.create(NAMESPACE, {"metadata": {"name": "first-other"}})
    store.create(ACCOUNT, {"metadata": {"name": TASKS, "namespace": "first-other"}})
    return store.create(
        POD, {"metadata": {"name": name, "namespace": "first-other"}, "spec": first["spec"]}
    )


def test_attempts_of_others(
    conn: Connection[Any],
    owner_conn: Connection[Any],
    bench: Bench,
    place: Place,
    workers: KubernetesWorkers,
) -> None:
    """Its token proves its own UID: nobody gets another's attempt by it, and nobody else gets the pod's by theirs."""
    (other,) = trigger(conn)
    bench.turn()
    first, second = sorted(
        workers.pods(), key=lambda pod: pod["metadata"]["labels"]["headway.dev/run"] != place.run_id
    )
    issue = workers.server.tokens.issue
    ours, theirs = first["metadata"], second["metadata"]
    genuine = issue(HOME, TASKS, (AUDIENCE,), ours["name"], ours["uid"])
    twin = elsewhere(workers, ours["name"])
    tries = [
        (second, genuine),  # the attempt of the other pod, by our own token
        ({**second, "metadata": {**theirs, "uid": ours["uid"]}}, genuine),  # and as ourselves
        (
            {**first, "metadata": {**ours, "uid": theirs["uid"]}},
            genuine,
        ),  # our own as the other pod
        (first, issue(HOME, TASKS, (AUDIENCE,), theirs["name"], theirs["uid"])),
        (twin, issue("first-other", TASKS, (AUDIENCE,), ours["name"], twin["metadata"]["uid"])),
        (first, issue(HOME, TASKS, (AUDIENCE,), ours["name"], "the-pod-before-it")),
    ]
    for number, (pod, token) in enumerate(tries):
        client = PodClient(workers.path, pod, token)
        workers.clients[str(number)] = client
        client.connect()
    workers.settle()
    assert [client.is_refused for client in workers.clients.values()] == [True] * len(tries)
    # One entry of those in its namespace, and one of those of whom no team is known, for the first team.
    assert refusals(owner_conn) == [(1, "the pod is not that of its attempt")] * 2
    assert workers.started == []
    assert [states_of(conn, each) for each in (place.run_id, other)] == [{"a": "queued"}] * 2
    workers.clients.clear()

    client = PodClient(workers.path, first, genuine)  # it gets its own
    workers.clients[ours["uid"]] = client
    client.connect()
    workers.settle()
    assert workers.started == [key(place.run_id)]
