"""The cause of a failed or waiting run: its first failed task and the end of the log."""

from datetime import UTC, datetime
from typing import Final

from headway import wire
from headway.client import Client
from headway.core.wording import ENDED
from headway.errors import NotFound, NotReachable

EXCERPT_LINES: Final = 12
TAIL_BYTES: Final = 8192
NEVER: Final = datetime.max.replace(tzinfo=UTC)


def standing(run: wire.Run) -> str:
    """Return the run's state and reason and, for a run that was set aside, what to do."""
    stands = ENDED.get(run.state, f"is {run.state}")
    text = f"run {run.run_id} of {run.dag_id} {stands}{': ' + run.reason if run.reason else ''}"
    if run.set_aside is None:
        return text
    short = run.run_id[:6]
    return (
        f"{text}; to try again from here: headway retry {short}; from the start: headway clear "
        f"{short}; to give up: headway cancel {short}"
    )


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


def describe(client: Client, run_id: str, task_id: str, map_index: int) -> list[str]:
    """Return why and where the task instance failed, and the end of its log."""
    instance = client.instance(run_id, task_id, map_index)
    place = task_id if map_index < 0 else f"{task_id}[{map_index}]"
    if not instance.history:
        return [f"{place}: {instance.reason or instance.state}"]
    attempt = instance.history[0]
    line = f" ({instance.file}:{attempt.line})" if attempt.line else ""
    lost = instance.reason if attempt.state == "lost" else None  # it says how often
    lines = [f"{place}: {lost or attempt.detail or attempt.cause or instance.state}{line}"]
    if attempt.log_removed_at is not None:
        return [*lines, f"  the log was removed on {attempt.log_removed_at:%Y-%m-%d}"]
    try:
        lines += [f"  {text}" for text in excerpt(client, instance)]
    except NotReachable as error:
        return [*lines, f"  cannot read the log: {error.message}"]
    return [*lines, f"  full log: headway logs {run_id[:6]} {task_id}{index_option(map_index)}"]


def excerpt(client: Client, instance: wire.TaskInstanceDetail) -> list[str]:
    key = (instance.run_id, instance.task_id, instance.map_index)
    text, offset, complete = client.log(*key)
    while not complete:
        more, offset, complete = client.log(*key, offset=offset)
        if not more:
            break
        text = (text + more)[-TAIL_BYTES:]
    return text.decode(errors="replace").splitlines()[-EXCERPT_LINES:]


def index_option(map_index: int) -> str:
    return "" if map_index < 0 else f" --index {map_index}"


def blocked(tasks: list[wire.RunTask]) -> list[str]:
    """Return why each ready task waits."""
    return [f"{task.task_id}: {task.blocked_reason}" for task in tasks if task.blocked_reason]
