"""The pure parts: what people type, what they see."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from headway import wire
from headway.cli import trouble
from headway.cli.app import tree
from headway.cli.output import cell, yaml
from headway.cli.params import texts_of
from headway.cli.place import Target, target_of
from headway.cli.show import reason_of
from headway.cli.tree import TASKS_MAX, fold, lines
from headway.cli.watching import is_over
from headway.core.reasons import RunStarted
from headway.errors import NotFound, UsageError

HELP_WIDTH = 80 - 6  # of a terminal, without what stands around the names
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_run_set_aside_is_told_with_the_ways_out() -> None:
    run = wire.Run(
        run_id="abcdef123456", dag_id="d", state="running", reason="set aside: KeyError",
        trigger="manual", logical_date=NOON, interval_start=NOON, interval_end=NOON, params={},
        created_at=NOON, started_at=NOON, ended_at=None, version=1, bundle_version="b", counts={},
        set_aside="KeyError",
    )  # fmt: skip
    assert trouble.standing(run).startswith(
        "run abcdef123456 of d is running: set aside: KeyError; to try again from here: headway retry abcdef"
    )
    assert is_over(run)


def run_task(task_id: str, **facts: Any) -> wire.RunTask:
    known: dict[str, Any] = {"counts": {"ready": 1}, "blocked_reason": None, "reason": None}
    return wire.RunTask(
        task_id=task_id,
        upstream=[],
        mapped=False,
        started_at=None,
        ended_at=None,
        **(known | facts),
    )


def test_forty_tasks_that_wait_alike_are_one_line() -> None:
    tasks = [run_task(f"t{n}", blocked_reason="pool `etl` is full") for n in range(40)]
    tasks.append(run_task("other", blocked_reason="no live agent"))
    assert trouble.blocked(tasks) == [
        "t0, t1, t2, t3, t4 and 35 others: pool `etl` is full",
        "other: no live agent",
    ]


def test_a_retry_says_when_and_which_of_how_many() -> None:
    waits = run_task("a", counts={"up_for_retry": 1}, retry_at=NOON, failures=1, retries=5)
    assert trouble.retrying([waits, run_task("b")]) == [
        "a: retries at 2026-01-01 12:00:00Z, attempt 2 of 6"
    ]
    assert reason_of(waits) == "retries at 2026-01-01 12:00:00Z, attempt 2 of 6"
    assert reason_of(run_task("b", reason="x" * 500)) == "x" * 159 + "…"


def test_distinct_errors_are_counted() -> None:
    def group(count: int, detail: str) -> wire.ErrorGroup:
        first = wire.FirstError(
            task_id="t0", map_index=-1, attempt=1, at=NOON, cause="exception", detail=detail, line=3
        )
        tasks = [f"t{n}" for n in range(count)]
        return wire.ErrorGroup(fingerprint=detail, count=count, task_ids=tasks, first=first)

    def told(*groups: wire.ErrorGroup) -> list[str]:
        return trouble.failures(
            wire.Diagnosis(
                run_id="r", headline="", errors=list(groups), blocked=[], compared_to=None,
                first_failed=None, repaired=None, retry=wire.RetryCounts(failed=0, total=0),
            )
        )  # fmt: skip

    assert told(group(1, "ValueError: a")) == []
    assert told(group(3, "ValueError: a")) == [
        "errors:",
        "  3 times in t0, t1, t2: ValueError: a",
    ]
    assert told(group(7, "ValueError: a\ncaused by KeyError: b"), group(1, "OSError: c")) == [
        "errors:",
        "  7 times in t0, t1, t2, t3, t4 and 2 others: ValueError: a",
        "  1 time in t0: OSError: c",
    ]


def test_a_parameter_is_a_name_and_a_text() -> None:
    assert texts_of(["n=3", "empty=", "eq=a=b"]) == {"n": "3", "empty": "", "eq": "a=b"}
    for wrong in ("size", "=3"):
        with pytest.raises(UsageError, match="is not a valid parameter"):
            texts_of([wrong])


def test_a_time_is_shown_with_its_zone() -> None:
    assert cell(NOON) == "2026-01-01 12:00:00Z"
    assert cell(NOON.astimezone(ZoneInfo("Europe/Berlin"))) == "2026-01-01 13:00:00+01:00"


def test_a_target_is_a_file_or_a_name(tmp_path: Path) -> None:
    file = tmp_path / "flights.py"
    file.write_text("")
    assert target_of(str(file)) == Target(file, None)
    assert target_of(f"{file}:daily") == Target(file, "daily")
    assert target_of("daily") == Target(None, "daily")
    with pytest.raises(NotFound, match="does not exist"):
        target_of("nothing.py")


def test_yaml_takes_no_word_for_something_else() -> None:
    assert yaml({"on": "no", "a": [1, {"b": None}], "e": []}) == (
        '"on": "no"\na:\n  - 1\n  -\n    b: null\ne: []\n'
    )


def test_a_run_is_a_line_for_each_task() -> None:
    tasks = [
        task("extract", {"success": 1}),
        task("summarise", {"success": 8, "failed": 1, "running": 1}, mapped=True),
        task("report", {"waiting": 1}, blocked="waits for summarise"),
    ]
    text = lines(run("running"), tasks, NOON + timedelta(seconds=5)).plain
    assert text.splitlines()[0] == "▶ flights abc123abc123  running  5 s"
    assert "✓ extract" in text
    assert "8/10, 1 failed" in text
    assert "waits for summarise" in text


def test_a_large_run_fits_a_screen() -> None:
    tasks = [task(f"t{n}", {"success" if n < 90 else "running": 1}) for n in range(100)]
    shown, folded = fold(tasks)
    assert (len(shown), folded) == (TASKS_MAX, 100 - TASKS_MAX)
    assert shown[-1].task_id == "t99"


def task(
    task_id: str, counts: dict[str, int], mapped: bool = False, blocked: str | None = None
) -> wire.RunTask:
    return wire.RunTask(
        task_id=task_id,
        upstream=[],
        mapped=mapped,
        counts=counts,
        started_at=None,
        ended_at=None,
        blocked_reason=blocked,
        reason=None,
    )


def run(state: str) -> wire.Run:
    return wire.Run(
        run_id="abc123abc123",
        dag_id="flights",
        state=state,
        reason=None,
        trigger="manual",
        logical_date=NOON,
        interval_start=NOON,
        interval_end=NOON,
        params={},
        created_at=NOON,
        started_at=NOON,
        ended_at=None,
        version=1,
        bundle_version="b",
        counts={},
    )


def test_the_help_tells_each_command_in_one_whole_line() -> None:
    def cut(group: Any, path: str) -> Iterator[str]:
        commands = getattr(group, "commands", {})
        room = HELP_WIDTH - max(map(len, commands), default=0)
        for name, command in commands.items():
            if command.get_short_help_str(room).endswith("..."):
                yield f"{path} {name}"
            yield from cut(command, f"{path} {name}")

    assert list(cut(tree(), "headway")) == []


@pytest.mark.parametrize(
    ("state", "counts", "said"),
    [
        ("running", {"success": 2, "failed": 1, "running": 3}, "is running: 3 of 6 task instances ended"),
        ("running", {}, "is running"),
        ("failed", {"failed": 1}, "failed: started"),
    ],
)  # fmt: skip
def test_a_run_under_way_tells_how_far_it_is(state: str, counts: dict[str, int], said: str) -> None:
    run = wire.Run(
        run_id="r", dag_id="d", state=state, reason="started", trigger="manual", logical_date=NOON,
        interval_start=NOON, interval_end=NOON, params={}, created_at=NOON, started_at=NOON, ended_at=None,
        version=1, bundle_version="b", counts=counts, why=RunStarted() if state == "running" else None,
    )  # fmt: skip
    assert trouble.standing(run) == f"run r of d {said}"
