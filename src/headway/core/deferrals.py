"""Deferred attempts: how a wait begins and ends, and when it is overdue. Pure, like ``plan``.

A wait holds no slot and no process. The attempt keeps its number, and its ``execution_timeout`` is counted from its
first start, the wait included.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from headway.core import answering
from headway.core.assets import emit
from headway.core.judging import end_others
from headway.core.questions import default_answer, question_of
from headway.core.reasons import (
    AttemptFailed,
    AwaitsAnswer,
    AwaitsAsset,
    AwaitsRun,
    AwaitsTime,
    AwaitsTrigger,
    Reason,
    SkippedItself,
    WaitOver,
    WaitTimedOut,
)
from headway.core.reports import Found
from headway.core.run import SCHEDULER, Instance, Result, Run
from headway.core.states import DEFERRED, AttemptEvent, AttemptState, Event
from headway.core.waits.deferral import Awaited, Deferral, Overdue


def may_begin(run: Run, instance: Instance) -> bool:
    """Return whether the live attempt may wait: its process existed, and nobody wants it ended."""
    attempt = instance.attempt
    return attempt is not None and attempt.state is AttemptState.RUNNING and instance.intent is None


def begin(run: Run, instance: Instance, asked: Deferral, at: datetime, actor: str) -> None:
    deferral = run.defer_attempt(instance, asked, at)
    event = Event.RESCHEDULE if deferral.reschedules else Event.DEFER
    run.move(instance, event, reason(deferral), actor, wake_at=alarm(instance, deferral))


def reason(deferral: Deferral) -> Reason:
    match deferral.kind:
        case Awaited.TIME:
            assert deferral.until is not None, deferral
            return AwaitsTime(deferral.until.isoformat(), deferral.reschedules)
        case Awaited.RUN:
            return awaited_run(deferral.facts)
        case Awaited.ASSET:
            return awaited_asset(deferral.facts)
        case Awaited.TRIGGER:
            return AwaitsTrigger(str(deferral.facts["what"]))
        case Awaited.ANSWER:
            question = question_of(deferral.facts)
            return AwaitsAnswer(
                question.subject, (*question.assigned_users, *question.assigned_roles)
            )


def awaited_run(facts: Mapping[str, Any]) -> AwaitsRun:
    states = tuple(str(state) for state in facts["states"])
    return AwaitsRun(str(facts["dag"]), str(facts["date"]), states, str(facts.get("task") or ""))


def awaited_asset(facts: Mapping[str, Any]) -> AwaitsAsset:
    return AwaitsAsset(
        str(facts["asset"]), str(facts.get("partition") or ""), str(facts.get("since") or "")
    )


def alarm(instance: Instance, deferral: Deferral) -> datetime | None:
    """Return when the clock has something to do; None: never."""
    times = (deferral.until, deferral.ends_at, limit(instance))
    return min((time for time in times if time is not None), default=None)


def limit(instance: Instance) -> datetime | None:
    """Return when the ``execution_timeout`` of the attempt is over."""
    attempt, timeout_s = instance.attempt, instance.node.timeout_s
    if attempt is None or attempt.started_at is None or timeout_s is None:
        return None
    return attempt.started_at + timedelta(seconds=timeout_s)


def is_meant(instance: Instance, report: Found) -> bool:
    """Return whether what was found is what the instance waits for now."""
    attempt = instance.attempt
    return (
        instance.state in DEFERRED
        and attempt is not None
        and (attempt.number, attempt.deferrals) == (report.number, report.deferrals)
    )


def go_on(run: Run, instance: Instance, report: Found | None, *, timed_out: bool = False) -> None:
    """The wait is over. ``report``: what was found; None: the clock ended it."""
    attempt = instance.attempt
    assert attempt is not None
    assert attempt.deferral is not None, f"{instance} does not wait"
    why = WaitTimedOut(attempt.deferral.timeout_s or 0.0) if timed_out else WaitOver()
    if attempt.deferral.finishes and not timed_out:
        run.end_attempt(instance, AttemptEvent.SUCCEED, run.now, cause=None, detail=None)
        bring(run, instance, report)
        emit(run, instance, ())
        run.move(instance, Event.SUCCEED, why)
    else:
        found, secrets = (None, ()) if report is None else (report.found, report.secrets)
        run.end_wait(instance, found, timed_out=timed_out, secrets=secrets)
        run.move(instance, Event.WAKE, why)


def bring(run: Run, instance: Instance, report: Found | None) -> None:
    """Take what was found as the result of a task that needs no process for it."""
    xcom = None if report is None else report.xcom
    instance.length = None if report is None else report.length
    instance.item = xcom is not None
    if xcom is not None:
        run.changes.results.append(Result(instance, instance.attempts, xcom))


def wake(run: Run, instance: Instance) -> AttemptFailed | None:
    """The clock has reached ``wake_at``. Returns why the attempt has failed, if its time is over; the rest is done."""
    attempt = instance.attempt
    assert attempt is not None
    assert attempt.deferral is not None, f"{instance} does not wait"
    deferral, at = attempt.deferral, instance.wake_at
    if deferral.until is not None and deferral.until == at:
        go_on(run, instance, None)
    elif deferral.ends_at is not None and deferral.ends_at == at:
        give_up(run, instance, deferral)
    else:
        detail = (
            f"it ran and waited longer than its execution_timeout of {instance.node.timeout_s:g} s"
        )
        return fail(run, instance, "timeout", detail)
    return None


def fail(run: Run, instance: Instance, cause: str, detail: str) -> AttemptFailed:
    """End the attempt. Returns why; its retries decide what follows."""
    run.end_attempt(instance, AttemptEvent.FAIL, run.now, cause=cause, detail=detail)
    return AttemptFailed(cause, detail)


def no_jitter() -> float:
    """Return no chance: where the clock ends an attempt, nothing else decides on its retry."""
    return 0.0


def give_up(run: Run, instance: Instance, deferral: Deferral) -> None:
    """End a wait that takes too long."""
    if deferral.kind is Awaited.ANSWER:
        answer = default_answer(question_of(deferral.facts), run.now, SCHEDULER)
        if answer is not None:
            answering.take(run, instance, answer)
            return
    detail = overdue_in_words(deferral)
    if deferral.overdue is Overdue.RESUME:
        go_on(run, instance, None, timed_out=True)
    elif deferral.overdue is Overdue.SKIP:
        run.end_attempt(instance, AttemptEvent.SKIP, run.now, cause="wait_timeout", detail=detail)
        run.move(instance, Event.SKIP, SkippedItself(detail), SCHEDULER)
    else:
        why = fail(run, instance, "wait_timeout", detail)
        instance.failures += 1
        run.move(instance, Event.FAIL, why, SCHEDULER)
        if run.graph.fail_fast:
            end_others(run, instance.node)


def overdue_in_words(deferral: Deferral) -> str:
    if deferral.kind is Awaited.ANSWER:
        return f"nobody answered within {deferral.timeout_s:g} s, and the question has no default"
    return f"what it waited for did not come within {deferral.timeout_s:g} s"
