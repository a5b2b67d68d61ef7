"""Outbound webhooks: URLs to which a team has ends of runs and overdue partitions told, and what is sent there."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from headway.core.outbound import RUN_ENDED, STATES
from headway.wire.bounds import said


class OutboundWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """``dags``: patterns, in which ``*`` stands for any text. ``events``: ``run.ended`` for the ends of runs in one of
    ``states``; ``partition.overdue`` for partitions that were due and have no run. ``failing_since``: no delivery has
    succeeded since then; ``trouble`` says what was wrong with the last one.
    """

    name: str
    url: str
    dags: list[str]
    states: list[str]
    events: list[str]
    with_params: bool
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    failing_since: datetime | None
    trouble: str | None


class NewOutboundWebhook(OutboundWebhook, frozen=True, kw_only=True):
    id: str
    secret: str | None  # shown this once; null: the one that was given


class OutboundDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """``status``: ``waiting``, until ``next_at``; ``delivered``, if the URL answered 2xx; or ``given_up``.
    ``event_id`` is the same at each try. ``event``: ``run.ended``, ``partition.overdue``, which has a partition and no
    run, or ``ping``, which has neither.
    """

    number: int
    event_id: str
    at: datetime
    dag_id: str | None
    run_id: str | None
    state: str | None
    event: str
    partition: str | None
    status: str
    tries: int
    tried_at: datetime | None
    code: int | None
    trouble: str | None
    answer: str | None
    took_ms: int | None
    next_at: datetime | None
    body: str


class RunEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request to an outbound webhook. ``params`` is there if it was asked for; null: it is too long."""

    id: str
    event: str
    team: str
    dag_id: str
    run_id: str
    logical_date: datetime
    trigger: str
    state: str
    started_at: datetime | None
    ended_at: datetime
    url: str
    params: Any = UNSET


class PartitionOverdue(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request about a partition that was due and has no run. ``arrived``: something of it has arrived."""

    id: str
    event: str
    team: str
    dag_id: str
    partition: str
    due_at: datetime
    at: datetime
    arrived: bool
    url: str


# -- what is asked for


class OutboundWebhookRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``dags``: patterns; left out, all DAGs of the team. ``states``: those in which a run ends; left out, all of them.
    ``events``: what is told; left out, the ends of runs. ``secret``: that of the receiver, if it has one already;
    otherwise one is made.
    """

    name: str
    url: str
    dags: list[str] = msgspec.field(default_factory=lambda: ["*"])
    states: list[str] = msgspec.field(default_factory=lambda: list(STATES))
    events: list[str] = msgspec.field(default_factory=lambda: [RUN_ENDED])
    with_params: bool = False
    secret: Annotated[str | None, said(writeOnly=True)] = None


class OutboundWebhookChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Change what is given. ``disabled``: nothing is sent, and what waits is given up."""

    url: str | UnsetType = UNSET
    dags: list[str] | UnsetType = UNSET
    states: list[str] | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET
    with_params: bool | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    secret: Annotated[str | UnsetType, said(writeOnly=True)] = UNSET
