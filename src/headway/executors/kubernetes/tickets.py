"""Kerberos tickets of a team's pods: the renewer that keeps them, and how pods find them. Pure.

The renewer (``agent.ticket_keeper``) alone has the keytab. It writes tickets and ``krb5.conf`` to a secret that pods of
tasks mount, as a directory, so that the kubelet replaces them in running pods.

Rule 1: no pod of a task has the keytab, whatever its author writes (``refuse_secret``).
Rule 2: a pod begins when there is a ticket: its volume asks for that file by name. One that runs keeps the files that
it has, whatever becomes of the secret.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from headway.agent.ticket_keeper import CACHE, CONFIG, TROUBLE, TROUBLE_CHARS_MAX, UNTIL
from headway.agent.tickets import VARIABLE
from headway.core.cluster import TICKETS, ClusterSettings
from headway.executors.kubernetes.final import Denied, Manifest
from headway.executors.kubernetes.foreign import API, api_access
from headway.executors.kubernetes.manifest import security
from headway.executors.kubernetes.names import COMPONENT
from headway.executors.kubernetes.rights import Object, role_of
from headway.executors.kubernetes.settings import Settings
from headway.spec.carried import shown

FOLDER: Final = "/headway/tickets"  # in pods of tasks
KEYTAB: Final = "/headway/keytab"  # in the renewer's
WORK: Final = "/headway/work"
SYSTEM: Final = "/etc/krb5.conf"
COMMAND: Final = ("python", "-m", "headway.agent.ticket_keeper")
KEEPER: Final = "tickets"  # its component
ASKS: Final = {"cpu": "50m", "memory": "128Mi", "ephemeral-storage": "64Mi"}
ALIVE: Final = """test -n "$(find "$0" -mmin -5)\""""  # looked at the secret within five minutes
CONFIG_VARIABLE: Final = "KRB5_CONFIG"
GRACE_S: Final = 5
REFERENCES: Final = ("secret", "secretRef", "secretKeyRef", "nodePublishSecretRef")


# -- pods of tasks


def mounted(pod: Manifest) -> Manifest:
    """Return Headway's part of a pod with the tickets of its team for the first container."""
    spec = pod["spec"]
    first, *others = spec["containers"]
    env = [{"name": name, "value": value} for name, value in variables().items()]
    mount = {"name": "headway-tickets", "mountPath": FOLDER, "readOnly": True}
    first = {
        **first,
        "env": [*first["env"], *env],
        "volumeMounts": [*first["volumeMounts"], mount],
    }
    volumes = [*spec["volumes"], {"name": "headway-tickets", **source()}]
    return {**pod, "spec": {**spec, "containers": [first, *others], "volumes": volumes}}


def variables() -> dict[str, str]:
    return {VARIABLE: f"FILE:{FOLDER}/{CACHE}", CONFIG_VARIABLE: f"{FOLDER}/{CONFIG}:{SYSTEM}"}


def awaited(pod: Manifest) -> Manifest:
    """Return a pod that begins when there is a ticket, where its author mounts the tickets: for other images."""
    volumes = pod["spec"].get("volumes") or []
    found = [
        {"name": each["name"], **source()}
        if (each.get("secret") or {}).get("secretName") == TICKETS
        else each
        for each in volumes
    ]
    return pod if found == volumes else {**pod, "spec": {**pod["spec"], "volumes": found}}


def source() -> Manifest:
    """Return what the volume has. Only ``krb5.conf`` may be missing: the image may have its own."""
    sources = [
        {"secret": {"name": TICKETS, "items": [{"key": CACHE, "path": CACHE}]}},
        {"secret": {"name": TICKETS, "items": [{"key": CONFIG, "path": CONFIG}], "optional": True}},
    ]
    return {"projected": {"defaultMode": 0o440, "sources": sources}}


def refuse_secret(pod: Manifest, name: str | None) -> None:
    """Raise Denied where the pod of a task refers to the secret that has the keytab of its team."""
    if name is not None and any(each == name for each in secrets_of(pod["spec"])):
        raise Denied(
            f"the secret {name} has the keytab of the team, which only the renewer of its tickets may have; "
            f"tasks find tickets in the cache that {VARIABLE} names"
        )


def secrets_of(node: Any) -> Iterator[str]:
    """Yield the names of the secrets that a part of a pod refers to."""
    if isinstance(node, list):
        for each in node:
            yield from secrets_of(each)
    elif isinstance(node, Mapping):
        for word, inner in node.items():
            if word in REFERENCES and isinstance(inner, Mapping):
                yield from (str(inner[key]) for key in ("name", "secretName") if inner.get(key))
            yield from secrets_of(inner)


# -- the renewer


def renewer(
    settings: Settings, cluster: ClusterSettings, namespace: str, egress: list[Object]
) -> list[Object]:
    """Return its objects. ``egress``: where it may connect to: the API server, and as tasks, which need the KDC, too.

    What is in the secret is the renewer's: applied is only that it exists.
    """
    rule = {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": [TICKETS],
        "verbs": ["get", "patch", "update"],
    }
    labels = {COMPONENT: KEEPER}
    policy = {
        "podSelector": {"matchLabels": labels},
        "policyTypes": ["Ingress", "Egress"],
        "egress": egress,
    }
    account: Object = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": TICKETS},
        "automountServiceAccountToken": False,
    }
    if cluster.pull_secrets:
        account["imagePullSecrets"] = [{"name": name} for name in cluster.pull_secrets]
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": TICKETS}, "type": "Opaque"},
        account,
        *role_of(TICKETS, [rule], TICKETS, ""),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": TICKETS},
            "spec": policy,
        },
        deployment(settings, cluster.keytab_secret or "", namespace, labels),
    ]


def deployment(settings: Settings, keytab: str, namespace: str, labels: Object) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": TICKETS},
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "Recreate"},  # two would undo each other's changes
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [container(settings, namespace)],
                    "volumes": [
                        {"name": "keytab", "secret": {"secretName": keytab, "defaultMode": 0o440}},
                        {
                            "name": "api",
                            "projected": {"defaultMode": 0o440, "sources": api_access()},
                        },
                        {"name": "work", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
                    ],
                    "serviceAccountName": TICKETS,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": GRACE_S,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": settings.run_as_user,
                        "fsGroup": settings.run_as_user,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                },
            },
        },
    }


def container(settings: Settings, namespace: str) -> Object:
    told = {
        "--keytab": f"{KEYTAB}/keytab",
        "--api": API,
        "--work": WORK,
        "--namespace": namespace,
        "--secret": TICKETS,
    }
    return {
        "name": KEEPER,
        "image": settings.image,
        "command": [*COMMAND, *(word for option in told.items() for word in option)],
        "env": [{"name": CONFIG_VARIABLE, "value": f"{KEYTAB}/{CONFIG}:{SYSTEM}"}],
        "resources": {"requests": dict(ASKS), "limits": dict(ASKS)},
        "livenessProbe": {
            "exec": {"command": ["sh", "-c", ALIVE, f"{WORK}/alive"]},
            "periodSeconds": 60,
            "failureThreshold": 3,
        },
        "readinessProbe": {
            "exec": {"command": ["test", "-e", f"{WORK}/ready"]},
            "periodSeconds": 5,
        },
        "volumeMounts": [
            {"name": "keytab", "mountPath": KEYTAB, "readOnly": True},
            {"name": "api", "mountPath": API, "readOnly": True},
            {"name": "work", "mountPath": WORK},
        ],
        "securityContext": security(),
    }


# -- what people are told


def trouble_of(found: Mapping[str, Object], now: datetime) -> str:
    """Return what is wrong with the tickets of a team, from its objects in the cluster by kind; empty: nothing is."""
    secret, deployed = found.get("Secret"), found.get("Deployment")
    if secret is None or deployed is None:
        return ""
    notes = secret["metadata"].get("annotations") or {}
    why = shown(str(notes.get(TROUBLE) or ""))[:TROUBLE_CHARS_MAX] or down(deployed)
    end = moment(str(notes.get(UNTIL) or ""))
    until = "" if end is None else end.isoformat()
    if end is not None and end <= now:
        return f"the Kerberos tickets of its pods ended at {until}: {why or 'the renewer does not run'}"
    if not why:
        return ""
    left = (
        f"; those that its pods have end at {until}"
        if until
        else "; its pods begin when there is one"
    )
    return f"no new Kerberos ticket: {why}{left}"


def moment(text: str) -> datetime | None:
    """Return when tickets end; None: the note is not one of the renewer, as others may write it, too."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found


def down(deployed: Object) -> str:
    status = deployed.get("status") or {}
    if status.get("readyReplicas"):
        return ""
    return f"the renewer does not run (kubectl describe pods -l {COMPONENT}={KEEPER})"
