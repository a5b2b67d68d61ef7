"""Summarises a run in one sentence and groups equal errors. Pure.

The sentence answers, in this order: how did it end and after how long; what failed, how many of how
many, how often differently; what was kept from running by it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from headway.core.reasons import Cancelled, Reason, RunTimedOut
from headway.core.states import FINAL, RunState, State
from headway.core.wording import said
from headway.core.words import counted, duration, listed, person


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTrouble:
    """A task of which something failed or was kept from running. ``total``: its instances."""

    task_id: str
    failed: int = 0
    blocked: int = 0
    cancelled: int = 0
    total: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    state: RunState
    reason: Reason | None
    started_at: datetime | None
    ended_at: datetime | None
    now: datetime
    counts: Mapping[str, int] = field(default_factory=dict)  # instances by state
    troubles: Sequence[TaskTrouble] = ()
    errors: int | None = None  # distinct ones; None: not looked at
    waits: Reason | None = None  # why it has not started, where that is known


def headline(facts: Facts) -> str:
    match facts.state:
        case RunState.QUEUED:
            return sentence("Waits to start", [words_of(facts.waits)])
        case RunState.RUNNING:
            return running(facts)
        case RunState.SUCCESS:
            return succeeded(facts)
        case RunState.FAILED:
            parts = [*failures(facts), *blocked(facts)]
            return sentence(f"Failed{after(facts)}", parts or [words_of(facts.reason)])
        case RunState.SKIPPED:
            return sentence("Skipped", [words_of(facts.reason)])
        case RunState.CANCELLED:
            by = f" by {person(facts.reason.by)}" if isinstance(facts.reason, Cancelled) else ""
            beginning = f"Cancelled{by}{after(facts)}"
            return sentence(beginning, [*failures(facts), *unfinished(facts)])


def words_of(reason: Reason | None) -> str:
    return "" if reason is None else said(reason)


def after(facts: Facts) -> str:
    if facts.started_at is None:
        return " before it started"
    end = facts.ended_at or facts.now
    return f" after {duration((end - facts.started_at).total_seconds())}"


def sentence(beginning: str, parts: Sequence[str]) -> str:
    said = "; ".join(part for part in parts if part)
    return f"{beginning}: {said}." if said else f"{beginning}."


def failures(facts: Facts) -> list[str]:
    failed = [trouble for trouble in facts.troubles if trouble.failed]
    out_of_time = isinstance(facts.reason, RunTimedOut) and facts.state is RunState.FAILED
    parts = [words_of(facts.reason)] if out_of_time else []
    if not failed:
        return parts
    if len(failed) == 1:
        said = f"{share(failed[0])} failed"
    else:
        most = sorted(failed, key=lambda trouble: -trouble.failed)
        said = f"{listed([share(trouble) for trouble in most])} failed"
    if facts.errors is not None and facts.errors > 1:
        said += f", {facts.errors:,} distinct errors"
    return [*parts, said]


def share(trouble: TaskTrouble) -> str:
    """``37 of 1,500 `summarise` ``, or just the name of a task that is not mapped."""
    if trouble.total == 1:
        return f"`{trouble.task_id}`"
    if trouble.failed == trouble.total:
        return f"all {trouble.total:,} `{trouble.task_id}`"
    return f"{trouble.failed:,} of {trouble.total:,} `{trouble.task_id}`"


def blocked(facts: Facts) -> list[str]:
    tasks = sum(trouble.blocked > 0 for trouble in facts.troubles)
    return [f"{counted(tasks, 'task')} blocked"] if tasks else []


def unfinished(facts: Facts) -> list[str]:
    left = facts.counts.get(State.CANCELLED, 0)
    return [f"{counted(left, 'task instance')} did not finish"] if left else []


def running(facts: Facts) -> str:
    total = sum(facts.counts.values())
    done = sum(facts.counts.get(state, 0) for state in FINAL)
    parts = [f"{done:,} of {total:,} task instances have ended"] if total else []
    parts += [
        f"{facts.counts[state]:,} {said}"
        for state, said in (
            (State.RUNNING, "running"),
            (State.UP_FOR_RETRY, "waiting for a retry"),
            (State.DEFERRED, "deferred"),
            (State.UP_FOR_RESCHEDULE, "waiting for the next look"),
            (State.READY, "waiting to start"),
        )
        if facts.counts.get(state)
    ]
    beginning = f"Running{after(facts).replace('after', 'for')}"
    return sentence(beginning, [*parts, *failures(facts)])


def succeeded(facts: Facts) -> str:
    """Say that the run succeeded, also when something failed on the way that no leaf needed."""
    beginning = f"Succeeded{after(facts)}"
    troubled = failures(facts)
    if troubled:
        return f"{beginning}, although {'; '.join(troubled)}."
    good, skipped = facts.counts.get(State.SUCCESS, 0), facts.counts.get(State.SKIPPED, 0)
    parts = [counted(good, "task instance")] if good else []
    parts += [f"{skipped:,} skipped"] if skipped else []
    return sentence(beginning, [", ".join(parts)])


# In this order: an address may hold a path, a path an id, an id digits. What is quoted stays:
# two keys that are missing are two errors.
VARIABLE: Final = (
    (re.compile(r"0x[0-9a-fA-F]+"), "…"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "…"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+"), "…"),
    (re.compile(r"(?<![\w.])~?(?:/[\w.@%+=:,-]+){2,}/?"), "…"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,}\b"), "…"),
    (re.compile(r"\b(?=[a-z]*\d[a-z]*\d)[a-z0-9]{10,}\b"), "…"),
    (re.compile(r"[-+]?\d+(?:[.,:_-]\d+)*"), "#"),
    (re.compile(r"\s+"), " "),
)
FINGERPRINT_MAX: Final = 300
TEXT_MAX: Final = 4_000  # of an error, that is looked at


def fingerprint(cause: str | None, detail: str | None) -> str:
    """Equal for two errors that differ only in numbers, ids, paths and addresses.

    A text for people, too: what varies is shown as ``…`` or ``#``.
    """
    text = (detail or "")[:TEXT_MAX]
    for pattern, mark in VARIABLE:
        text = pattern.sub(mark, text)
    return f"{cause or 'failed'}: {text.strip()}"[:FINGERPRINT_MAX] if text else cause or "failed"
