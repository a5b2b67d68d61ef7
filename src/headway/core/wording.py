"""Reasons in words: the only place where a sentence is made of one, for command line, API and interface alike.

A sentence begins in lower case, for it follows a name and a state ("b was skipped: `gate` returned false"). Names of
tasks and pools are in backquotes.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from headway.core import loop_wording, partition_wording
from headway.core.aliases import quoted
from headway.core.foreign import foreign
from headway.core.limits import WORDS
from headway.core.reasons import (
    About,
    AgentsFull,
    Answered,
    AnsweredByDefault,
    AttemptFailed,
    AwaitsAnswer,
    AwaitsAsset,
    AwaitsAssets,
    AwaitsDate,
    AwaitsIteration,
    AwaitsPartitions,
    AwaitsPast,
    AwaitsRun,
    AwaitsTime,
    AwaitsTrigger,
    BackfillFull,
    BackfillPaused,
    Cancelled,
    Cleared,
    CodeChanged,
    Created,
    DagPaused,
    EndDateReached,
    ExecutorUnknown,
    FailedFast,
    FileGone,
    GivenUp,
    Granted,
    HandedOver,
    HeldByRun,
    ItemGone,
    IterationGone,
    LatePartition,
    LeavesFailed,
    LeavesSucceeded,
    LostTooOften,
    MappedOverNothing,
    Marked,
    MaxActiveRuns,
    MaxActiveTasks,
    MaxActiveTis,
    MaxActiveTisOfDag,
    NoAgent,
    NoDatesLeft,
    NoSchedule,
    NoScheduler,
    NotAList,
    NotChosen,
    NotCreated,
    NotSeen,
    OverduePartition,
    PodPending,
    PodRefused,
    PoolEmpty,
    PoolFull,
    PoolMissing,
    PoolNotShared,
    PoolResized,
    PoolShared,
    PoolTooSmall,
    PoolTurn,
    QueueUnserved,
    QuotaFull,
    Reason,
    Rejected,
    RetryOver,
    RuleMet,
    RuleNotMet,
    RunsContinuously,
    RunsOnce,
    RunStarted,
    RunTimedOut,
    SetAside,
    SetupNotSuccessful,
    SkippedByStrategy,
    SkippedItself,
    SourceNotSuccessful,
    Started,
    TaskRemoved,
    TeamSlots,
    Text,
    TooManyItems,
    TooManyTasks,
    UpstreamChanged,
    WaitOver,
    WaitTimedOut,
    WarmStarting,
)
from headway.core.retry_wording import decision, used_up
from headway.core.words import counted, listed, person

PODS: Final = "kubernetes"  # the executor that a server has when it is told of a cluster
ENDED: Final = {
    "success": "succeeded",
    "failed": "failed",
    "skipped": "was skipped",
    "upstream_failed": "did not run",
    "cancelled": "was cancelled",
}
EACH: Final = {**ENDED, "skipped": "skipped", "cancelled": "cancelled"}
DONE: Final = {Cleared: "cleared", Marked: "marked", Cancelled: "cancelled"}


def said(reason: Reason) -> str:
    """One sentence, without a full stop."""
    for say in (
        said_of_waits,
        said_of_lines,
        said_of_runs,
        said_of_upstream,
        said_of_attempts,
        said_of_deferrals,
    ):
        if (text := say(reason)) is not None:
            return text
    raise AssertionError(f"no words for {reason}")


def heading(reason: Reason) -> str:
    """Word a wait without its current figures."""
    match reason:
        case (
            PoolFull(pool) | PoolMissing(pool) | PoolEmpty(pool) | PoolTurn(pool) | PoolShared(pool)
        ):
            return f"pool {of_team(pool)}"
        case PoolTooSmall(pool):
            return f"more slots than pool {of_team(pool)} has"
        case TeamSlots(team):
            return f"slots of team `{team}`"
        case AgentsFull():
            return "busy agents"
        case QuotaFull(resource):
            return f"quota {resource}"
        case PodPending(cause):
            return f"pods: {cause}"
        case DagPaused():
            return "DAG paused"
        case MaxActiveTasks() | MaxActiveTis() | MaxActiveTisOfDag():
            return str(reason.kind)
        case AwaitsPast(task=task):
            return f"`{task}` of the run before"
    return said(reason)


def of_team(pool: str) -> str:
    other = foreign(pool)
    return f"`{pool}`" if other is None else f"`{other.name}` of team `{other.team}`"


def shared(borrowed: int, lent: int) -> str:
    if borrowed:
        return f", {borrowed} of them borrowed"
    return f"; {lent} more are lent to other teams until their tasks end" if lent else ""


def holders(held_by: Mapping[str, int]) -> str:
    """Return who uses a quota, for the end of a sentence."""
    most = sorted(held_by.items(), key=lambda entry: (-entry[1], entry[0]))  # JSON has no order
    named = [f"`{dag}` ({counted(pods, 'pod')})" for dag, pods in most]
    return f", held by {listed(named)}" if named else ""


def said_of_waits(reason: Reason) -> str | None:
    match reason:
        case PoolFull(pool, used, slots):
            return f"pool `{pool}` is full: {used} of {slots} slots in use"
        case PoolMissing(pool):
            return f"pool `{pool}` does not exist: headway pool set {pool} 16"
        case PoolEmpty(pool):
            advice = "" if foreign(pool) else f": headway pool set {pool} 16"
            return f"pool {of_team(pool)} has no slots{advice}"
        case PoolTooSmall(pool, needed, slots):
            return f"needs {counted(needed, 'slot')}, but pool {of_team(pool)} has {slots}"
        case PoolTurn(pool):
            return f"waits for its turn in pool {of_team(pool)}"
        case PoolShared(pool, used, allotted, slots):
            return (
                f"pool {of_team(pool)}, which teams share, has {counted(slots, 'slot')}: this team uses {used} of the"
                f" {allotted} that it may use now"
            )
        case PoolNotShared(pool, team):
            return (
                f"pool `{pool}` of team `{team}` is not, or no longer, shared with this team:"
                f" headway grant ask {team} use_pool {pool}"
            )
        case TeamSlots(team, used, slots, borrowed, lent):
            return f"team `{team}` uses {used} of {slots} slots{shared(borrowed, lent)}"
        case NoAgent():
            return "no live agent"
        case QueueUnserved(queue, executor):
            where = f" of executor `{executor}`" if executor else ""
            return (
                f"no live agent{where} serves queue `{queue}`: "
                f"headway up --queue default --queue {queue}"
            )
        case ExecutorUnknown(executor, known):
            next_step = ": headway up --kubernetes FILE" if executor == PODS else ""
            there_are = ", ".join(known) or "none"
            return f"no executor is called `{executor}`; there are: {there_are}{next_step}"
        case AgentsFull(agents):
            return f"all agents are busy: {', '.join(agents)}"
        case QuotaFull(resource, used, hard, asked, held_by):
            more = f", and its pod asks for {asked}" if asked else ""
            return f"quota {resource} {used}/{hard}{more}{holders(held_by)}"
        case PodPending(cause, message):
            return f"its pod has not started: {cause}{': ' + message if message else ''}"
        case PodRefused(message):
            return f"its pod is not created yet: {message}"
        case WarmStarting(pod, since):
            told = f" (pod {pod}, since {moment(since)})" if pod else ""
            return f"an agent of the warm pool is starting{told}"
        case DagPaused(by):
            return f"DAG paused by {person(by)}"
        case MaxActiveTasks(limit):
            return f"max_active_tasks is reached: {limit} queued or running"
        case MaxActiveTis(limit):
            return f"max_active_tis_per_dagrun is reached: {limit} queued or running"
        case MaxActiveTisOfDag(limit):
            return f"max_active_tis_per_dag is reached: {limit} over all runs"
        case AwaitsPast(run, date, task, state):
            did = ended(state) if state in ENDED else "has not ended" if state else "has not run"
            return f"waits for `{task}` of the run before, {run} for {moment(date)}, which {did}"
        case AwaitsIteration():
            return loop_wording.awaited(reason)
        case NotSeen():
            return "no scheduler has looked at it yet"
        case HandedOver():
            return "sent to an agent, not started yet"
    return None


def said_of_lines(reason: Reason) -> str | None:
    match reason:
        case MaxActiveRuns(running, limit, before):
            line = f", {before} queued before it" if before else ""
            return f"max_active_runs is reached: {running} of {limit} running{line}"
        case HeldByRun(strategy, run, date, state):
            which = f"run {run} for {moment(date)}"
            if state == "running":
                return (
                    f"{which} is running, and the DAG has one active run (run_strategy {strategy})"
                )
            if state == "queued":
                return f"{which} comes first (run_strategy {strategy})"
            return (
                f"{which}, the run before, {ended(state)} (run_strategy {strategy}): "
                "retry it, mark it success, or cancel this one"
            )
        case AwaitsDate(until):
            return f"its logical date, {moment(until)}, lies in the future"
        case SkippedByStrategy(strategy, run, date, state):
            did = "was running" if state == "running" else "was queued"
            return f"run {run} for {moment(date)} {did} (run_strategy {strategy})"
        case BackfillFull():
            return "its backfill has as many active runs as it may have"
        case BackfillPaused(by):
            return f"its backfill is paused by {person(by)}"
    return None


def said_of_runs(reason: Reason) -> str | None:
    match reason:
        case SetAside(error, until, failures):
            when = f" until {until[:19].replace('T', ' ')} UTC" if until else ""
            why = f" after the scheduler failed to plan it {failures} times" if failures else ""
            return f"set aside{when}{why}: {error}"
        case NoScheduler():
            return "no scheduler is running"
        case NotCreated():
            return "no scheduler has created its run yet"
        case FileGone():
            return "its file is no longer in the DAG folder: nothing will start"
        case NoSchedule():
            return "it has no schedule: it runs only when triggered"
        case RunsOnce():
            return "it runs once, at its start date"
        case NoDatesLeft():
            return "its schedule has no more dates"
        case RunsContinuously():
            return "its next run begins when the last one has ended"
        case AwaitsAssets(since=since, limit=limit) if limit:
            return (
                f"all that it waits for has new events, since {moment(since)}, "
                f"but the team has reached its limit of {WORDS.get(limit, limit)} ({limit}): "
                "its run is created when that allows it"
            )
        case AwaitsAssets(missing, since, closed):
            which = listed([quoted(asset) for asset in missing]) if missing else "its assets"
            shut = f"; no grant lets it use {listed([f'`{a}`' for a in closed])}" if closed else ""
            return (
                f"it waits for events of {which}{f', since {moment(since)}' if since else ''}{shut}"
            )
        case AwaitsPartitions():
            return partition_wording.awaited(reason, moment)
        case OverduePartition():
            return partition_wording.overdue(reason, moment)
        case LatePartition(partition, asset, arrived):
            return f"`{arrived}` of {quoted(asset)} arrived after this run of the partition {partition}"
        case EndDateReached():
            return "its end date has passed"
        case RunStarted():
            return "started when max_active_runs allowed it"
        case RunTimedOut(limit_s):
            return f"dagrun_timeout of {limit_s:g} s exceeded"
        case LeavesFailed(tasks, more):
            leaves = "leaf task" if len(tasks) + more == 1 else "leaf tasks"
            return f"{leaves} {named(tasks, more)} did not succeed"
        case LeavesSucceeded(aside):
            if not aside:
                return "all leaf tasks succeeded or were skipped"
            which = listed([f"`{task}`" for task in aside])
            do = "does" if len(aside) == 1 else "do"
            return (
                "all leaf tasks that decide the outcome succeeded or were skipped; "
                f"{which} failed and {do} not decide it"
            )
    return None


def said_of_upstream(reason: Reason) -> str | None:
    match reason:
        case RuleMet(rule, total, ends):
            if total == 0:
                return "it has no upstream tasks"
            return f"{rule} is met: of {counted(total, 'upstream task')}, {tally(ends, total)}"
        case RuleNotMet():
            return said_of_rule(reason)
        case NotChosen(branch, (), tested=True):
            return f"`{branch}` returned false"
        case NotChosen(branch, ()):
            return f"`{branch}` chose no task"
        case NotChosen(branch, chosen):
            return f"`{branch}` chose {listed([f'`{task}`' for task in chosen])}"
        case FailedFast(task):
            return f"`{task}` failed, and the DAG ends at the first failure (fail_fast)"
        case SkippedItself(message):
            return message or "the task skipped itself"
        case MappedOverNothing():
            return "mapped over an empty list"
        case SourceNotSuccessful(task, state):
            return f"mapped over the result of `{task}`, which {ended(state)}"
        case SetupNotSuccessful(task, state):
            return f"its setup `{task}` {ended(state)}"
        case NotAList(task):
            return f"cannot map over the result of `{task}`: it is not a list or dict"
        case TooManyItems(items, limit):
            return f"mapped over {items:,} items; the limit is {limit:,}"
        case TooManyTasks(tasks, limit):
            return f"the run would have {tasks:,} task instances; the limit of this team is {limit:,} (run_tasks)"
        case ItemGone(items):
            return f"its list has {counted(items, 'item')} now"
        case IterationGone(iterations):
            return f"an earlier iteration decides anew: its loop has {counted(iterations, 'iteration')} now"
    return None


def said_of_attempts(reason: Reason) -> str | None:
    match reason:
        case Granted(pool, agent):
            return f"got a slot of pool {of_team(pool)} on agent {agent}"
        case Started():
            return "its process has started"
        case AttemptFailed(cause, detail):
            why, decided = in_one_line(detail) or cause, decision(reason)
            return why if decided is None else with_why(why, decided)
        case GivenUp(cause, detail, failures, retries, by):
            return with_why(in_one_line(detail) or cause, used_up(failures, retries, by))
        case LostTooOften(cause, detail, losses):
            return with_why(
                in_one_line(detail) or cause, f"lost {losses} times with its agent or node"
            )
        case RetryOver():
            return "the retry delay is over"
        case UpstreamChanged():
            return "an upstream task has changed"
        case CodeChanged(by, version, before) if version != before:
            return f"continues with version {version} instead of version {before}, by {person(by)}"
        case CodeChanged(by, version):
            return f"continues with the latest files of version {version}, by {person(by)}"
        case TaskRemoved(task):
            return f"the version with which the run continues has no task `{task}`"
        case Cleared(by, live) | Marked(by, live) | Cancelled(by, live):
            return f"{DONE[type(reason)]} by {person(by)}{' while it was running' if live else ''}"
        case PoolResized(pool, slots):
            return f"pool `{pool}` has {counted(slots, 'slot')}"
        case Created(trigger, note):
            return note or trigger
        case About(text) | Text(text):
            return text
    return None


def said_of_deferrals(reason: Reason) -> str | None:
    match reason:
        case AwaitsTime(until, looks):
            return f"{'looks again at' if looks else 'waits until'} {moment(until)}"
        case AwaitsRun(dag, date, states, task):
            what = f"task `{task}` of the run" if task else "the run"
            return f"waits until {what} of `{dag}` for {moment(date)} is {' or '.join(states)}"
        case AwaitsAsset(asset, partition, since):
            of = f"partition `{partition}` of asset `{asset}`" if partition else f"asset `{asset}`"
            return f"waits for an event of {of}{f' since {moment(since)}' if since else ''}"
        case AwaitsTrigger(what):
            return f"waits for {what}"
        case AwaitsAnswer(subject, assigned):
            return f"asks {' or '.join(assigned[:3]) or 'a person'}: {subject}"
        case Answered(by, chosen):
            return f"answered by {person(by)}: {listed(chosen)}"
        case AnsweredByDefault(chosen, limit_s):
            return f"nobody answered within {limit_s:g} s, so the default holds: {listed(chosen)}"
        case Rejected(by, chosen, timed_out):
            who = (
                "nobody answered in time, so the default holds"
                if timed_out
                else f"answered by {person(by)}"
            )
            return f"{who}: {listed(chosen)}"
        case WaitOver():
            return "what it waited for is there"
        case WaitTimedOut(limit_s):
            return f"what it waited for did not come within {limit_s:g} s"
    return None


def moment(text: str) -> str:
    """``2026-01-01T05:00:00+00:00`` as ``2026-01-01 05:00:00 UTC``. Times of reasons are in UTC."""
    return f"{text[:19].replace('T', ' ')} UTC"


def said_of_rule(reason: RuleNotMet) -> str:
    """Name the tasks to look at if they ended alike: "upstream task `b` failed (rule: all_success)"."""
    if reason.tasks and reason.state:
        tasks = "upstream task" if len(reason.tasks) == 1 and not reason.more else "upstream tasks"
        did = ended(reason.state, many=len(reason.tasks) + reason.more > 1)
        return f"{tasks} {named(reason.tasks, reason.more)} {did} (rule: {reason.rule})"
    ends = tally(reason.ends, reason.total)
    names = f" ({named(reason.tasks, reason.more)})" if reason.tasks else ""
    return f"{reason.rule} is not met: of {counted(reason.total, 'upstream task')}, {ends}{names}"


def tally(ends: Mapping[str, int], total: int) -> str:
    parts = [f"{ends[state]} {word}" for state, word in EACH.items() if state in ends]
    left = total - sum(ends.values())
    return ", ".join(
        [*parts, f"{left} {'has' if left == 1 else 'have'} not ended"] if left else parts
    )


def ended(state: str, *, many: bool = False) -> str:
    word = ENDED.get(state, state)
    return word.replace("was ", "were ", 1) if many else word


def in_one_line(detail: str) -> str:
    """An error with its notes and causes, each a line of its own, as one sentence."""
    return "; ".join(detail.split("\n"))


def with_why(why: str, end: str) -> str:
    return f"{why} ({end})" if why else end


def named(tasks: Sequence[str], more: int) -> str:
    others = f" and {counted(more, 'other')}" if more else ""
    return ", ".join(f"`{task}`" for task in tasks) + others
