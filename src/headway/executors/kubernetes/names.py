"""Names and labels in the cluster, from what they stand for. Pure: any scheduler finds the same ones."""

import re
from hashlib import blake2s
from typing import Final

from headway.agent.protocol import AttemptKey
from headway.executors.kubernetes.settings import TEAM, Settings

LABEL: Final = "headway.dev/"
INSTALL: Final = f"{LABEL}install"
DAG: Final = f"{LABEL}dag"
COMPONENT: Final = f"{LABEL}component"
CONTAINER_TASK: Final = "container"  # the component of pods with an image without Headway
POOL: Final = "headway-warm"  # the Deployment of a team's warm pool
VERSION: Final = f"{LABEL}warm-version"  # annotation of its pods: what they are made of
# Kubernetes removes the pods with the lowest cost first.
DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
LEAVES: Final = "-100"
NAME_MAX: Final = 63  # of a label's value, and of the host that a pod's name becomes


def namespace_of(settings: Settings, team: str) -> str:
    """Return the namespace of a team. Nobody else chooses one, and no two teams share one."""
    first, _, rest = settings.namespaces.partition(TEAM)
    return f"{first}{dns(team, NAME_MAX - len(first) - len(rest))}{rest}"


def pod_name(settings: Settings, team: str, key: AttemptKey) -> str:
    """Return the name of the pod of an attempt. Its hash makes it unique, the rest is for people."""
    parts = [settings.install, team, key.run_id, key.task_id, str(key.map_index), str(key.number)]
    if key.deferrals:  # each process of an attempt has a pod of its own
        parts.append(str(key.deferrals))
    return f"{slug(key.task_id)[:40].strip('-') or 'task'}-{digest(*parts)}"


def labels(settings: Settings, team: str, dag_id: str, key: AttemptKey) -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "headway",
        INSTALL: value(settings.install),
        f"{LABEL}team": value(team),
        DAG: value(dag_id),
        f"{LABEL}run": value(key.run_id),
        f"{LABEL}task": value(key.task_id),
        f"{LABEL}try": str(key.number),
    }


def dns(text: str, most: int) -> str:
    """Return ``text`` if it is a DNS label of at most ``most`` characters, else a label that is as unique.

    Two hyphens in a row tell the second kind from the first, which has none.
    """
    plain = slug(text)
    if plain == text and len(text) <= most:
        return text
    return f"{plain[: most - 12].strip('-') or 'x'}--{digest(text)}"


def value(text: str) -> str:
    """Return ``text`` as the value of a label: as it is where that is allowed, else as a DNS label."""
    allowed = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", text)
    return text if allowed and len(text) <= NAME_MAX else dns(text, NAME_MAX)


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def digest(*parts: str) -> str:
    return blake2s("\0".join(parts).encode(), digest_size=5).hexdigest()
