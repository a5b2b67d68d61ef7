"""Reasons: each kind is stored, read and said, and what is not known is told as it is."""

import msgspec
import pytest

from headway.core import reasons, stored_reasons
from headway.core.reason_kinds import WAITS, Kind
from headway.core.reasons import (
    CLASSES,
    ExecutorUnknown,
    LeavesSucceeded,
    Reason,
    RuleMet,
    RuleNotMet,
    Text,
    Wait,
)
from headway.core.retry import Ruled
from headway.core.waiting import Line, held_back, why_queued
from headway.core.wording import heading, said
from tests.reasons import EXAMPLES


def test_there_is_one_class_and_one_example_for_each_kind() -> None:
    assert set(CLASSES) == set(Kind) == {reason.kind for reason, _ in EXAMPLES}
    assert len(EXAMPLES) == len(Kind)
    assert set(WAITS) < set(Kind)


def test_what_needs_pods_says_how_to_get_them() -> None:
    said_so = said(ExecutorUnknown("kubernetes", ("agents",)))
    assert said_so.endswith("`kubernetes`; there are: agents: headway up --kubernetes FILE")


@pytest.mark.parametrize(("reason", "words"), EXAMPLES)
def test_a_reason_is_said_in_one_sentence(reason: Reason, words: str) -> None:
    assert said(reason) == words
    assert not words.endswith(".")
    assert heading(reason)


def test_a_success_names_what_failed_and_does_not_decide() -> None:
    words = "all leaf tasks that decide the outcome succeeded or were skipped"
    one = f"{words}; `alert` failed and does not decide it"
    assert said(LeavesSucceeded(("alert",))) == one
    assert said(LeavesSucceeded(("a", "b"))) == f"{words}; `a` and `b` failed and do not decide it"


@pytest.mark.parametrize("reason", [reason for reason, _ in EXAMPLES])
def test_a_reason_comes_back_as_it_was_stored(reason: Reason) -> None:
    assert stored_reasons.stored(msgspec.json.encode(reason).decode()) == reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"kind": "of_tomorrow", "pool": "etl", "n": 3}', "of tomorrow: pool etl, n 3"),
        ('{"kind": "of_tomorrow"}', "of tomorrow"),
        ('{"kind": "pool_full", "pool": "etl"}', "pool full: pool etl"),
        ('{"pool": "etl"}', "unknown: pool etl"),
    ],
)
def test_what_this_version_does_not_know_is_told_as_it_is(text: str, words: str) -> None:
    assert stored_reasons.stored(text) == Text(words)


@pytest.mark.parametrize(
    "text",
    [
        '"text"',
        "[1, 2]",
        "null",
        "1",
        "{}",
        '{"kind": null}',
        '{"kind": {"a": 1}}',
        '{"kind": "leaves_failed", "tasks": null}',
        '{"kind": "run_timed_out", "limit_s": 1e400}',
        '{"kind": "too_many_items", "items": ' + 5_000 * "9" + ', "limit": 1}',
        '{"kind": "started", "more": ' + 5_000 * "[" + 5_000 * "]" + "}",
        '{"kind": "new", "text": "' + 1_000_000 * "x" + '"}',
    ],
    ids=lambda text: text[:30],
)
def test_whatever_was_stored_is_told_in_bounds(text: str) -> None:
    reason = stored_reasons.stored(text)
    assert isinstance(reason, (Text, reasons.Started))
    assert len(said(reason)) <= stored_reasons.UNKNOWN_CHARS_MAX
    assert heading(reason)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (RuleMet("always", 0, {}), "it has no upstream tasks"),
        (reasons.LeavesFailed(("finish",)), "leaf task `finish` did not succeed"),
        (
            RuleNotMet("all_success", 2, {"success": 1, "cancelled": 1}, ("b",), 0, "cancelled"),
            "upstream task `b` was cancelled (rule: all_success)",
        ),
        (
            RuleNotMet("all_success", 9, {"skipped": 9}, ("a", "b", "c"), 6, "skipped"),
            "upstream tasks `a`, `b`, `c` and 6 others were skipped (rule: all_success)",
        ),
        (
            RuleNotMet("all_success", 3, {"failed": 1, "cancelled": 1}, ("a", "b")),
            "all_success is not met: of 3 upstream tasks, 1 failed, 1 cancelled, "
            "1 has not ended (`a`, `b`)",
        ),
        (
            RuleNotMet("one_failed", 2, {"success": 2}, ()),
            "one_failed is not met: of 2 upstream tasks, 2 succeeded",
        ),
        (reasons.NotChosen("pick", ()), "`pick` chose no task"),
        (reasons.NotChosen("gate", (), tested=True), "`gate` returned false"),
        (reasons.GivenUp("timeout", "", 1, 0), "timeout (no retries)"),
        (reasons.GivenUp("", "", 2, 1), "failed 2 times: its one retry is used up"),
        (
            reasons.AttemptFailed(
                "exception", "", 2, 5, Ruled(1, "builtins.OSError", None, "naps")
            ),
            "exception (retry 2 of 5 by retry rule 1 for OSError: naps)",
        ),
        (
            reasons.GivenUp("exit_code", "", 1, 0, Ruled(3, "", 64)),
            "exit_code (retry rule 3 for exit code 64 allows no retry)",
        ),
        (
            reasons.GivenUp("memory", "", 2, 1, Ruled(1, "memory")),
            "memory (failed 2 times: retry rule 1 for out of memory allows 1 retry)",
        ),
        (
            reasons.GivenUp("", "x", 1, 0, Ruled(1, "headway_dags_my_flow_12ab34.No.Flights")),
            "x (retry rule 1 for No.Flights allows no retry)",
        ),
        (reasons.SkippedItself(), "the task skipped itself"),
        (reasons.Created("manual"), "manual"),
        (reasons.SetAside("boom"), "set aside: boom"),
    ],
)
def test_the_words_fit_the_facts(reason: Reason, words: str) -> None:
    assert said(reason) == words


def test_what_is_waited_for_is_known_without_reading_the_words() -> None:
    assert reasons.wait_of(reasons.NoAgent()) is Wait.AGENT
    assert reasons.wait_of(reasons.PoolEmpty("p")) is Wait.POOL
    assert reasons.wait_of(reasons.Started()) is Wait.OTHER


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (Line(paused_by=None, running=0, limit=1), None),
        (Line(paused_by=None, running=1, limit=1, before=2), reasons.MaxActiveRuns(1, 1, 2)),
        (Line(paused_by="ann", running=1, limit=1), reasons.DagPaused("ann")),
        (Line(paused_by="ann", running=1, limit=1, set_aside="boom"), reasons.SetAside("boom")),
        (Line(paused_by=None, running=9, limit=1, backfill=True), reasons.BackfillFull()),
        (
            Line(paused_by=None, running=0, limit=1, backfill=True, backfill_paused_by="ann"),
            reasons.BackfillPaused("ann"),
        ),
        (Line(paused_by=None, running=0, limit=1, scheduling=False), reasons.NoScheduler()),
    ],
)
def test_why_a_run_waits_has_one_answer(line: Line, reason: Reason | None) -> None:
    assert held_back(line) == reason
    assert why_queued(line) == (reason or reasons.NotSeen())
