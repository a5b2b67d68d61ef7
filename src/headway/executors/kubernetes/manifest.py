"""The pod of an attempt, as data. Pure.

What an author may choose goes in first: image and resources. Names, labels, namespace, service account and security
are written last, so that nothing an author says can reach them.
"""

from typing import Any, Final

import msgspec

from headway.agent.pod import variable
from headway.agent.protocol import AttemptKey
from headway.executors.kubernetes.names import LABEL, labels, namespace_of, pod_name
from headway.executors.kubernetes.settings import AUDIENCE, Settings
from headway.spec.model import Task

DATA: Final = "/headway/data"
SCRATCH: Final = "/headway/scratch"
TOKEN: Final = "/headway/token"
TOKEN_S: Final = 3600
GRACE_S: Final = 15  # longer than an agent needs to end its task and to report that


def pod(settings: Settings, team: str, dag_id: str, task: Task, key: AttemptKey) -> dict[str, Any]:
    """Return the manifest. The pod shares no volume with anybody: what it needs comes over its connection."""
    name = pod_name(settings, team, key)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace_of(settings, team),
            "labels": labels(settings, team, dag_id, key),
            "annotations": {
                f"{LABEL}task-id": key.task_id,
                f"{LABEL}map-index": str(key.map_index),
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            },
        },
        "spec": {
            "containers": [container(settings, task, key, name)],
            "volumes": volumes(),
            "restartPolicy": "Never",
            "serviceAccountName": settings.service_account,
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
    }


def container(settings: Settings, task: Task, key: AttemptKey, name: str) -> dict[str, Any]:
    told = {
        "connect": settings.connect,
        "ca": settings.ca or "",
        "data": DATA,
        "scratch": SCRATCH,
        "attempt": msgspec.json.encode(key).decode(),
        "name": name,
        "token_file": f"{TOKEN}/token",
    }
    env: list[dict[str, Any]] = [{"name": variable(k), "value": v} for k, v in told.items()]
    uid = {"fieldRef": {"fieldPath": "metadata.uid"}}
    env.append({"name": variable("uid"), "valueFrom": uid})
    wanted = {**settings.resources, **task.resources}
    return {
        "name": "task",
        "image": task.image or settings.image,
        "command": list(settings.command),
        "env": env,
        "resources": {"requests": wanted, "limits": wanted},
        "volumeMounts": [
            {"name": "data", "mountPath": DATA},
            {"name": "scratch", "mountPath": SCRATCH},
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "token", "mountPath": TOKEN, "readOnly": True},
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def volumes() -> list[dict[str, Any]]:
    token = {"audience": AUDIENCE, "expirationSeconds": TOKEN_S, "path": "token"}
    return [
        {"name": "data", "emptyDir": {}},
        {"name": "scratch", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": token}]}},
    ]
