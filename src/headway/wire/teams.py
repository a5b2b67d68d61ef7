"""Teams and their settings."""

from datetime import datetime
from typing import Annotated

import msgspec

from headway.wire.bounds import INT32_MAX, said


class TeamLimit(msgspec.Struct, frozen=True, kw_only=True):
    """``limit``: null if nothing is bounded; ``used``: what counts against it now, null if that is not counted."""

    name: str
    limit: int | None
    used: int | None


class QuotaUse(msgspec.Struct, frozen=True, kw_only=True):
    """The amount of a resource that a quota allows, and that pods use of it."""

    name: str
    used: str
    hard: str


class ClusterState(msgspec.Struct, frozen=True, kw_only=True):
    """The objects of a team in a cluster.

    ``state``: applying, ready, trouble or deleting. ``trouble``: why they are not as they should be.
    ``repaired_at``: when something was last found changed, and was repaired.
    """

    executor: str
    namespace: str
    state: str
    trouble: str | None
    quota: list[QuotaUse]
    checked_at: datetime
    repaired_at: datetime | None


class PoolAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of a warm pool. ``since``: when its pod was created; ``held``: attempts that it has."""

    name: str
    since: datetime | None
    is_ready: bool
    held: int
    idle_since: datetime | None


class WarmPool(msgspec.Struct, frozen=True, kw_only=True):
    """The warm pool of a team in a cluster. ``replicas``: agents that are wanted now; ``reason``: why they are not all
    there.
    """

    executor: str
    replicas: int
    agents: list[PoolAgent]
    reason: str | None
    checked_at: datetime


class TeamCluster(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a team in a cluster, null where the executor's hold, and its objects there.

    ``found`` is empty if no cluster is configured, or nobody looked yet.
    """

    cpu: str | None
    memory: str | None
    gpu: int | None
    pods: int | None
    pending_deadline_s: int | None
    annotations: dict[str, str]
    pull_secrets: list[str]
    egress: list[str]
    found: list[ClusterState]
    images: list[str] = []
    task_cpu: str | None = None
    task_memory: str | None = None
    task_gpu: int | None = None
    priority_classes: list[str] = []
    owner_required: bool | None = None
    warm_min: int | None = None
    warm_max: int | None = None
    warm_slots: int | None = None
    warm_idle_s: int | None = None
    warm_tasks: int | None = None
    warm_cpu: str | None = None
    warm_memory: str | None = None
    warm_image: str | None = None
    keytab_secret: str | None = None
    pod_labels: dict[str, str] = {}
    pod_annotations: dict[str, str] = {}
    pools: list[WarmPool] = []


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A team, its settings, and what it uses now.

    ``slots``: the nominal slots; null if it has no nominal share of its own.
    ``weight``: how idle slots are shared with other teams.
    """

    name: str
    title: str | None
    slots: int | None
    weight: float
    created_at: datetime
    members: int
    dags: int
    used: int  # slots that running tasks hold
    waiting: int  # task instances that could run
    limits: list[TeamLimit] = []
    cluster: TeamCluster | None = None  # null: of a server before there were clusters


class NewTeam(Team, frozen=True, kw_only=True):
    """``created``: false if the team existed with these settings. ``agent_token`` is shown this once."""

    created: bool
    agent_token: str | None


# -- what is asked for

TeamName = Annotated[str, said(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Title = Annotated[str, said(minLength=1, maxLength=100)]
NominalSlots = Annotated[int, said(minimum=0, maximum=INT32_MAX)]
Weight = Annotated[float, said(exclusiveMinimum=0, maximum=1000)]


Positive = Annotated[int, said(minimum=1, maximum=INT32_MAX)]
Most = Annotated[int, said(minimum=0, maximum=INT32_MAX)]
Quantity = Annotated[str, said(minLength=1, maxLength=40)]
Gpus = Annotated[int, said(minimum=0, maximum=100_000)]
Pods = Annotated[int, said(minimum=1, maximum=100_000)]
Deadline = Annotated[int, said(minimum=1, maximum=7 * 24 * 3600)]
Agents = Annotated[int, said(minimum=0, maximum=1_000)]
AgentSlots = Annotated[int, said(minimum=1, maximum=1_000)]
Idle = Annotated[int, said(minimum=0, maximum=7 * 24 * 3600)]
Tasks = Annotated[int, said(minimum=1, maximum=1_000_000)]
Image = Annotated[str, said(minLength=1, maxLength=255)]
SecretName = Annotated[str, said(minLength=1, maxLength=253)]


class LimitsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Omitted limits stay unchanged; null removes a limit. Runs of timetables are created whatever they say."""

    requests_per_s: Positive | msgspec.UnsetType | None = msgspec.UNSET
    runs_per_minute: Most | msgspec.UnsetType | None = msgspec.UNSET
    open_runs: Most | msgspec.UnsetType | None = msgspec.UNSET
    running_tasks: Most | msgspec.UnsetType | None = msgspec.UNSET
    kept_slots: Most | msgspec.UnsetType | None = msgspec.UNSET
    run_tasks: Positive | msgspec.UnsetType | None = msgspec.UNSET
    dag_file_bytes: Positive | msgspec.UnsetType | None = msgspec.UNSET
    log_bytes_per_minute: Positive | msgspec.UnsetType | None = msgspec.UNSET


class ClusterChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Omitted settings stay unchanged; null resets to the default. A list or map replaces the one before.

    ``cpu``, ``memory``: the quota of the team, as Kubernetes writes amounts; ``annotations``: of the service account
    of its tasks; ``pull_secrets``: names of secrets in its namespace; ``egress``: ``CIDR`` or ``CIDR:PORT``.
    The policy of its pods, in place of the platform's: ``images``, ``priority_classes``: patterns with ``*``;
    ``task_cpu``, ``task_memory``, ``task_gpu``: the most that one task may ask for; ``owner_required``: of each task.
    The warm pool of the team: ``warm_min`` to ``warm_max`` agents, each with ``warm_slots`` tasks at once; one leaves
    after ``warm_idle_s`` seconds without a task, and its process is replaced after ``warm_tasks``; ``warm_cpu``,
    ``warm_memory``, ``warm_image``: of each agent. ``keytab_secret``: the secret in its namespace with the keytab from
    which its pods have Kerberos tickets. ``pod_labels``, ``pod_annotations``: of its pods, as of a service mesh.
    """

    cpu: Quantity | msgspec.UnsetType | None = msgspec.UNSET
    memory: Quantity | msgspec.UnsetType | None = msgspec.UNSET
    gpu: Gpus | msgspec.UnsetType | None = msgspec.UNSET
    pods: Pods | msgspec.UnsetType | None = msgspec.UNSET
    pending_deadline_s: Deadline | msgspec.UnsetType | None = msgspec.UNSET
    annotations: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET
    pull_secrets: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    egress: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    images: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    task_cpu: Quantity | msgspec.UnsetType | None = msgspec.UNSET
    task_memory: Quantity | msgspec.UnsetType | None = msgspec.UNSET
    task_gpu: Gpus | msgspec.UnsetType | None = msgspec.UNSET
    priority_classes: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    owner_required: bool | msgspec.UnsetType | None = msgspec.UNSET
    warm_min: Agents | msgspec.UnsetType | None = msgspec.UNSET
    warm_max: Agents | msgspec.UnsetType | None = msgspec.UNSET
    warm_slots: AgentSlots | msgspec.UnsetType | None = msgspec.UNSET
    warm_idle_s: Idle | msgspec.UnsetType | None = msgspec.UNSET
    warm_tasks: Tasks | msgspec.UnsetType | None = msgspec.UNSET
    warm_cpu: Quantity | msgspec.UnsetType | None = msgspec.UNSET
    warm_memory: Quantity | msgspec.UnsetType | None = msgspec.UNSET
    warm_image: Image | msgspec.UnsetType | None = msgspec.UNSET
    keytab_secret: SecretName | msgspec.UnsetType | None = msgspec.UNSET
    pod_labels: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET
    pod_annotations: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET


class TeamChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Omitted fields stay unchanged; null resets to the default."""

    title: Title | msgspec.UnsetType | None = msgspec.UNSET
    slots: NominalSlots | msgspec.UnsetType | None = msgspec.UNSET
    weight: Weight | msgspec.UnsetType | None = msgspec.UNSET
    limits: LimitsChange | msgspec.UnsetType = msgspec.UNSET
    cluster: ClusterChange | msgspec.UnsetType = msgspec.UNSET


class TeamRequest(TeamChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: TeamName
