"""The pod of an attempt, as data. Pure.

What an author may choose goes in first: image, resources, and the overlay of the task. Then comes what the platform's
``pod_mutation`` makes of it. Names, labels, namespace, service account and security are written last (``final``), so
that nothing that anybody says can reach them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from headway.agent.pod import variable
from headway.agent.protocol import AttemptKey
from headway.core.cluster import ClusterSettings
from headway.core.pod_overlay import CONTAINER, flaw, merged
from headway.executors.kubernetes.final import Denied, Manifest, finished, laid_over
from headway.executors.kubernetes.names import LABEL, labels, namespace_of, pod_name
from headway.executors.kubernetes.settings import AUDIENCE, Settings
from headway.executors.kubernetes.spot import overlay
from headway.spec.model import Task

DATA: Final = "/headway/data"
SCRATCH: Final = "/headway/scratch"
TOKEN: Final = "/headway/token"
TOKEN_S: Final = 3600
GRACE_S: Final = 15  # longer than an agent needs to end its task and to report that


def pod(
    settings: Settings,
    team: str,
    dag_id: str,
    task: Task,
    key: AttemptKey,
    resources: Mapping[str, str] | None = None,
) -> Manifest:
    """Return the manifest where the platform has no ``pod_mutation``. Raises Denied."""
    ours = own(settings, team, dag_id, key)
    return finished(draft(settings, task, ours, resources), ours)


def draft(
    settings: Settings, task: Task, ours: Manifest, resources: Mapping[str, str] | None = None
) -> Manifest:
    """Return the pod as its author wants it. Raises Denied where the overlay says what no author may.

    ``resources``: the amounts, where those of the task are not final.
    """
    if (found := flaw(task.pod)) is not None:
        raise Denied(str(found))
    wanted = {**settings.resources, **(task.resources if resources is None else resources)}
    container = {
        "name": CONTAINER,
        "image": task.image or settings.image,
        "resources": {"requests": wanted, "limits": wanted},
    }
    base: Manifest = {"spec": {"containers": [container]}}
    if task.capacity:
        base = merged(base, overlay(settings.spot))
    return laid_over(merged(base, task.pod), ours)


def own(settings: Settings, team: str, dag_id: str, key: AttemptKey) -> Manifest:
    """Return Headway's part. The pod shares no volume with anybody: what it needs comes over its connection."""
    name = pod_name(settings, team, key)
    return laid_out(settings, team, dag_id, key, container(settings, key, name))


def laid_out(
    settings: Settings, team: str, dag_id: str, key: AttemptKey, container: Manifest
) -> Manifest:
    """Return the pod of an attempt around a container."""
    return {
        "metadata": {
            "name": pod_name(settings, team, key),
            "namespace": namespace_of(settings, team),
            "labels": labels(settings, team, dag_id, key),
            "annotations": {
                f"{LABEL}task-id": key.task_id,
                f"{LABEL}map-index": str(key.map_index),
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            },
        },
        "spec": spec_of(settings, container),
    }


def spec_of(settings: Settings, container: Manifest, grace_s: int = GRACE_S) -> Manifest:
    """Return what all pods have that run tasks: no rights, no volume of others, and time to end."""
    return {
        "containers": [container],
        "volumes": volumes(),
        "restartPolicy": "Never",
        "serviceAccountName": settings.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_s,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": settings.run_as_user,
            "fsGroup": settings.run_as_user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def marked(pod: Manifest, cluster: ClusterSettings) -> Manifest:
    """Return Headway's part of a pod with the labels and annotations that its team's pods have. Headway's own win."""
    metadata = pod["metadata"]
    labels = {**cluster.pod_labels, **metadata["labels"]}
    annotations = {**cluster.pod_annotations, **metadata["annotations"]}
    return {**pod, "metadata": {**metadata, "labels": labels, "annotations": annotations}}


def container(settings: Settings, key: AttemptKey, name: str) -> Manifest:
    told = {"attempt": msgspec.json.encode(key).decode(), "name": name}
    return container_of(settings, settings.command, told, {"uid": "metadata.uid"})


def container_of(
    settings: Settings, command: Sequence[str], told: Mapping[str, str], read: Mapping[str, str]
) -> Manifest:
    """Return the container of an agent. ``told``, ``read``: variables, and those that are fields of the pod."""
    told = {
        "connect": settings.connect,
        "ca": settings.ca or "",
        "data": DATA,
        "scratch": SCRATCH,
        "token_file": f"{TOKEN}/token",
        **told,
    }
    env: list[dict[str, Any]] = [{"name": variable(k), "value": v} for k, v in told.items()]
    env += [
        {"name": variable(k), "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for k, path in read.items()
    ]
    return {
        "command": list(command),
        "env": env,
        "volumeMounts": [
            {"name": "headway-data", "mountPath": DATA},
            {"name": "headway-scratch", "mountPath": SCRATCH},
            {"name": "headway-tmp", "mountPath": "/tmp"},
            {"name": "headway-token", "mountPath": TOKEN, "readOnly": True},
        ],
        "securityContext": security(),
    }


def security() -> Manifest:
    """Return what no container of ours or of a task may do."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def volumes() -> list[dict[str, Any]]:
    token = {"audience": AUDIENCE, "expirationSeconds": TOKEN_S, "path": "token"}
    return [
        {"name": "headway-data", "emptyDir": {}},
        {"name": "headway-scratch", "emptyDir": {}},
        {"name": "headway-tmp", "emptyDir": {}},
        {"name": "headway-token", "projected": {"sources": [{"serviceAccountToken": token}]}},
    ]
