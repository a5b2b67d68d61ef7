"""Links by which somebody without an account reads one run."""

from datetime import datetime
from typing import Annotated

import msgspec

from headway.wire.bounds import Index, said


class RunLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link to one run. ``with_logs``: it also shows the part of the log around each error."""

    id: str
    run_id: str
    with_logs: bool
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    task_id: str | None = None  # whose question it answers; None: it reads the run
    map_index: int | None = None
    recipient: str | None = None


class NewRunLink(RunLink, frozen=True, kw_only=True):
    url: str  # shown this once; the secret is behind the #, so that servers do not log it


class LinkedTask(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    counts: dict[str, int]
    started_at: datetime | None
    ended_at: datetime | None


class LinkedError(msgspec.Struct, frozen=True, kw_only=True):
    """An error, and how many task instances have it. ``log``: the log around it, where the link shows logs."""

    task_id: str
    count: int
    detail: str | None
    log: str | None


class LinkedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a run that a link shows: no parameters, results, notes or people."""

    team: str
    dag_id: str
    run_id: str
    state: str
    logical_date: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    tasks: list[LinkedTask]
    errors: list[LinkedError]
    expires_at: datetime  # of the link


# -- what is asked for


class RunLinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    hours: Annotated[int, said(minimum=1, maximum=2_160)] = 168
    with_logs: bool = False


class AnswerLinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    recipient: Annotated[str, msgspec.Meta(max_length=100)]
    map_index: Index = -1
    hours: Annotated[int, said(minimum=1, maximum=2_160)] = 24


class RunLinkSecret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Annotated[str, msgspec.Meta(max_length=200)]
