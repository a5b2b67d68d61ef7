"""The scheduler's judgement of one run: reports and timers in, moves out.

Pure: no I/O, no clock, no randomness. ``run.now`` is the database's time at the start of the tick;
``chance`` gives the jitter of retries. A turn costs what changed: only nodes below a node that
changed are judged again.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from headway.core import deferrals, loops, mapping, waits
from headway.core.assets import emit
from headway.core.branches import covers
from headway.core.graph import Node
from headway.core.judging import FAIL_FAST, fit_loops, judge_in_group
from headway.core.judging import end_others as end_others
from headway.core.judging import intend as intend
from headway.core.judging import judge_node as judge_node
from headway.core.judging import recall as recall
from headway.core.judging import recall_below as recall_below
from headway.core.judging import released as released
from headway.core.ready import admit
from headway.core.reasons import (
    AttemptFailed,
    Cancelled,
    Cleared,
    FailedFast,
    GivenUp,
    LeavesFailed,
    LeavesSucceeded,
    LostTooOften,
    Marked,
    Reason,
    RetryOver,
    RunStarted,
    RunTimedOut,
    SkippedItself,
    TooManyTasks,
)
from headway.core.reasons import Started as ProcessStarted
from headway.core.reports import Ended, Found, Named, Outcome, Report, Started
from headway.core.retry import LOSSES_MAX, Cause, Ending, GiveUp, Retry, next_step
from headway.core.run import SCHEDULER, Attempt, Instance, Result, Run
from headway.core.states import (
    ATTEMPT_TRANSITIONS,
    BROKEN,
    LIVE,
    PENDING,
    AttemptEvent,
    AttemptState,
    Event,
    RunEvent,
    RunState,
    State,
)
from headway.core.waits.of_run import of_run, timeout

TIMEOUT: Final = "scheduler:dagrun_timeout"
END_OF: Final[Mapping[Outcome, AttemptEvent]] = {
    Outcome.SUCCESS: AttemptEvent.SUCCEED,
    Outcome.FAILED: AttemptEvent.FAIL,
    Outcome.SKIPPED: AttemptEvent.SKIP,
    Outcome.CANCELLED: AttemptEvent.CANCEL,
    Outcome.LOST: AttemptEvent.LOSE,
    Outcome.DEFERRED: AttemptEvent.DEFER,
}
AGE_S_MAX: Final = 1e9  # of what an agent says; more would leave the calendar
NAMED_MAX: Final = 3  # tasks in a reason

Chance = Callable[[], float]


def begin(run: Run) -> None:
    """Start a queued run: its task instances come into being, or come back after a clear.

    A run that would have more of them than its team may have fails instead.
    """
    tasks = len(run.graph.nodes)
    if run.tasks_max is not None and tasks > run.tasks_max and not any(run.instances):
        run.advance(RunEvent.FAIL, TooManyTasks(tasks, run.tasks_max))
        return
    run.advance(RunEvent.START, RunStarted())
    mapping.populate(run)
    run.judge_all()


def skip(run: Run, why: Reason) -> None:
    """End a queued run that is not to start: its task instances come into being, and are skipped."""
    mapping.populate(run)
    for instance in list(run.all()):
        if instance.state is State.WAITING:
            run.move(instance, Event.SKIP, why)
    run.advance(RunEvent.SKIP, why)


def absorb(run: Run, report: Report, chance: Chance) -> bool:
    """Take in a report. False:

    it is stale (not of the live attempt, a wrong token, or true of another session) and changes nothing.
    """
    instance = run.get(report.task_id, report.map_index)
    attempt = instance.attempt if instance is not None else None
    if instance is None or attempt is None:
        return False
    if isinstance(report, Found):
        return find(run, instance, report, chance)
    if (attempt.number, attempt.token) != (report.number, report.token):
        return False
    if isinstance(report, Ended) and report.session not in ("", attempt.session):
        return False
    if isinstance(report, Named | Ended) and report.name:
        instance.name = report.name
        run.touch(instance)
    match report:
        case Started():
            if instance.state is State.QUEUED:
                start(run, instance, report.age_s, report.pid)
        case Ended():
            if report.started:
                began(run, instance, report)
            end(run, instance, report, chance)
    return True


def find(run: Run, instance: Instance, report: Found, chance: Chance) -> bool:
    """Take in that what a deferred attempt waited for is there, or will not be."""
    if not deferrals.is_meant(instance, report):
        return False
    if not released(run, instance):
        recall(run, instance, SCHEDULER)
    elif report.error:
        why = deferrals.fail(run, instance, "wait_failed", report.error)
        cause = Cause(why.cause, report.exceptions)
        again(run, instance, False, why, SCHEDULER, chance, cause)
    else:
        deferrals.go_on(run, instance, report)
    return True


def start(run: Run, instance: Instance, age_s: float, pid: int | None) -> None:
    attempt = instance.attempt
    assert attempt is not None
    run.start_attempt(instance, ago(run, age_s, attempt.queued_at), pid)
    run.move(instance, Event.START, ProcessStarted(), actor=f"agent:{attempt.session}")


def began(run: Run, instance: Instance, report: Ended) -> None:
    """The end says how long it ran, which is exact; when its start was heard of is not."""
    attempt = instance.attempt
    assert attempt is not None
    if instance.state is State.QUEUED:
        start(run, instance, report.run_s + report.age_s, None)
    elif report.run_s > 0 and not attempt.deferrals:
        at = ago(run, report.run_s + report.age_s, attempt.queued_at)
        attempt.started_at = instance.started_at = at


def ago(run: Run, age_s: float, earliest: datetime) -> datetime:
    """Return the time ``age_s`` ago by the run's clock; an agent is believed only between ``earliest`` and now."""
    return max(earliest, run.now - timedelta(seconds=min(max(0.0, age_s), AGE_S_MAX)))


def end(run: Run, instance: Instance, report: Ended, chance: Chance) -> None:
    """The attempt is over; what a person wanted meanwhile comes before what it brought."""
    attempt = instance.attempt
    assert attempt is not None
    actor = f"agent:{attempt.session}"
    report = loops.bounded(run, instance, report)
    if report.deferral is not None and deferrals.may_begin(run, instance):
        at = ago(run, report.age_s, attempt.started_at or attempt.queued_at)
        deferrals.begin(run, instance, report.deferral, at, actor)
        return
    event = END_OF[report.outcome]
    if event is AttemptEvent.DEFER:  # and may not wait any more
        event = AttemptEvent.CANCEL
    # A process that never existed cannot have brought a result.
    if (attempt.state, event) not in ATTEMPT_TRANSITIONS:
        event = AttemptEvent.LOSE
    run.end_attempt(
        instance,
        event,
        ago(run, report.age_s, attempt.started_at or attempt.queued_at),
        cause=report.cause or None,
        detail=report.detail or None,
        line=report.line,
        exit_code=report.exit_code,
    )
    if instance.intent is not None and not is_to_clean_up(instance, attempt):
        fulfil(run, instance)
    elif attempt.state is AttemptState.SUCCESS:
        succeed(run, instance, report, actor)
    elif attempt.state is AttemptState.SKIPPED:
        run.move(instance, Event.SKIP, SkippedItself(report.detail or ""), actor)
    elif attempt.state is AttemptState.FAILED and not report.retry:
        instance.failures += 1
        fail(run, instance, AttemptFailed(report.cause, report.detail), actor)
    else:
        infrastructure = attempt.state in (AttemptState.LOST, AttemptState.CANCELLED)
        why = AttemptFailed(report.cause, report.detail)
        again(run, instance, infrastructure, why, actor, chance, cause_of(report))


def cause_of(report: Ended) -> Cause:
    """Return what of an end the rules of a task may name."""
    return Cause(
        report.cause,
        report.exceptions,
        report.exit_code,
        report.retry_delay_s,
        report.retry_reason,
    )


def is_to_clean_up(instance: Instance, attempt: Attempt) -> bool:
    """Return whether it is a setup that succeeded while it was being ended: what it made is to be cleaned up."""
    done = attempt.state is AttemptState.SUCCESS
    return instance.node.setup and done and instance.intent in (Event.CANCEL, Event.FAIL)


def fail(run: Run, instance: Instance, why: Reason, actor: str) -> None:
    """Note that it has failed for good."""
    run.move(instance, Event.FAIL, why, actor)
    if run.graph.fail_fast:
        end_others(run, instance.node)


def succeed(run: Run, instance: Instance, report: Ended, actor: str) -> None:
    instance.length, instance.item = report.length, report.item
    chooses = instance.node.is_gate or not covers(
        run.graph, instance.node, report.follow or frozenset()
    )
    if report.follow is not None and chooses:
        instance.follow = report.follow
    run.changes.results.extend(Result(instance, instance.attempts, xcom) for xcom in report.xcoms)
    emit(run, instance, report.told)
    run.move(instance, Event.SUCCEED, None, actor)


def fulfil(run: Run, instance: Instance) -> None:
    """Do what a person, or ``fail_fast``, asked for while the attempt was live."""
    event, actor = instance.intent, instance.intent_by
    assert event is not None
    assert actor is not None
    if event is Event.FAIL:
        end = Event.SKIP if instance.state is State.QUEUED else Event.FAIL
        run.move(instance, end, FailedFast(actor.removeprefix(FAIL_FAST)))
        return
    run.move(instance, event, wanted(event, actor), actor)
    if event is Event.CLEAR:
        reset(run, instance)
        run.stale.add(instance.node.index)
    recall_below(run, [instance.node.index], actor)


def wanted(event: Event, actor: str) -> Reason:
    """Return the reason for what a person requested while the attempt was live."""
    if event is Event.CLEAR:
        return Cleared(actor, live=True)
    return Cancelled(actor, live=True) if event is Event.CANCEL else Marked(actor, live=True)


def reset(run: Run, instance: Instance) -> None:
    """Forget what an earlier life of the instance counted and brought, once it has left it. Attempts
    keep their numbers.
    """
    instance.failures = instance.losses = 0
    instance.ready_at = instance.queued_at = instance.started_at = None
    forget_result(run, instance)


def forget_result(run: Run, instance: Instance) -> None:
    assert instance.state is not State.SUCCESS, f"{instance} still has its result"
    instance.length = instance.follow = None
    instance.item = False
    if instance.attempts:
        run.changes.forgotten[instance.key] = instance


def again(
    run: Run,
    instance: Instance,
    infrastructure: bool,
    why: AttemptFailed,
    actor: str,
    chance: Chance,
    cause: Cause | None = None,
) -> None:
    """Another attempt, if the budget for this kind of end has one left. ``cause``: more of the end."""
    if infrastructure:
        instance.losses += 1
    else:
        instance.failures += 1
    ending = Ending.LOST if infrastructure else Ending.FAILED
    failures, losses = instance.failures, instance.losses
    cause = cause or Cause(why.cause)
    step = next_step(instance.node.retry, cause, failures, losses, LOSSES_MAX, ending, chance())
    match step:
        case Retry(delay_s, retries, by):
            wake_at = run.now + timedelta(seconds=delay_s)
            if by is not None:
                why = AttemptFailed(why.cause, why.detail, failures, retries, by)
            run.move(instance, Event.RETRY, why, actor, wake_at=wake_at)
        case GiveUp() if infrastructure:
            given_up: Reason = LostTooOften(why.cause, why.detail, losses)
            fail(run, instance, given_up, actor)
        case GiveUp(retries, by):
            given_up = GivenUp(why.cause, why.detail, failures, retries, by)
            fail(run, instance, given_up, actor)


def rescue(run: Run, dead_sessions: Collection[str], chance: Chance) -> None:
    """Take back the attempts of sessions whose lease is over.

    The agent has ended itself before (``FENCE_S`` < ``LEASE_S``).
    """
    if not dead_sessions:
        return
    for instance in [i for i in run.all() if i.state in LIVE]:
        attempt = instance.attempt
        assert attempt is not None, f"{instance} is {instance.state} without an attempt"
        if attempt.session not in dead_sessions:
            continue
        why = AttemptFailed("no_heartbeat", "its agent sent no heartbeat")
        run.end_attempt(instance, AttemptEvent.LOSE, run.now, cause=why.cause, detail=why.detail)
        if instance.intent is not None:
            fulfil(run, instance)
        else:
            again(run, instance, True, why, "scheduler", chance)


def settle(run: Run) -> None:
    """Everything that follows by itself:

    timers, trigger rules, ranks, the run's own end, the next timer.
    """
    if run.state is not RunState.RUNNING:
        return
    wake(run)
    expire(run)
    while run.stale or run.stale_items or run.stale_loops:
        fit_loops(run)
        # In topological order: upstream before downstream, and the same on any machine.
        whole, items = run.stale, run.stale_items
        run.stale, run.stale_items = set(), {}
        for index in sorted(whole.union(items) if items else whole):
            node = run.graph.nodes[index]
            if node.peers:
                judge_in_group(run, node, None if index in whole else items[index])
            else:
                judge_node(run, node)
    if run.open == 0:
        finish(run)
    elif run.queues.held:
        admit(run)
    due_at = waits.first(of_run(run))
    if due_at != run.due_at:
        run.due_at = due_at
        run.changes.run = True


def wake(run: Run) -> None:
    for instance in list(run.asleep.values()):
        if instance.wake_at is None or instance.wake_at > run.now:
            continue
        if not released(run, instance):
            recall(run, instance, SCHEDULER)
        elif instance.state is State.UP_FOR_RETRY:
            run.move(instance, Event.WAKE, RetryOver())
        elif (why := deferrals.wake(run, instance)) is not None:
            again(run, instance, False, why, SCHEDULER, deferrals.no_jitter)


def expire(run: Run) -> None:
    """``dagrun_timeout``: what has not ended is cancelled, and the run will have failed."""
    ends_at, limit_s = timeout(run), run.graph.timeout_s
    if ends_at is None or limit_s is None or not run.open:
        return
    if ends_at <= run.now:
        cancel_open(run, TIMEOUT, RunTimedOut(limit_s))


def cancel_open(run: Run, actor: str, reason: Reason) -> None:
    """Cancel what has not ended, but for teardowns with something to clean up."""
    run.cancelled_by = actor
    run.changes.run = True
    for instance in list(run.all()):
        if instance.node.teardown and may_clean_up(run, instance.node):
            continue
        if instance.state in LIVE:
            intend(run, instance, Event.CANCEL, actor)
        elif instance.state in PENDING:
            run.move(instance, Event.CANCEL, reason, actor)


def may_clean_up(run: Run, teardown: Node) -> bool:
    """Return whether a setup of the teardown succeeded, or still may; true for a teardown without setups."""
    own = [run.counts[index] for index in teardown.upstream if run.graph.nodes[index].setup]
    return not own or any(states.get(each) for states in own for each in (State.SUCCESS, *LIVE))


def finish(run: Run) -> None:
    """End a run whose instances are all final.

    The leaves decide (``Graph.deciding``), unless the run was ended from outside. With ``fail_fast`` a failure
    higher up does too: what is below it was skipped.
    """
    if run.cancelled_by == TIMEOUT:
        assert run.graph.timeout_s is not None
        run.advance(RunEvent.FAIL, RunTimedOut(run.graph.timeout_s))
        return
    if run.cancelled_by is not None:
        run.advance(RunEvent.CANCEL, Cancelled(run.cancelled_by), run.cancelled_by)
        return
    bad = [node for node in run.graph.deciding() if broken(run, node)] or failed_fast(run)
    if bad:
        names = tuple(node.task_id for node in bad[:NAMED_MAX])
        run.advance(RunEvent.FAIL, LeavesFailed(names, len(bad) - len(names)))
    else:
        aside = [n.task_id for n in run.graph.nodes if not n.decides_outcome and broken(run, n)]
        run.advance(RunEvent.SUCCEED, LeavesSucceeded(tuple(aside[:20])))


def failed_fast(run: Run) -> list[Node]:
    if not run.graph.fail_fast:
        return []
    nodes = run.graph.nodes
    return [n for n in nodes if n.decides_outcome and run.counts[n.index].get(State.FAILED)]


def broken(run: Run, node: Node) -> int:
    counts = run.counts[node.index]
    return sum(counts.get(state, 0) for state in BROKEN)
