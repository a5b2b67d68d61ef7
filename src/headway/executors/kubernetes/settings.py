"""The settings of the Kubernetes executor: one YAML file, which ``--kubernetes`` names."""

import re
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from headway.core.cluster import peer
from headway.core.pod_policy import OPEN, PodPolicy, flaw_of_policy
from headway.core.retry import LOSSES_MAX
from headway.errors import UsageError
from headway.executors.kubernetes.spot import Spot, flaw_of_spot

EXECUTOR: Final = "kubernetes"
AUDIENCE: Final = "headway"  # whom the tokens of pods are meant for
HOOK: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
DRAIN_S_MAX: Final = 7 * 24 * 3600
TEAM: Final = "{team}"  # in ``namespaces``


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``listen``: where the scheduler waits for pods; ``connect``: how pods reach that.

    Both are ``tls:HOST:PORT``, or ``tcp:HOST:PORT`` where nobody listens in. With TLS, ``certificate`` and ``key`` are
    files of the scheduler, and ``ca`` is one with the certificates that pods trust: once read, its text, which they are
    given.
    """

    image: str  # of tasks that name none; it has Headway
    listen: str
    connect: str
    certificate: str | None = None
    key: str | None = None
    ca: str | None = None  # none: those that the image trusts
    kubeconfig: str | None = None  # none: that of the pod, else KUBECONFIG or ~/.kube/config
    context: str | None = None
    install: str = "headway"  # tells the objects of several installs apart
    namespaces: str = "headway-{team}"
    service_account: str = "headway-task"
    # Make the namespace of each team and what belongs into it; else somebody else does.
    manage_teams: bool = True
    # The service account that schedulers run as, NAMESPACE/NAME: it may look after pods in the namespaces of teams.
    identity: str = "headway/headway-scheduler"
    # Rules of network policies (``NetworkPolicyEgressRule``): where pods of all teams may connect to.
    egress: tuple[dict[str, Any], ...] = ()
    command: tuple[str, ...] = ("python", "-m", "headway.agent.pod")
    # The agent beside the container of a task that has an image of its own (``container``), and what it has.
    sidecar_command: tuple[str, ...] = ("python", "-m", "headway.agent.sidecar")
    sidecar_resources: dict[str, str] = msgspec.field(
        default_factory=lambda: {"cpu": "500m", "memory": "256Mi"}
    )
    # Addresses of the API server, NETWORK or NETWORK:PORT, to which network policies let these agents connect.
    api_servers: tuple[str, ...] = ()
    warm_command: tuple[str, ...] = ("python", "-m", "headway.agent.warm")
    drain_s: int = 600  # that an agent of a warm pool has for what it runs, once it is to leave
    queues: tuple[str, ...] = ("default",)
    pods: int = 100  # of one team at once
    # Of tasks that name none.
    resources: dict[str, str] = msgspec.field(
        default_factory=lambda: {"cpu": "500m", "memory": "512Mi"}
    )
    pending_deadline_s: float = (
        900.0  # a pod that has not started by then is replaced by another one …
    )
    pending_requeues: int = 2  # … so often, and then its attempt fails
    request_timeout_s: float = 10.0
    policy: PodPolicy = OPEN
    spot: Spot = Spot()  # what ``capacity="spot"`` of a task means here
    # ``module:function``: the platform's, which gets each pod as data and returns it, or changes it in place.
    pod_mutation: str | None = None
    run_as_user: int = 1000


def read_settings(file: Path) -> Settings:
    """Read the settings. Raises UsageError with what is wrong, and where, or if the client library is missing."""
    if find_spec("lightkube") is None:
        raise UsageError(
            "the client library of Kubernetes is not installed",
            where="--kubernetes",
            hint="pip install 'headway[kubernetes]'",
        )
    try:
        found = settings_of(msgspec.yaml.decode(file.read_bytes()))
        if found.ca is not None:
            found = msgspec.structs.replace(found, ca=Path(found.ca).read_text())
    except OSError as error:
        raise UsageError(
            f"cannot read the settings of Kubernetes: {error.strerror}",
            where=str(error.filename or file),
        ) from error
    except (msgspec.MsgspecError, ImportError) as error:
        raise UsageError(str(error), where=str(file), hint="see docs/kubernetes.md") from error
    if why := flaw(found):
        raise UsageError(why, where=str(file), hint="see docs/kubernetes.md")
    return found


def settings_of(given: Any) -> Settings:
    """Return the settings that data stand for. Raises msgspec.ValidationError, also for a word that no policy has."""
    found = msgspec.convert(given, Settings)
    known = {field.name for field in fields(PodPolicy)}
    unknown = next((word for word in given.get("policy", ()) if word not in known), None)
    if (
        unknown is not None
    ):  # of a dataclass it would be ignored, and the policy would allow more than it says
        raise msgspec.ValidationError(f"Object contains unknown field `{unknown}` - at `$.policy`")
    return found


def flaw(settings: Settings) -> str | None:
    if settings.namespaces.count(TEAM) != 1:
        return f"namespaces must have {TEAM} once, so that each team has its own"
    for name in ("listen", "connect"):
        if not getattr(settings, name).startswith(("tcp:", "tls:")):
            return f"{name} must be tls:HOST:PORT or tcp:HOST:PORT"
    if settings.listen[:4] != settings.connect[:4]:
        return "listen and connect must both begin with tls: or both with tcp:"
    if settings.listen.startswith("tls:") and not (settings.certificate and settings.key):
        return "tls: needs certificate and key, two files of the scheduler"
    namespace, _, account = settings.identity.partition("/")
    if not namespace or not account or "/" in account:
        return "identity must be NAMESPACE/NAME of a service account"
    if settings.ca is not None and not settings.ca.strip():
        return "the file of ca has no certificates"
    if (why := flaw_of_policy(settings.policy)) is not None:
        return f"policy: {why}"
    if (why := flaw_of_spot(settings.spot)) is not None:
        return f"spot: {why}"
    if settings.pod_mutation is not None and not HOOK.fullmatch(settings.pod_mutation):
        return "pod_mutation must be MODULE:FUNCTION"
    for entry in settings.api_servers:
        if peer(entry) is None:
            return f"api_servers has {entry!r}, it must be such as 10.0.0.1/32:443"
    if settings.pods < 1:
        return "pods must be at least 1"
    if not 1 <= settings.drain_s <= DRAIN_S_MAX:
        return f"drain_s must be 1 to {DRAIN_S_MAX:,}"
    if not 0 <= settings.pending_requeues <= LOSSES_MAX:
        return f"pending_requeues must be 0 to {LOSSES_MAX}"
    return None
