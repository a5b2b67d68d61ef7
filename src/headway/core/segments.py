"""The life of a task instance as pieces of time: what it waited for, and when it worked. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from headway.core.reasons import Reason, Wait, wait_of
from headway.core.states import FINAL, State
from headway.core.wording import heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt."""

    number: int
    state: str
    ready_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    waited_for: Reason | None
    deferrals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A task instance. ``began_at``: its run."""

    state: State
    began_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    blocked_reason: Reason | None
    attempts: Sequence[Tried]


@dataclass(frozen=True, slots=True)
class Segment:
    """``kind``: upstream, ready, queued, running, deferred (most of the attempt was a wait) or retry.

    ``end`` None: it goes on.
    """

    kind: str
    reason: Reason | None
    start: datetime
    end: datetime | None
    attempt: int | None = None
    state: str | None = None

    @property
    def wait(self) -> Wait | None:
        """The category of the wait; None while it worked."""
        if self.kind == "running":
            return None
        if self.kind == "ready":
            return Wait.OTHER if self.reason is None else wait_of(self.reason)
        return OF_KIND[self.kind] if self.reason is None else wait_of(self.reason)


def segments(life: Life) -> list[Segment]:
    """Return the segments in the order of time, without those that took none."""
    return [each for each in pieces(life) if each.end is None or each.end > each.start]


def pieces(life: Life) -> Iterator[Segment]:
    at, waiting = life.began_at, "upstream"
    for tried in life.attempts:
        ready_at = max(at, tried.ready_at or tried.queued_at)
        yield Segment(waiting, None, at, ready_at)
        held_by = life.blocked_reason if life.state is State.QUEUED else None
        yield from attempted(tried, ready_at, held_by)
        if tried.ended_at is None:
            return
        at, waiting = tried.ended_at, "retry"
    if life.state in FINAL:
        if not life.attempts:
            yield Segment("upstream", None, at, life.ended_at)
    elif life.state is State.READY and life.ready_at is not None:
        ready_at = max(at, life.ready_at)
        yield Segment(waiting, None, at, ready_at)
        yield Segment("ready", life.blocked_reason, ready_at, None)
    elif life.state is State.UP_FOR_RETRY:
        yield Segment("retry", None, at, None)
    else:
        yield Segment("upstream", None, at, None)


def attempted(tried: Tried, ready_at: datetime, held_by: Reason | None) -> Iterator[Segment]:
    yield Segment("ready", tried.waited_for, ready_at, tried.queued_at, tried.number)
    begun_at = tried.started_at or tried.ended_at
    reason = held_by if begun_at is None else None
    yield Segment("queued", reason, tried.queued_at, begun_at, tried.number)
    if tried.started_at is not None:
        kind = "deferred" if tried.deferrals else "running"
        yield Segment(kind, None, tried.started_at, tried.ended_at, tried.number, tried.state)


def waiting_by_reason(lives: Iterable[Sequence[Segment]], now: datetime) -> list[tuple[str, float]]:
    """Seconds spent waiting, by what for, the most first."""
    total: dict[str, float] = {}
    for pieces in lives:
        for each in pieces:
            if each.kind != "running":
                name = heading(each.reason) if each.reason else WORDS[each.kind]
                total[name] = (
                    total.get(name, 0.0) + ((each.end or now) - each.start).total_seconds()
                )
    return sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))


OF_KIND = {
    "upstream": Wait.UPSTREAM,
    "queued": Wait.START,
    "deferred": Wait.EVENT,
    "retry": Wait.RETRY,
}

WORDS = {
    "upstream": "upstream tasks",
    "ready": "the scheduler",
    "queued": "start on the agent",
    "deferred": "what the task was deferred for",
    "retry": "retry delay",
}
