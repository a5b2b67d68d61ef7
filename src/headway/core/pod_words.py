"""The forms of names in a pod, and the keys that an author does not choose. Pure."""

import re
from typing import Final, NamedTuple

PREFIX: Final = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
KEY: Final = re.compile(rf"({PREFIX}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?")
LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
OBJECT: Final = re.compile(PREFIX)
CLASS: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
CAPACITIES: Final = ("spot",)
ENVIRONMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")

# Domains whose labels and annotations act on a pod: they give roles, networks, or change how it is kept apart.
ACTING: Final = (
    *("headway.dev", "kubernetes.io", "k8s.io", "cncf.io", "amazonaws.com", "gke.io"),
    *("istio.io", "linkerd.io", "kuma.io", "consul.hashicorp.com", "openservicemesh.io", "dapr.io"),
    *("cilium.io", "projectcalico.org", "antrea.io"),
)
RESERVED: Final = f"keys of {', '.join(ACTING)} belong to Headway and the platform"

# What people look for in an overlay, and who says it.
CHOSEN_ELSEWHERE: Final = {
    "image": 'write image="…" among the options of the task',
    "resources": "write resources={…} among the options of the task",
    "command": "the command of the container is Headway's agent",
    "args": "the command of the container is Headway's agent",
    "namespace": "the namespace is that of the team",
    "name": "the name of the pod is that of its attempt",
    "serviceAccountName": "the service account is that of the team",
    "serviceAccount": "the service account is that of the team",
    "automountServiceAccountToken": "a task has no token of the cluster",
    "securityContext": "the security context is the platform's",
    "hostPath": "a task uses no files of its node",
    "hostNetwork": "a task shares nothing with its node",
    "hostPID": "a task shares nothing with its node",
    "hostIPC": "a task shares nothing with its node",
    "hostUsers": "the security context is the platform's",
    "projected": "a task has no token of the cluster",
    "initContainers": "the pod of a task has one container",
    "ephemeralContainers": "the pod of a task has one container",
    "nodeName": "write node_selector={…}, so that the cluster's scheduler chooses",
    "restartPolicy": "Headway repeats attempts: write retries=…",
    "activeDeadlineSeconds": "write execution_timeout=…",
    "terminationGracePeriodSeconds": "it is what the agent needs to report its end",
    "imagePullSecrets": "set them for the team: headway team set TEAM --pull-secret NAME",
}


class Flaw(NamedTuple):
    """A part of an overlay, and what is wrong with it."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path} {self.why}" if self.path else f"it {self.why}"


def is_reserved(key: str) -> bool:
    """Return whether a label or annotation is Headway's, Kubernetes' or one that gives rights."""
    domain = key.partition("/")[0] if "/" in key else ""
    return any(domain == name or domain.endswith(f".{name}") for name in ACTING)
