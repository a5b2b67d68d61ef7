"""The Gantt chart of a run."""

from datetime import datetime

import msgspec

from headway.core.reasons import Reason
from headway.wire.runs import Run


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: upstream, ready, queued, running or retry; ``reason``: what held back one that was
    ready. ``to`` None: it goes on. ``number`` and ``state`` are those of the attempt.
    """

    kind: str
    reason: str | None
    start: datetime = msgspec.field(name="from")
    end: datetime | None = msgspec.field(name="to")
    number: int | None
    state: str | None
    wait: str | None = (
        None  # upstream, pool, limit, agent, paused, retry, start, other; None: it worked
    )
    why: Reason | None = None


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A task instance. ``expected_s``: how long the task usually runs; None if not known yet."""

    task_id: str
    map_index: int
    state: str
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
