"""The Gantt chart of a run."""

from datetime import datetime
from typing import Annotated, Final

import msgspec

from headway.core.reasons import Reason, Wait
from headway.wire.bounds import said
from headway.wire.runs import Run
from headway.wire.states import AttemptState, InstanceState

KINDS: Final = ("upstream", "ready", "queued", "running", "deferred", "retry")


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """``reason``: what held back one that was ready. ``to`` None: it goes on. ``attempt`` and ``state`` are
    those of the attempt.
    """

    kind: Annotated[str, said(enum=KINDS)]
    reason: str | None
    start: datetime = msgspec.field(name="from")
    end: datetime | None = msgspec.field(name="to")
    attempt: int | None
    state: AttemptState | None
    wait: Annotated[str, said(enum=list(Wait))] | None = None  # None: it worked
    why: Reason | None = None


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A task instance. ``expected_s``: how long the task usually runs; None if not known yet."""

    task_id: str
    map_index: int
    rendered_map_index: str | None = None
    state: InstanceState
    attempts: int
    segments: list[Segment]
    expected_s: float | None


class Waited(msgspec.Struct, frozen=True, kw_only=True):
    reason: str
    total_s: float


class Gantt(msgspec.Struct, frozen=True, kw_only=True):
    run: Run
    now: datetime
    bars: list[Bar]  # in the order in which they began
    waiting_by_reason: list[Waited]  # of the bars shown, the most first
    truncated: bool
