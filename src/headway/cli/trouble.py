"""The cause of a failed or waiting run: its first failed task and the end of the log."""

import shlex
from datetime import UTC, datetime, timedelta
from typing import Final

from headway import wire
from headway.cli.hints import placed
from headway.cli.output import cell
from headway.client import Client
from headway.core.attempt_reasons import AttemptFailed, GivenUp
from headway.core.callbacks import SUFFIX
from headway.core.excerpt import excerpt
from headway.core.reasons import RunStarted
from headway.core.retry_wording import decision
from headway.core.states import FINAL, RunState
from headway.core.wording import ENDED
from headway.core.words import counted
from headway.errors import NotFound, NotReachable

NAMES_MAX: Final = 5
ERRORS_MAX: Final = 10
TAIL_BYTES: Final = 64 * 1024
CALLS_MAX: Final = 200  # of a run, that are looked at
CALL_PARAM: Final = "callback"  # the parameter of a call that says what it is about
UNDONE: Final = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.FAILED})
NEVER: Final = datetime.max.replace(tzinfo=UTC)


def standing(run: wire.Run) -> str:
    """Return the run's state and reason and, for a run that was set aside, what to do."""
    stands = ENDED.get(run.state, f"is {run.state}")
    why = progress(run) if isinstance(run.why, RunStarted) else run.reason
    text = f"run {run.run_id} of {run.dag_id} {stands}{': ' + why if why else ''}"
    if run.set_aside is None:
        return text
    short = run.run_id[:6]
    return (
        f"{text}; to try again from here: headway retry {short}; from the start: headway clear "
        f"{short}; to give up: headway cancel {short}"
    )


def progress(run: wire.Run) -> str:
    """Return how many task instances of a running run have ended; why it started is old news."""
    every = sum(run.counts.values())
    done = sum(count for state, count in run.counts.items() if state in FINAL)
    return f"{done:,} of {counted(every, 'task instance')} ended" if every else ""


def unstarted(client: Client, run: wire.Run) -> list[str]:
    """Return why a queued run does not start."""
    if run.state != RunState.QUEUED or run.set_aside is not None:
        return []
    return [client.diagnosis(run.run_id).headline]


def calls(client: Client, run: wire.Run) -> list[str]:
    """Return the calls of the run's callbacks that wait, run or failed: runs of the companion of its DAG."""
    if run.dag_id.endswith(SUFFIX):
        return []
    at = run.logical_date
    span = {"from": at.isoformat(), "to": (at + timedelta(seconds=1)).isoformat()}
    found = client.runs(CALLS_MAX, dag_id=f"{run.dag_id}{SUFFIX}", **span)
    told = []
    for each in found:
        facts = each.params.get(CALL_PARAM, {})
        if each.state in UNDONE and facts.get("run_id") == run.run_id:
            task = f" of {facts['task_id']}" if facts.get("task_id") else ""
            stands = ENDED.get(each.state, f"is {each.state}")
            told.append(
                f"on_{facts.get('when')}_callback{task} {stands}; for more: headway why {each.run_id[:6]}"
            )
    return told


def first_trouble(client: Client, run_id: str) -> tuple[str, int]:
    """Return the task instance that failed first, including ones that never started."""
    first = earliest(client.instances(run_id, state="failed")) or earliest(
        client.instances(run_id, state="up_for_retry")
    )
    if first is None:
        raise NotFound("no task of this run has failed", hint=f"headway why {run_id}")
    return first.task_id, first.map_index


def first_with_log(client: Client, run_id: str) -> tuple[str, int]:
    """Return the first failed task instance that has a log; without one, a running or finished one."""
    for state in ("failed", "up_for_retry", "running", "success"):
        found = client.instances(run_id, state=state)
        if (first := earliest([each for each in found if each.attempts > 0])) is not None:
            return first.task_id, first.map_index
    raise NotFound("no task of this run has started yet", hint=f"headway why {run_id}")


def earliest(found: list[wire.TaskInstance]) -> wire.TaskInstance | None:
    return min(found, key=lambda each: each.ended_at or each.started_at or NEVER, default=None)


def place(instance: wire.TaskInstance | wire.Event) -> str:
    """Return the task with the index of the instance and, if it has one, its name."""
    if instance.map_index is None or instance.map_index < 0:
        return instance.task_id or ""
    name = f" ({instance.rendered_map_index})" if instance.rendered_map_index else ""
    return f"{instance.task_id}[{instance.map_index}]{name}"


def stands(client: Client, instance: wire.TaskInstanceDetail) -> str:
    """Return the state of a task instance and the reason for it, as far as there is one."""
    reason = instance.blocked_reason or instance.reason
    if reason is None and instance.state == "waiting":
        return f"is waiting{upstream_of(client, instance)}"
    when = retry_of(client, instance) if instance.state == "up_for_retry" else ""
    did = ENDED.get(instance.state, f"is {instance.state}")
    return f"{did}{f': {reason}' if reason else ''}{when}"


def retry_of(client: Client, instance: wire.TaskInstanceDetail) -> str:
    """Return when it runs again, and which attempt that is of how many."""
    retries = allowed(instance)
    if retries is None:
        tasks = client.tasks(instance.run_id)
        retries = next((task.retries for task in tasks if task.task_id == instance.task_id), 0)
    return (
        f"; retries at {cell(instance.wake_at)}, attempt {instance.failures + 1} of {retries + 1}"
    )


def allowed(instance: wire.TaskInstance) -> int | None:
    """Return how many retries a rule allows, if one decided."""
    return instance.why.retries if isinstance(instance.why, AttemptFailed) else None


def upstream_of(client: Client, instance: wire.TaskInstanceDetail) -> str:
    """Return which tasks above have not ended, for one that waits for them."""
    tasks = {task.task_id: task for task in client.tasks(instance.run_id)}
    own = tasks.get(instance.task_id)
    open_ones = [name for name in (own.upstream if own else []) if not has_ended(tasks[name])]
    if not open_ones:
        return ": its run has not started" if own is None else ""
    verb = "has" if len(open_ones) == 1 else "have"
    return f": {named(open_ones)} {verb} not ended"


def has_ended(task: wire.RunTask) -> bool:
    return all(state in FINAL for state, count in task.counts.items() if count)


OVERDUE: Final = {"fail": "it fails", "skip": "it is skipped", "resume": "it goes on"}


def waiting(instance: wire.TaskInstanceDetail, wait: wire.Wait) -> str:
    """Tell since when a deferred task waits, and what a person can do."""
    ends = f"; at {stamp(wait.ends_at)} {OVERDUE[wait.overdue]}" if wait.ends_at else ""
    looks = instance.history[0].deferrals if instance.state == "up_for_reschedule" else 0
    last = f"look {looks} was at" if looks else "no process and no slot is in use since"
    watched = (
        f"{watching(wait)}\n" if wait.kind == "trigger" else f"  {wait.note}\n" if wait.note else ""
    )
    if wait.kind == "answer":
        return asked(instance, wait)
    where = f"{instance.run_id[:6]} "
    task = f"{instance.task_id}{index_option(instance.map_index)}"
    return (
        f"{watched}  {last} {stamp(wait.since)}{ends}; to end the wait: headway mark {where}success {task}, "
        f"or to start anew: headway clear {where}{task}"
    )


def asked(instance: wire.TaskInstanceDetail, wait: wire.Wait) -> str:
    """Tell since when a task waits for an answer, what follows without one, and how to answer."""
    question = next(each for each in instance.questions if each.answer is None)
    then = "the default holds" if question.has_default else OVERDUE[wait.overdue]
    ends = f"; at {stamp(wait.ends_at)} {then}" if wait.ends_at else ""
    task = f"{instance.run_id[:6]} {instance.task_id}"
    options = " | ".join(shlex.quote(option) for option in question.options)
    mark = f"headway mark {instance.run_id[:6]} success {instance.task_id}"
    index = index_option(instance.map_index)
    return (
        f"  asked at {stamp(wait.since)}{ends}; to answer: headway answer {task} {options}{index}; "
        f"to go on without an answer: {mark}{index}; to ask again: headway clear {task}{index}"
    )


def watching(wait: wire.Wait) -> str:
    """Tell who looks after a wait, and of the last look and the next."""
    if wait.agent is None:
        return "  no agent looks after it: to see the agents of the team, run headway doctor"
    parts = [f"agent {wait.agent} looks after it"]
    if wait.looked_at is not None:
        look = f"look {wait.looks}" if wait.looks > 1 else "it looked"
        parts.append(f"{look} {'was ' if wait.looks > 1 else ''}at {stamp(wait.looked_at)}")
    if wait.looks_at is not None:
        parts.append(f"the next one is at {stamp(wait.looks_at)}")
    return "  " + "; ".join(parts) + (f"\n  {wait.note}" if wait.note else "")


def stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def describe(client: Client, run_id: str, task_id: str, map_index: int) -> list[str]:
    """Return why and where the task instance failed, and the end of its log."""
    instance = client.instance(run_id, task_id, map_index)
    if not instance.history:
        return [f"{place(instance)}: {instance.reason or instance.state}"]
    attempt = instance.history[0]
    line = f" ({instance.file}:{attempt.line})" if attempt.line else ""
    lost = instance.reason if attempt.state == "lost" else None  # it says how often
    said, *below = (lost or attempt.detail or attempt.cause or instance.state).split("\n")
    rule = decision(instance.why) if isinstance(instance.why, AttemptFailed | GivenUp) else None
    below += [rule] if rule is not None else []
    lines = [f"{place(instance)}: {said}{line}", *(f"  {text}" for text in below)]
    if attempt.log_removed_at is not None:
        return [*lines, f"  the log was removed on {attempt.log_removed_at:%Y-%m-%d}"]
    try:
        shown = log_lines(client, instance)
        lines += [f"  {text}" for text in shown if shown != [said]]  # not the same line again
    except NotReachable as error:
        return [*lines, f"  cannot read the log: {error.message}"]
    log = f"  full log: headway logs {run_id[:6]} {task_id}{index_option(map_index)}"
    return [*lines, placed(log)]


def log_lines(client: Client, instance: wire.TaskInstanceDetail) -> list[str]:
    """Return the part of the last attempt's log that says why it failed."""
    key = (instance.run_id, instance.task_id, instance.map_index)
    text, offset, complete = client.log(*key)
    while not complete:
        more, offset, complete = client.log(*key, offset=offset)
        if not more:
            break
        text = (text + more)[-TAIL_BYTES:]
    found = excerpt(text[-TAIL_BYTES:].decode(errors="replace"), instance.history[0].detail)
    return (found or "").splitlines()


def index_option(map_index: int) -> str:
    return "" if map_index < 0 else f" --index {map_index}"


def blocked(tasks: list[wire.RunTask]) -> list[str]:
    """Return why ready tasks wait: a line for each reason, those for which most wait first."""
    by_reason: dict[str, list[str]] = {}
    for task in tasks:
        if task.blocked_reason:
            by_reason.setdefault(task.blocked_reason, []).append(task.task_id)
    ordered = sorted(by_reason.items(), key=lambda entry: -len(entry[1]))
    return [f"{named(names)}: {reason}" for reason, names in ordered]


def retrying(tasks: list[wire.RunTask]) -> list[str]:
    """Return when each task that waits for a retry runs again, and which attempt that is of how many."""
    return [
        f"{task.task_id}: retries at {cell(task.retry_at)}, attempt {task.failures + 1} of {task.retries + 1}"
        for task in sorted(tasks, key=lambda each: each.retry_at or NEVER)[:NAMES_MAX]
        if task.retry_at is not None
    ]


def failures(diagnosis: wire.Diagnosis) -> list[str]:
    """Return a line for each distinct error, the most frequent first; none for a single failure."""
    groups = diagnosis.errors
    if sum(group.count for group in groups) < 2:
        return []
    lines = [
        f"  {counted(group.count, 'time')} in {named(group.task_ids)}: {headline(group.first)}"
        for group in groups[:ERRORS_MAX]
    ]
    more = len(groups) - ERRORS_MAX
    return ["errors:", *lines, *([f"  and {counted(more, 'other error')}"] if more > 0 else [])]


def headline(error: wire.FirstError) -> str:
    return (error.detail or error.cause or "failed").split("\n", 1)[0]


def named(names: list[str]) -> str:
    others = len(names) - NAMES_MAX
    more = f" and {counted(others, 'other')}" if others > 0 else ""
    return f"{', '.join(names[:NAMES_MAX])}{more}"
