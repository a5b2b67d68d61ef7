"""The objects of an install in a cluster, as data: the server, its rights, and the namespaces of its teams. Pure.

One server: API, scheduler and loader in one pod with a volume of its own, before a database that is given. It imports
the DAG files of its teams as its own user, so it gets no more rights than it needs for pods in their namespaces: it
makes neither namespaces nor roles.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from headway.core.cluster import DEFAULTS, OBJECT
from headway.core.quantities import amount
from headway.core.teams import name_trouble
from headway.executors.kubernetes.names import namespace_of, slug
from headway.executors.kubernetes.objects import RBAC, Object, in_namespace, of_team
from headway.executors.kubernetes.settings import Settings
from headway.spec.validate import IMAGE

NAME: Final = "headway"
API_PORT: Final = 8080
GATEWAY_PORT: Final = 7077
CONFIG: Final = "/etc/headway"
CERTIFICATE: Final = "/etc/headway-gateway"
DATA: Final = "/data"
UID: Final = 1000
SPACE_MAX: Final = 40  # characters: names of teams' namespaces begin with it
SELECTOR: Final = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/component": "server"}


class Install(msgspec.Struct, frozen=True, kw_only=True):
    """``image`` has Headway with the extra ``kubernetes``, and DAG files in ``/dags`` unless ``dags_claim`` has them.

    Secrets that must exist: ``database_secret`` with ``url``, ``gateway_secret`` with ``tls.crt``, ``tls.key`` and
    ``ca.crt``.
    """

    image: str
    namespace: str = NAME
    teams: tuple[str, ...] = ("default",)
    host: str | None = None  # under which people reach it; none: by port-forward
    ingress_class: str | None = None
    ingress_secret: str = "headway-ingress"
    database_secret: str = "headway-database"
    gateway_secret: str = "headway-gateway"
    dags_claim: str | None = None
    storage: str = "20Gi"
    storage_class: str | None = None

    @property
    def settings(self) -> Settings:
        """The settings of its executor."""
        return Settings(
            image=self.image,
            listen=f"tls:0.0.0.0:{GATEWAY_PORT}",
            connect=f"tls:{NAME}-gateway.{self.namespace}.svc:{GATEWAY_PORT}",
            certificate=f"{CERTIFICATE}/tls.crt",
            key=f"{CERTIFICATE}/tls.key",
            ca=f"{CERTIFICATE}/ca.crt",
            install=self.namespace,
            namespaces=f"{self.namespace}-{{team}}",
            identity=f"{self.namespace}/{NAME}-server",
            manage_teams=False,
        )


def trouble(install: Install) -> str | None:
    """Return which setting cannot be used and why, or None."""
    if not IMAGE.fullmatch(install.image):
        return f"{install.image[:100]!a} is not the name of an image"
    if slug(install.namespace) != install.namespace or not 1 <= len(install.namespace) <= SPACE_MAX:
        return (
            f"{install.namespace[:100]!a} cannot be the namespace: "
            f"it has 1 to {SPACE_MAX} small letters, digits and hyphens"
        )
    for team in install.teams:
        if (why := name_trouble(team)) is not None:
            return why
    for what in ("host", "ingress_class", "dags_claim", "storage_class"):
        given = getattr(install, what)
        if given is not None and not OBJECT.fullmatch(given):
            return f"{what.replace('_', '-')} cannot be {given[:100]!a}: small letters, digits, dots and hyphens"
    if not amount(install.storage):
        return f"storage is {install.storage[:100]!a}, it must be an amount above 0, such as 20Gi"
    return None


def objects_of(install: Install) -> list[Object]:
    """Return all objects, in the order in which they are applied."""
    ours = [
        account(),
        config(install),
        claim(install),
        deployment(install),
        service(f"{NAME}-api", API_PORT),
        service(f"{NAME}-gateway", GATEWAY_PORT),
        network_policy(install),
        *([] if install.host is None else [ingress(install, install.host)]),
    ]
    for each in ours:
        each["metadata"] |= {"namespace": install.namespace, "labels": SELECTOR}
    teams = [each for team in install.teams for each in of_team(install.settings, team, DEFAULTS)]
    return [namespace(install), *token_review(install), *ours, *teams]


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
        "name": f"{NAME}-server",
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


def account() -> Object:
    meta = {"name": f"{NAME}-server"}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}


def config(install: Install) -> Object:
    given = msgspec.to_builtins(install.settings)
    usual = msgspec.to_builtins(Settings(image="", listen="", connect=""))
    text = msgspec.yaml.encode({k: v for k, v in given.items() if v != usual[k]}).decode()
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME},
        "data": {"kubernetes.yaml": text},
    }


def claim(install: Install) -> Object:
    spec: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": install.storage}},
    }
    if install.storage_class is not None:
        spec["storageClassName"] = install.storage_class
    meta = {"name": f"{NAME}-data"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def deployment(install: Install) -> Object:
    """Return the server. The old one ends before the new one starts: both have the volume."""
    pod = {
        "metadata": {"labels": SELECTOR},
        "spec": {
            "serviceAccountName": f"{NAME}-server",
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 60,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": UID,
                "fsGroup": UID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container(install)],
            "volumes": [dict(volume) for volume, _ in volumes(install)],
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{NAME}-server"},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": SELECTOR},
            "template": pod,
        },
    }


def container(install: Install) -> Object:
    url = {"secretKeyRef": {"name": install.database_secret, "key": "url"}}
    told = {
        "HEADWAY_DATA": DATA,
        "HEADWAY_DAGS": "/dags",
        "HEADWAY_KUBERNETES": f"{CONFIG}/kubernetes.yaml",
        "HOME": "/tmp",
    }
    if install.host is not None:
        told["HEADWAY_PUBLIC_URL"] = f"https://{install.host}"
    env: list[Object] = [{"name": name, "value": value} for name, value in told.items()]
    return {
        "name": "server",
        "image": install.image,
        "command": ["headway", "up", "--host", "0.0.0.0", "--port", str(API_PORT)],
        "env": [*env, {"name": "HEADWAY_DATABASE_URL", "valueFrom": url}],
        "ports": [
            {"name": "api", "containerPort": API_PORT},
            {"name": "gateway", "containerPort": GATEWAY_PORT},
        ],
        "startupProbe": probe("/readyz", period_s=5, failures=60),
        "livenessProbe": probe("/healthz", period_s=10, failures=6),
        "readinessProbe": probe("/readyz", period_s=5, failures=3),
        "resources": {
            "requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "100Mi"},
            "limits": {"memory": "4Gi", "ephemeral-storage": "1Gi"},
        },
        "volumeMounts": [mount for _, mount in volumes(install)],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def probe(path: str, *, period_s: int, failures: int) -> Object:
    get = {"path": path, "port": API_PORT}
    return {"httpGet": get, "periodSeconds": period_s, "failureThreshold": failures}


def volumes(install: Install) -> Sequence[tuple[Object, Object]]:
    """Return each volume of the server with its place."""
    secret = {"secretName": install.gateway_secret, "defaultMode": 0o440}
    found: list[tuple[Object, Object]] = [
        place("data", DATA, persistentVolumeClaim={"claimName": f"{NAME}-data"}),
        place("config", CONFIG, read_only=True, configMap={"name": NAME}),
        place("gateway", CERTIFICATE, read_only=True, secret=secret),
        place("tmp", "/tmp", emptyDir={}),
    ]
    if install.dags_claim is not None:
        source = {"claimName": install.dags_claim, "readOnly": True}
        found.append(place("dags", "/dags", read_only=True, persistentVolumeClaim=source))
    return found


def place(name: str, path: str, *, read_only: bool = False, **source: Any) -> tuple[Object, Object]:
    mount: Object = {"name": name, "mountPath": path}
    return {"name": name, **source}, {**mount, "readOnly": True} if read_only else mount


def service(name: str, port: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": SELECTOR, "ports": [{"port": port, "targetPort": port}]},
    }


def network_policy(install: Install) -> Object:
    """Return who may connect: anybody to the API, which asks who it is, and tasks of its teams to the gateway."""
    spaces = [in_namespace(namespace_of(install.settings, team)) for team in install.teams]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{NAME}-server"},
        "spec": {
            "podSelector": {"matchLabels": SELECTOR},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"ports": [{"port": API_PORT, "protocol": "TCP"}]},
                {"from": spaces, "ports": [{"port": GATEWAY_PORT, "protocol": "TCP"}]},
            ],
        },
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
