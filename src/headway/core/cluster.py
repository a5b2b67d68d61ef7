"""The settings of a team in a cluster: which there are, and which values they may have. Pure.

They become a quota, a service account and network policies in the team's namespace. A setting that is not given
bounds or adds nothing.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headway.core.quantities import amount
from headway.core.warm import IDLE_S, SLOTS, Bounds

PODS_MAX: Final = 100_000
AGENTS_MAX: Final = 1_000
WARM_TASKS_MAX: Final = 1_000_000
DEADLINE_S_MAX: Final = 7 * 24 * 3600
ENTRIES_MAX: Final = 50
VALUE_CHARS_MAX: Final = 2000
PORT_MAX: Final = 65_535
KEY: Final = re.compile(
    r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)
LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
PATTERN: Final = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._/:@-]{0,254}")
PATTERNS: Final = {"images": "ghcr.io/acme/*", "priority_classes": "batch-*"}
IMAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}")
TICKETS: Final = (
    "headway-tickets"  # the secret in which tasks of a team find their Kerberos tickets
)
OBJECT: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """``annotations``: of the service account of its tasks, such as the cloud role that they have;
    ``pull_secrets``: names of image pull secrets in its namespace; ``egress``: where its tasks may connect to,
    each ``CIDR`` or ``CIDR:PORT``; ``warm_…``: its warm pool (``core.warm``); ``keytab_secret``: a secret in its
    namespace. The others are of the policy of its pods, in place of the platform's (``core.pod_policy``).
    """

    cpu: str | None = None
    memory: str | None = None
    gpu: int | None = None
    pods: int | None = None  # at once
    pending_deadline_s: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    pull_secrets: tuple[str, ...] = ()
    egress: tuple[str, ...] = ()
    images: tuple[str, ...] = ()  # patterns
    task_cpu: str | None = None  # that one task may ask for
    task_memory: str | None = None
    task_gpu: int | None = None
    priority_classes: tuple[str, ...] = ()  # patterns
    owner_required: bool | None = None
    warm_min: int | None = None  # agents that are always there
    warm_max: int | None = None  # agents at once; none: the team has no warm pool
    warm_slots: int | None = None  # tasks at once of each agent
    warm_idle_s: int | None = None  # after which an agent without tasks may leave
    warm_tasks: int | None = None  # after which the process of an agent is replaced
    warm_cpu: str | None = None  # of each agent
    warm_memory: str | None = None
    warm_image: str | None = None
    # In its namespace, with the keytab from which its tasks have Kerberos tickets.
    keytab_secret: str | None = None
    # Of its pods, as of a mesh. Headway's own win.
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    pod_annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def warm(self) -> Bounds | None:
        """The limits of the warm pool, or None if the team has none."""
        if not self.warm_max:
            return None
        idle_s = IDLE_S if self.warm_idle_s is None else self.warm_idle_s
        return Bounds(self.warm_min or 0, self.warm_max, self.warm_slots or SLOTS, idle_s)


DEFAULTS: Final = ClusterSettings()


def trouble(settings: ClusterSettings) -> str | None:
    """Return which setting is wrong and why, or None."""
    for name in ("cpu", "memory", "task_cpu", "task_memory", "warm_cpu", "warm_memory"):
        given = getattr(settings, name)
        if given is not None and not amount(given):
            return f"{name} is {given[:100]!a}, it must be an amount above 0, such as 64 or 256Gi"
    for name, least, most in (
        ("gpu", 0, PODS_MAX),
        ("task_gpu", 0, PODS_MAX),
        ("pods", 1, PODS_MAX),
        ("pending_deadline_s", 1, DEADLINE_S_MAX),
        ("warm_min", 0, AGENTS_MAX),
        ("warm_max", 0, AGENTS_MAX),
        ("warm_slots", 1, AGENTS_MAX),
        ("warm_idle_s", 0, DEADLINE_S_MAX),
        ("warm_tasks", 1, WARM_TASKS_MAX),
    ):
        number = getattr(settings, name)
        if number is not None and not least <= number <= most:
            return f"{name} must be {least} to {most:,}, not {number:,}"
    return warm_trouble(settings) or metadata_trouble(settings) or lists_trouble(settings)


def warm_trouble(settings: ClusterSettings) -> str | None:
    least, most = settings.warm_min or 0, settings.warm_max or 0
    if least > most:
        return f"warm_min is {least}, more than warm_max ({most}); set warm_max, too"
    if settings.warm_image is not None and not IMAGE.fullmatch(settings.warm_image):
        return f"warm_image is {settings.warm_image[:100]!a}, it must be the name of an image"
    return None


def metadata_trouble(settings: ClusterSettings) -> str | None:
    """Return which annotation or label is wrong and why, or None."""
    for word in ("annotations", "pod_labels", "pod_annotations"):
        given: Mapping[str, str] = getattr(settings, word)
        if len(given) > ENTRIES_MAX:
            return f"{word} may have at most {ENTRIES_MAX} entries"
        for key, value in given.items():
            if not KEY.fullmatch(key):
                return f"{key[:100]!a} is not a valid name in {word}"
            if word != "annotations" and key.partition("/")[0].endswith("headway.dev"):
                return f"{key} is not allowed in {word}: headway.dev/ is Headway's"
            if word == "pod_labels" and not LABEL_VALUE.fullmatch(value):
                return f"the label {key} must have at most 63 letters, digits, dots, _ and -"
            if not value.isprintable() or len(value) > VALUE_CHARS_MAX:
                return f"{key} in {word} must have at most {VALUE_CHARS_MAX:,} visible characters"
    return None


def lists_trouble(settings: ClusterSettings) -> str | None:
    for name in ("pull_secrets", "egress", *PATTERNS):
        if len(getattr(settings, name)) > ENTRIES_MAX:
            return f"{name} may have at most {ENTRIES_MAX} entries"
    for secret in settings.pull_secrets:
        if not OBJECT.fullmatch(secret):
            return f"{secret[:100]!a} is not a valid name of a secret"
    keytab = settings.keytab_secret
    if keytab is not None and (not OBJECT.fullmatch(keytab) or keytab == TICKETS):
        return f"keytab_secret is {keytab[:100]!a}, it must be the name of a secret"
    for entry in settings.egress:
        if peer(entry) is None:
            return f"{entry[:100]!a} is not a network, such as 10.0.0.0/8 or 10.1.2.3/32:5432"
    return patterns_trouble(settings)


def patterns_trouble(patterned: object) -> str | None:
    """Return which pattern of a policy is not valid, or None."""
    for name in PATTERNS:
        for pattern in getattr(patterned, name):
            if not PATTERN.fullmatch(pattern):
                return f"{pattern[:100]!a} is not a pattern of {name}, such as {PATTERNS[name]}"
    return None


def peer(entry: str) -> tuple[str, int | None] | None:
    """Return the network and port of an entry of ``egress``, or None if it is not valid."""
    address, _, rest = entry.partition("/")
    bits, colon, port = rest.partition(":")
    if not bits.isdecimal() or (colon and not port.isdecimal()):
        return None
    try:
        network = ipaddress.ip_network(f"{address}/{bits}")
    except ValueError:
        return None
    if colon and not 1 <= int(port) <= PORT_MAX:
        return None
    return str(network), int(port) if colon else None
