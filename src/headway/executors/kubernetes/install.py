"""The objects of an install in a cluster, as data: its components, their rights, and the namespaces of its teams. Pure.

Each component is a Deployment of its own (``components``), before a database that is given, or one of its own
(``postgres``), and on a volume that all of them share. Only schedulers have rights: pods in the namespaces of teams,
and to ask whose token a pod shows. Nobody makes namespaces or roles.
"""

from typing import Any, Final

import msgspec

from headway.core.cluster import ClusterSettings
from headway.executors.kubernetes.names import namespace_of
from headway.executors.kubernetes.objects import Object, dns, in_namespace, of_team
from headway.executors.kubernetes.rights import RBAC
from headway.executors.kubernetes.settings import Settings

NAME: Final = "headway"
API_PORT: Final = 8080
PODS_PORT: Final = 7077  # of schedulers: where pods of tasks connect
AGENTS_PORT: Final = 7078  # and agents
HEALTH_PORT: Final = 8081
CONFIG: Final = "/etc/headway"
CERTIFICATE: Final = "/etc/headway-gateway"
COMPONENTS: Final = ("api", "scheduler", "loader")  # each with an account
REPLICATED: Final = ("api", "scheduler")
AMOUNTS: Final = ("resources", "sidecar_resources")
RULES: Final = ("policy", "spot")  # as they are given: the executor reads them
# Settings that are always told: their values have usual ones in the chart.
TOLD: Final = (
    *("queues", "pods", "pending_deadline_s", "pending_requeues", "drain_s", "run_as_user"),
)
# They are in the objects of teams, which nobody but the install makes here.
OF_OBJECTS: Final = ("egress", "api_servers")


class Install(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """``image`` has Headway with the extra ``kubernetes``, and DAG files in ``/dags`` unless ``dags_claim`` has them.

    Secrets that must exist: ``database_secret`` with ``url`` (and ``api-url``, if the API has a login of its own),
    ``gateway_secret`` with ``tls.crt``, ``tls.key`` and ``ca.crt``; in the namespace of each team with agents
    ``agent_secret`` with ``token`` and ``ca.crt``. ``keys_secret`` may have ``keys``, the master keys.

    ``policy`` to ``pod_mutation`` are settings of the executor, which says what they mean (``settings``).
    """

    image: str
    trusted_proxies: str | None = (
        None  # addresses of the ingress: whose word on a client's address counts
    )
    namespace: str = NAME
    teams: tuple[str, ...] = ("default",)
    host: str | None = None  # under which people reach it; none: by port-forward
    ingress_class: str | None = None
    ingress_secret: str = "headway-ingress"
    database_secret: str = "headway-database"
    gateway_secret: str = "headway-gateway"
    keys_secret: str = "headway-keys"
    agent_secret: str = "headway-agent"
    sign_in_secret: str | None = None  # has sign-in.toml (docs/sign-in.md)
    log_store: str | None = None  # s3://bucket/prefix
    log_store_secret: str = "headway-log-store"  # its variables
    backup_store: str | None = (
        None  # s3://bucket/prefix; makes a backup each night and a drill each week
    )
    backup_store_secret: str = "headway-backup-store"  # its variables
    backups: int = 14  # that are kept
    database_instances: int = 0  # of a PostgreSQL of its own (``postgres``); 0: it is given
    database_storage: str = "20Gi"
    wal_store: str | None = None  # s3://bucket/prefix, of that PostgreSQL
    wal_store_secret: str = "headway-wal-store"  # its variables
    wal_endpoint: str | None = None  # https://HOST of an S3 that is not Amazon's
    listen_address: str | None = None  # HOST:PORT of the database, if its URL leads to a pooler
    webhook_networks: str | None = None  # not public, and reached by outbound webhooks
    keytab_secret: str | None = None  # of each team, with the keytab of its tickets
    api: int = 2
    schedulers: int = 2
    agents: int = 1  # of each team; 0: tasks run in pods only
    agent_slots: int = 8
    agent_queues: tuple[str, ...] = ("default",)  # whose tasks they run
    slots: int = 32
    canary_seconds: int = 300  # between two proofs that runs get to success; 0: none
    dags_claim: str | None = None
    storage: str = "20Gi"
    storage_class: str | None = None
    metrics_secret: str | None = None  # has token, of a viewer; makes a ServiceMonitor
    policy: dict[str, Any] | None = None
    spot: dict[str, Any] | None = None
    resources: dict[str, str] | None = None  # of tasks that name none
    sidecar_resources: dict[str, str] | None = None  # of the agent beside a container
    queues: tuple[str, ...] = ("default",)
    pods: int = 100  # of one team at once
    pending_deadline_seconds: int = 900
    pending_requeues: int = 2
    drain_seconds: int = 600
    run_as_user: int = 1000
    pod_mutation: str | None = None
    # Where tasks of all teams may connect to, as rules of network policies: pods of tasks and agents.
    egress: tuple[Any, ...] = ()
    api_servers: tuple[str, ...] = ()  # NETWORK:PORT
    api_rate: int = 100  # requests a second of one person or token
    retention_days: int = 90
    log_days: int | None = None
    log_local_days: int | None = None
    audit_days: int | None = None

    @property
    def gateway(self) -> str:
        """The name by which pods and agents reach a scheduler."""
        return f"{NAME}-gateway.{self.namespace}.svc"

    @property
    def settings(self) -> Settings:
        """The settings of its executor."""
        return Settings(
            image=self.image,
            listen=f"tls:0.0.0.0:{PODS_PORT}",
            connect=f"tls:{self.gateway}:{PODS_PORT}",
            certificate=f"{CERTIFICATE}/tls.crt",
            key=f"{CERTIFICATE}/tls.key",
            ca=f"{CERTIFICATE}/ca.crt",
            install=self.namespace,
            namespaces=f"{self.namespace}-{{team}}",
            identity=f"{self.namespace}/{NAME}-scheduler",
            manage_teams=False,
            egress=self.egress,
            api_servers=self.api_servers,
            queues=self.queues,
            pods=self.pods,
            pending_deadline_s=self.pending_deadline_seconds,
            pending_requeues=self.pending_requeues,
            drain_s=self.drain_seconds,
            run_as_user=self.run_as_user,
            pod_mutation=self.pod_mutation,
            **{name: given for name in AMOUNTS if (given := getattr(self, name))},
        )

    @property
    def told(self) -> dict[str, Any]:
        """The settings as schedulers read them: what differs from the usual, and what is a value of the chart."""
        given = msgspec.to_builtins(self.settings)
        usual = msgspec.to_builtins(Settings(image="", listen="", connect=""))
        found = {name: v for name, v in given.items() if v != usual[name] or name in TOLD}
        found |= {name: v for name in RULES if (v := getattr(self, name))}
        return {name: v for name, v in found.items() if name not in OF_OBJECTS}


def objects_of(install: Install) -> list[Object]:
    """Return all objects, in the order in which they are applied."""
    from headway.executors.kubernetes import postgres
    from headway.executors.kubernetes.components import agents, cron_jobs, deployments

    ours = [
        *(account(name) for name in COMPONENTS),
        config(install),
        claim(install),
        service("api", "api", [API_PORT]),
        service("gateway", "scheduler", [PODS_PORT, AGENTS_PORT]),
        *(budget(name) for name in REPLICATED),
        *network_policies(install),
        *postgres.objects(install),
        *deployments(install),
        *cron_jobs(install),
        *([] if install.host is None else [ingress(install, install.host)]),
        *([] if install.metrics_secret is None else [monitor(install.metrics_secret)]),
    ]
    for each in ours:
        each["metadata"]["namespace"] = install.namespace
        each["metadata"].setdefault("labels", {"app.kubernetes.io/name": NAME})
    teams = [each for team in install.teams for each in objects_of_team(install, team)]
    return [namespace(install), *token_review(install), *ours, *teams, *agents(install)]


def objects_of_team(install: Install, team: str) -> list[Object]:
    return of_team(install.settings, team, ClusterSettings(keytab_secret=install.keytab_secret))


def selector(component: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": component}


def namespace(install: Install) -> Object:
    modes = ("enforce", "audit", "warn")
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    meta = {"name": install.namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def token_review(install: Install) -> list[Object]:
    """Return the only right outside of the namespaces of teams: to ask whose token a pod shows."""
    name = f"{install.namespace}-token-review"
    rule = {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"]}
    subject = {
        "kind": "ServiceAccount",
        "name": f"{NAME}-scheduler",
        "namespace": install.namespace,
    }
    return [
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [{**rule, "verbs": ["create"]}],
        },
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "subjects": [subject],
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
        },
    ]


def account(component: str) -> Object:
    meta = {"name": f"{NAME}-{component}"}
    found = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    # What neither asks the cluster nor creates pods has no token.
    return found if component == "scheduler" else {**found, "automountServiceAccountToken": False}


def config(install: Install) -> Object:
    lines = [setting(name, value) for name, value in install.told.items()]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME},
        "data": {"kubernetes.yaml": "".join(lines)},
    }


def setting(name: str, value: Any) -> str:
    """Return one line of YAML. What is more than a text or a number is JSON, as the chart writes it."""
    if isinstance(value, dict | list | tuple):
        return f"{name}: {msgspec.json.encode(value, order='sorted').decode()}\n"
    return msgspec.yaml.encode({name: value}).decode()


def claim(install: Install) -> Object:
    spec: Object = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": install.storage}},
    }
    if install.storage_class is not None:
        spec["storageClassName"] = install.storage_class
    meta = {"name": f"{NAME}-data"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def service(name: str, component: str, ports: list[int]) -> Object:
    listed = [{"name": f"port-{port}", "port": port, "targetPort": port} for port in ports]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{NAME}-{name}", "labels": selector(component)},
        "spec": {"selector": selector(component), "ports": listed},
    }


def budget(component: str) -> Object:
    """Let a drain of nodes take one at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": f"{NAME}-{component}"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(component)}},
    }


def network_policies(install: Install) -> list[Object]:
    """Return who may connect: anybody to the API, which asks who it is; pods of teams to schedulers."""
    spaces = [in_namespace(namespace_of(install.settings, team)) for team in install.teams]
    gateway = [{"port": port, "protocol": "TCP"} for port in (PODS_PORT, AGENTS_PORT)]
    return [
        policy("api", [{"ports": [{"port": API_PORT, "protocol": "TCP"}]}]),
        policy("scheduler", [{"from": spaces, "ports": gateway}]),
        policy("loader", []),
        policy("shipper", []),
        *([] if install.backup_store is None else [policy("backup", [])]),
    ]


def policy(component: str, ingress: list[Object]) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{NAME}-{component}"},
        "spec": {
            "podSelector": {"matchLabels": selector(component)},
            "policyTypes": ["Ingress"],
            "ingress": ingress,
        },
    }


def agents_policy(install: Install, server: Object) -> Object:
    """Return where agents may connect: to the names of the cluster, to ``server``, and where tasks may. Nobody
    connects to them.
    """
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{NAME}-agent"},
        "spec": {
            "podSelector": {"matchLabels": selector("agent")},
            "policyTypes": ["Ingress", "Egress"],
            "egress": [dns(), server, *install.egress],
        },
    }


def to_schedulers(install: Install) -> Object:
    """Return the rule that lets agents of the same cluster reach schedulers."""
    port = {"port": AGENTS_PORT, "protocol": "TCP"}
    return {"to": [in_namespace(install.namespace)], "ports": [port]}


def monitor(secret: str) -> Object:
    """Return what tells the operator of Prometheus where metrics are, and with which token they are read."""
    credentials = {"name": secret, "key": "token"}
    endpoint = {
        "port": f"port-{API_PORT}",
        "path": "/api/v1/metrics",
        "authorization": {"credentials": credentials},
    }
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": f"{NAME}-api"},
        "spec": {"selector": {"matchLabels": selector("api")}, "endpoints": [endpoint]},
    }


def ingress(install: Install, host: str) -> Object:
    backend = {"service": {"name": f"{NAME}-api", "port": {"number": API_PORT}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec: Object = {
        "tls": [{"hosts": [host], "secretName": install.ingress_secret}],
        "rules": [{"host": host, "http": {"paths": [path]}}],
    }
    if install.ingress_class is not None:
        spec["ingressClassName"] = install.ingress_class
    meta = {"name": NAME}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": meta,
        "spec": spec,
    }
