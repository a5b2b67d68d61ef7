"""One sentence for a run, and errors that are the same."""

from datetime import UTC, datetime, timedelta

import pytest

from headway.core.diagnosis import Facts, TaskTrouble, fingerprint, headline
from headway.core.reasons import Cancelled, LeavesFailed, Reason, RunTimedOut
from headway.core.states import RunState
from headway.core.words import duration, listed

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def facts(
    state: RunState,
    *troubles: TaskTrouble,
    reason: Reason | None = None,
    errors: int | None = None,
    **counts: int,
) -> Facts:
    return Facts(
        state=state,
        reason=reason,
        started_at=NOON,
        ended_at=None if state is RunState.RUNNING else NOON + timedelta(minutes=14, seconds=9),
        now=NOON + timedelta(minutes=3),
        counts=counts,
        troubles=troubles,
        errors=errors,
    )


SUMMARISE = TaskTrouble(task_id="summarise", failed=37, total=1500)
LOAD = TaskTrouble(task_id="load", failed=1)
BLOCKED = tuple(TaskTrouble(task_id=f"b{n}", blocked=1) for n in range(3))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            facts(RunState.FAILED, SUMMARISE, *BLOCKED, errors=2),
            "Failed after 14 m: 37 of 1,500 `summarise` failed, 2 distinct errors; 3 tasks blocked.",
        ),
        (facts(RunState.FAILED, LOAD, errors=1), "Failed after 14 m: `load` failed."),
        (
            facts(RunState.FAILED, LOAD, SUMMARISE, BLOCKED[0]),
            "Failed after 14 m: 37 of 1,500 `summarise` and `load` failed; 1 task blocked.",
        ),
        (
            facts(RunState.FAILED, TaskTrouble(task_id="m", failed=4, total=4)),
            "Failed after 14 m: all 4 `m` failed.",
        ),
        (
            facts(RunState.FAILED, reason=RunTimedOut(60)),
            "Failed after 14 m: dagrun_timeout of 60 s exceeded.",
        ),
        (
            facts(RunState.FAILED, LOAD, reason=RunTimedOut(60)),
            "Failed after 14 m: dagrun_timeout of 60 s exceeded; `load` failed.",
        ),
        (
            facts(RunState.FAILED, reason=LeavesFailed(("c",))),
            "Failed after 14 m: leaf task `c` did not succeed.",
        ),
        (
            facts(RunState.CANCELLED, reason=Cancelled("user:ada"), cancelled=12),
            "Cancelled by ada after 14 m: 12 task instances did not finish.",
        ),
        (
            facts(RunState.RUNNING, success=5, running=2, waiting=3),
            "Running for 3 m: 5 of 10 task instances have ended; 2 running.",
        ),
        (
            facts(RunState.RUNNING, success=5, ready=5),
            "Running for 3 m: 5 of 10 task instances have ended; 5 waiting to start.",
        ),
        (
            facts(RunState.RUNNING, LOAD, success=5, failed=1),
            "Running for 3 m: 6 of 6 task instances have ended; `load` failed.",
        ),
        (
            facts(RunState.SUCCESS, success=12, skipped=2),
            "Succeeded after 14 m: 12 task instances, 2 skipped.",
        ),
        (
            facts(RunState.SUCCESS, LOAD, success=12),
            "Succeeded after 14 m, although `load` failed.",
        ),
    ],
)
def test_a_run_in_one_sentence(given: Facts, said: str) -> None:
    assert headline(given) == said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("row 17 of 336,776 is bad", "row 9 of 1,000 is bad"),
        ("no file /data/2013/01/05.csv", "no file /data/2014/12/31.csv"),
        ("<Task object at 0x7f11ab>", "<Task object at 0x7f22cd>"),
        (
            "job 0b9c8f1e-7a55-4d5b-9d3e-2f6f0c1d2e3f is gone",
            "job 11111111-7a55-4d5b-9d3e-2f6f0c1d2e3f is gone",
        ),
        ("commit 4448c45 is unknown", "commit ead20fe1 is unknown"),
        ("run k3j9x0qz81ab failed", "run zz91kk02mmqq failed"),
        ("GET https://a.example/x?page=3: refused", "GET https://b.example/y: refused"),
        ("at 2013-01-05T00:00:00Z: late", "at 2014-11-15T06:30:09Z: late"),
    ],
)
def test_errors_that_differ_in_numbers_ids_and_paths_are_one(one: str, other: str) -> None:
    assert fingerprint("exception", one) == fingerprint("exception", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("KeyError: 'origin'", "KeyError: 'carrier'"),
        ("ValueError: no flights", "TypeError: no flights"),
        ("out of memory", "out of disk"),
    ],
)
def test_errors_that_differ_in_words_are_two(one: str, other: str) -> None:
    assert fingerprint("exception", one) != fingerprint("exception", other)


def test_the_cause_makes_a_difference_and_stands_alone() -> None:
    assert fingerprint("timeout", "x") != fingerprint("memory", "x")
    assert fingerprint("no_heartbeat", None) == "no_heartbeat"
    assert len(fingerprint("exception", "word " * 10_000)) <= 300


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *(
            (0, "0 ms"),
            (-1, "0 ms"),
            (0.0123, "12 ms"),
            (0.44, "440 ms"),
            (0.9996, "1 s"),
            (2, "2 s"),
        ),
        *((12.4, "12 s"), (60, "1 m"), (192, "3 m 12 s")),
        *((849, "14 m"), (7_500, "2 h 5 m"), (7_200, "2 h"), (273_600, "3 d 4 h")),
    ],
)
def test_durations_read_at_a_glance(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_long_lists_are_cut() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b and 3 others"
