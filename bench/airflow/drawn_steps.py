"""The tasks of a drawn DAG (``drawn``, ``drawn_richer``), what they are drawn from, and the frame of its file."""

from dataclasses import dataclass, field
from typing import Final

RULES: Final = (
    *(
        "all_success",
        "all_success",
        "all_success",
        "all_done",
        "none_failed",
        "one_failed",
        "one_success",
    ),
    *(
        "none_failed_min_one_success",
        "none_skipped",
        "all_failed",
        "all_skipped",
        "one_done",
        "always",
    ),
    "all_done_min_one_success",
)
ENDS: Final = ("success", "success", "success", "success", "failed", "skipped", "flaky")
LENGTHS: Final = (0, 1, 2, 3)

# ``fail``: the name that a file of the richer ones imports, too.
AIRFLOW: Final = '''"""Drawn: number {number}."""
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, TaskGroup, get_current_context, task, task_group
from airflow.sdk.exceptions import {fail}AirflowSkipException as Skip


def attempt():
    return get_current_context()["ti"].try_number
'''
HEADWAY: Final = '''"""Drawn: number {number}."""
from datetime import UTC, datetime, timedelta

from headway import DAG, {fail}Run, Skip, TaskGroup, task, task_group


def attempt():
    return Run.current().try_number
'''
OPENED: Final = """

with DAG("drawn_{number}", schedule=None, start_date=datetime(2026, 1, 5, tzinfo=UTC)):
"""


@dataclass(eq=False)
class Step:
    """A task, or a mapped group of two. ``over``: the length that a mapped one has, or the step whose result it is."""

    name: str
    kind: str = "work"  # branch, gate, setup, teardown, mapped, grid, pair, trio
    rule: str = "all_success"
    end: str = "success"
    group: str = ""
    upstream: list["Step"] = field(default_factory=list)
    over: "int | Step | None" = None
    length: int = 0  # of the list that it returns
    chosen: list[str] = field(default_factory=list)
    ignores_rules: bool = True
    takes: list["Step"] = field(default_factory=list)  # whose results it is handed
    none: bool = False  # it returns None; where it is mapped, one of its instances does
    retries: int = 1
    block: bool = False  # it is in a ``with`` block
    after_block: bool = False  # … in which another one has ended
    decides: bool = False  # its failure fails the run, though it is a teardown

    @property
    def task_id(self) -> str:
        return f"{self.group}.{self.name}" if self.group else self.name


def head_of(number: int, do: str, *, airflow: bool, fails: bool = False) -> str:
    """Return the file up to its tasks. ``do``: the function that each of them calls; ``fails``: it raises ``Fail``."""
    if airflow:
        head = AIRFLOW.format(number=number, fail="AirflowFailException as Fail, " * fails)
    else:
        head = HEADWAY.format(number=number, fail="Fail, " * fails)
    return head + do + OPENED.format(number=number)


def over_of(step: Step) -> str:
    """Return what a mapped task is mapped over, as its file writes it."""
    return step.over.name if isinstance(step.over, Step) else repr(list(range(step.over or 0)))


def gate_of(step: Step, options: str) -> list[str]:
    """Return a short circuit."""
    options += f", ignore_downstream_trigger_rules={step.ignores_rules}"
    body = f"    return {step.end != 'skipped'}"
    return [f"@task.short_circuit({options})", f"def f_{step.name}():", body]
