"""What is asked for while an attempt is live, and lists that become shorter under what runs."""

import pytest

from headway.core import commands, plan
from headway.core.commands import Selection
from headway.core.reasons import (
    AttemptFailed,
    Cancelled,
    Cleared,
    Marked,
    Reason,
    RunTimedOut,
    SkippedItself,
)
from headway.core.reports import Outcome
from headway.core.run import SCHEDULER
from headway.core.states import Event
from tests.core.build import NOON, Story, task

ANN = "user:ann"


def one_retried() -> Story:
    """Its second attempt is live."""
    story = Story(task("a", retries=3, retry_delay_s=10)).begin().fail("a").pass_time(10)
    assert (story.state("a"), story.at("a").failures) == ("queued", 1)
    return story


@pytest.mark.parametrize(
    ("event", "reason", "state"),
    [
        (Event.CLEAR, Cleared(ANN, live=True), "waiting"),
        (Event.CANCEL, Cancelled(ANN, live=True), "cancelled"),
        (Event.MARK_SUCCESS, Marked(ANN, live=True), "success"),
        (Event.MARK_FAILED, Marked(ANN, live=True), "failed"),
    ],
)
def test_it_happens_when_the_attempt_has_ended_and_says_who_wanted_it(
    event: Event, reason: Reason, state: str
) -> None:
    story = one_retried()
    plan.intend(story.run, story.at("a"), event, ANN)
    assert story.end("a", Outcome.FAILED)
    moved = story.run.changes.moves[-1]
    assert (moved.reason, moved.actor) == (reason, ANN)
    assert story.state("a") == state


def test_a_clear_forgets_what_was_counted_and_when() -> None:
    story = one_retried()
    story.start("a")
    plan.intend(story.run, story.at("a"), Event.CLEAR, ANN)
    story.end("a", Outcome.CANCELLED)
    a = story.at("a")
    assert (a.failures, a.losses) == (0, 0)
    assert (a.ready_at, a.queued_at, a.started_at) == (None, None, None)
    story.tick()
    assert (a.state, a.attempts) == ("queued", 3)


def test_it_is_written_down() -> None:
    story = one_retried()
    plan.intend(story.run, story.at("a"), Event.CANCEL, ANN)
    assert story.run.changes.touched == {story.at("a").key: story.at("a")}


def test_a_run_that_is_cancelled_is_written_though_nothing_of_it_moves() -> None:
    story = Story(task("a")).begin()
    plan.cancel_open(story.run, ANN, RunTimedOut(5))
    assert story.run.changes.run
    assert story.run.cancelled_by == ANN


# -- ends


@pytest.mark.parametrize(("run_s", "after_s"), [(0.0, 0.0), (0.5, 59.5)])
def test_how_long_it_ran_says_when_it_began_if_it_is_said(run_s: float, after_s: float) -> None:
    story = Story(task("a")).begin()
    story.start("a")
    story.pass_time(60)
    story.end("a", run_s=run_s)
    (_, attempt) = story.run.changes.attempts[0, -1, 1]
    assert attempt.started_at is not None
    assert (attempt.started_at - NOON).total_seconds() == after_s


@pytest.mark.parametrize(
    ("told", "kept"), [(("exit", "no"), ("exit", "no")), (("", ""), (None, None))]
)
def test_why_it_ended_is_kept(told: tuple[str, str], kept: tuple[str | None, str | None]) -> None:
    story = Story(task("a")).begin()
    story.end("a", Outcome.FAILED, cause=told[0], detail=told[1])
    (_, attempt) = story.run.changes.attempts[0, -1, 1]
    assert (attempt.cause, attempt.detail) == kept


def test_a_skip_without_a_word_has_none() -> None:
    story = Story(task("a")).begin()
    story.end("a", Outcome.SKIPPED)
    assert story.run.changes.moves[-1].reason == SkippedItself("")


def test_a_failure_that_is_not_to_be_retried_is_counted() -> None:
    story = Story(task("a", retries=3)).begin()
    story.end("a", Outcome.FAILED, retry=False, cause="failed", detail="no")
    assert (story.state("a"), story.at("a").failures) == ("failed", 1)
    assert story.run.changes.moves[-1].reason == AttemptFailed("failed", "no")


# -- sessions that are dead, timers that are over


def test_only_the_attempts_of_the_dead_are_taken_back() -> None:
    story = Story(task("a"), task("b"), task("c")).begin()
    for name, session in {"a": "alive", "b": "dead", "c": "alive"}.items():
        attempt = story.at(name).attempt
        assert attempt is not None
        attempt.session = session
    plan.rescue(story.run, {"dead"}, lambda: 0.5)
    assert story.states() == {"a": "queued", "b": "up_for_retry", "c": "queued"}
    assert story.run.changes.moves[-1].actor == SCHEDULER


def test_what_a_person_wanted_of_an_attempt_of_the_dead_is_done() -> None:
    story = Story(task("a")).begin()
    plan.intend(story.run, story.at("a"), Event.CANCEL, ANN)
    plan.rescue(story.run, {"s1"}, lambda: 0.5)
    assert story.state("a") == "cancelled"


def test_the_delay_of_one_does_not_hold_up_the_next() -> None:
    story = Story(
        task("a", retries=1, retry_delay_s=1000), task("b", retries=1, retry_delay_s=10)
    ).begin()
    story.fail("a", "b").pass_time(20)
    assert story.states() == {"a": "up_for_retry", "b": "queued"}


# -- ranks


def test_what_gets_a_rank_says_no_more_why_it_had_none() -> None:
    story = Story(task("m", over=[2], max_active_tis_per_dagrun=1)).begin()
    assert story.at("m[1]").blocked_reason is not None
    assert story.end("m[0]")
    story.write()
    plan.settle(story.run)
    second = story.at("m[1]")
    assert second.rank is not None
    assert second.blocked_reason is None
    assert story.run.changes.touched == {second.key: second}


# -- lists


def shortened(length: int) -> Story:
    """``each`` is mapped over a list of three. While its second and third run, the list is made anew."""
    story = Story(task("items"), task("each", over=["items"])).begin()
    story.succeed("items", length=3)
    story.start("each[1]")
    story.start("each[2]")
    items = commands.select(story.run, Selection(tasks=frozenset({"items"})))
    commands.clear(story.run, items, ANN)
    assert story.end("each[0]", Outcome.CANCELLED)
    story.tick()
    assert (story.state("each[0]"), story.state("each[2]")) == ("waiting", "running")
    return story.succeed("items", length=length)


@pytest.mark.parametrize(
    ("length", "told"), [(2, ["each[2]"]), (1, ["each[1]", "each[2]"]), (3, [])]
)
def test_what_runs_on_an_item_that_is_gone_is_told_to_end(length: int, told: list[str]) -> None:
    story = shortened(length)
    assert story.state("each[0]") == "queued"
    assert [str(each) for each in story.run.all() if each.intent is Event.CLEAR] == told
    assert {each.intent_by for each in story.run.all() if each.intent} <= {SCHEDULER}
    for name in told:
        assert story.end(name, Outcome.CANCELLED)
    story.tick()
    assert story.indexes("each") == list(range(length))


def test_what_a_person_wanted_of_it_stays() -> None:
    story = Story(task("items"), task("each", over=["items"])).begin()
    story.succeed("items", length=2)
    story.start("each[1]")
    plan.intend(story.run, story.at("each[1]"), Event.CANCEL, ANN)
    items = commands.select(story.run, Selection(tasks=frozenset({"items"})))
    commands.clear(story.run, items, ANN)
    assert story.end("each[0]", Outcome.CANCELLED)
    story.tick().succeed("items", length=1)
    assert (story.at("each[1]").intent, story.at("each[1]").intent_by) == (Event.CANCEL, ANN)


# -- what waits for a retry while its list is made anew


@pytest.mark.parametrize(("length", "state"), [(2, "queued"), (1, "gone"), (None, "waiting")])
def test_a_retry_needs_its_item(length: int | None, state: str) -> None:
    """It failed; the list above it is made anew; then its delay is over."""
    story = Story(task("items"), task("each", over=["items"], retries=1, retry_delay_s=10)).begin()
    story.succeed("items", length=2).succeed("each[0]").fail("each[1]")
    items = commands.select(story.run, Selection(tasks=frozenset({"items"})))
    commands.clear(story.run, items, ANN)
    story.tick()
    if length is not None:
        story.succeed("items", length=length)
    story.pass_time(10)
    assert (story.state("each[1]") if 1 in story.indexes("each") else "gone") == state


def test_what_was_released_and_has_its_item_is_left_alone() -> None:
    """Although another upstream task is cleared: its rule does not need that one."""
    each = task("each", "x", over=["items"], trigger_rule="one_success", retries=1)
    story = Story(task("x"), task("items"), each).begin()
    story.succeed("x", "items", length=2).succeed("each[0]").fail("each[1]")
    x = commands.select(story.run, Selection(tasks=frozenset({"x"})))
    commands.clear(story.run, x, ANN)
    assert story.state("each[1]") == "up_for_retry"
