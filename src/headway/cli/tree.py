"""The terminal's view of a run: pure functions from the API's answer to coloured lines."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from rich.text import Text

from headway import wire
from headway.cli.hints import placed
from headway.core.words import duration

BAR_WIDTH: Final = 20
TASKS_MAX: Final = 40  # lines; what is done folds away first

# As people know them from Airflow, with an icon for those who do not see the colour.
LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "waiting": ("·", "bright_black"),
    "ready": ("○", "bright_black"),
    "queued": ("◌", "bright_black"),
    "running": ("▶", "bright_green"),
    "up_for_retry": ("↻", "yellow"),
    "deferred": ("◷", "medium_purple"),
    "up_for_reschedule": ("◷", "cyan"),
    "success": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("»", "magenta"),
    "upstream_failed": ("⊘", "dark_orange"),
    "cancelled": ("■", "bright_black"),
}

# Of a mapped task: the first of these that any of its instances is in.
WAITING: Final = frozenset({"deferred", "up_for_reschedule"})
LOUDEST: Final = (
    "failed", "up_for_retry", "running", "deferred", "up_for_reschedule", "queued", "ready",
    "waiting", "upstream_failed", "cancelled", "success", "skipped",
)  # fmt: skip


def lines(run: wire.Run, tasks: list[wire.RunTask], now: datetime) -> Text:
    """Return one line for the run and one for each task."""
    icon, colour = LOOKS.get(run.state, ("◌", "bright_black"))
    began = run.started_at or run.created_at
    took = duration(max(0.0, ((run.ended_at or now) - began).total_seconds()))
    text = Text(f"{icon} {run.dag_id} ", style=f"bold {colour}")
    text.append(f"{run.run_id}  {run.state}  {took}\n", style="bright_black")
    width = max((len(task.task_id) for task in tasks), default=0)
    shown, folded = fold(tasks)
    if folded:
        text.append(f"  … {folded} tasks done\n", style="bright_black")
    for task in shown:
        text.append(line(task, width, now))
    return text


def fold(tasks: list[wire.RunTask]) -> tuple[list[wire.RunTask], int]:
    """Choose the tasks that fit on the screen: unfinished ones first, then the latest finished ones."""
    surplus = len(tasks) - TASKS_MAX
    if surplus <= 0:
        return tasks, 0
    done = [task.task_id for task in tasks if state_of(task) in ("success", "skipped")]
    hidden = set(done[:surplus])
    shown = [task for task in tasks if task.task_id not in hidden][:TASKS_MAX]
    return shown, len(tasks) - len(shown)


def state_of(task: wire.RunTask) -> str:
    return next((state for state in LOUDEST if task.counts.get(state)), "waiting")


def line(task: wire.RunTask, width: int, now: datetime) -> Text:
    state = state_of(task)
    icon, colour = LOOKS[state]
    text = Text("  ")
    text.append(f"{icon} {task.task_id.ljust(width)}  ", style=colour)
    if task.mapped and sum(task.counts.values()) > 1:
        text.append(bar(task.counts))
    if task.started_at is not None:
        end = task.ended_at or now
        took = duration(max(0.0, (end - task.started_at).total_seconds()))
        text.append(f" {took}", style="bright_black")
    if why := task.blocked_reason or (task.reason if state in TROUBLED else None):
        text.append(f"  {placed(why)}", style="yellow" if state != "failed" else "red")
    return text.append("\n")


TROUBLED: Final = frozenset(
    {"failed", "up_for_retry", "skipped", "upstream_failed", "ready"} | WAITING
)


def bar(counts: Mapping[str, int]) -> Text:
    """Draw the finished and failed instances of a task as a bar with numbers."""
    total = sum(counts.values())
    done = counts.get("success", 0) + counts.get("skipped", 0)
    failed = counts.get("failed", 0) + counts.get("upstream_failed", 0)
    done_width = BAR_WIDTH * done // total
    failed_width = min(BAR_WIDTH - done_width, -(-BAR_WIDTH * failed // total))
    text = Text()
    text.append("━" * done_width, style="green")
    text.append("━" * failed_width, style="red")
    text.append("─" * (BAR_WIDTH - done_width - failed_width), style="bright_black")
    text.append(f" {done}/{total}")
    if failed:
        text.append(f", {failed} failed", style="red")
    return text
