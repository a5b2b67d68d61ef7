"""Deferred attempts: number and time-out stay, nothing is held, and a person's word ends them."""

from datetime import timedelta
from typing import Any

import pytest

from headway.core import commands, plan
from headway.core.reports import Found, Outcome
from headway.core.states import Event
from headway.core.waits.deferral import Awaited, Deferral, Overdue
from tests.core.build import NOON, Story, task

RUN = {"dag": "other", "date": NOON.isoformat(), "states": ["success"], "task": None}


def deferral(**given: Any) -> Deferral:
    values: dict[str, Any] = {"kind": Awaited.TIME, "facts": {}, "delay_s": 60.0}
    return Deferral(**{**values, **given})


def for_run(**given: Any) -> Deferral:
    return Deferral(kind=Awaited.RUN, facts=RUN, **given)


def deferred(*tasks: Any, wait: Deferral | None = None, **options: Any) -> Story:
    """A run whose task ``a`` is deferred."""
    story = Story(*(tasks or (task("a", retries=1), task("b", "a"))), **options).begin()
    story.end("a", Outcome.DEFERRED, deferral=wait or deferral(), run_s=1.0)
    return story.tick()


def find(story: Story, deferrals: int = 1, **given: Any) -> bool:
    report = Found(task_id="a", map_index=-1, number=1, deferrals=deferrals, **given)
    return plan.absorb(story.run, report, lambda: 0.5)


def test_a_deferred_attempt_holds_no_slot_and_goes_on_with_its_number() -> None:
    story = deferred()
    a = story.at("a")
    assert (story.state("a"), story.run.live, story.pools["default"].used) == ("deferred", 0, 0)
    assert a.attempt is not None
    assert (a.attempt.state, a.attempt.token, a.attempt.deferrals) == ("deferred", None, 1)
    assert story.run.due_at == a.wake_at == NOON + timedelta(seconds=60)
    story.everything_counts()
    story.pass_time(59)
    assert story.state("a") == "deferred"
    story.pass_time(1)
    assert (story.state("a"), a.attempts, a.attempt.token) == ("queued", 1, "token1")
    assert story.start("a")
    assert a.started_at is not None
    assert a.started_at < story.run.now
    story.succeed("a").succeed("b")
    assert (story.run.state, a.failures, a.losses) == ("success", 0, 0)


def test_what_no_process_has_to_finish_ends_by_the_clock() -> None:
    story = deferred(wait=deferral(finishes=True))
    story.pass_time(60)
    assert story.states() == {"a": "success", "b": "queued"}
    assert story.at("a").attempt is None


def test_what_was_found_is_the_result() -> None:
    story = deferred(wait=for_run(finishes=True))
    assert story.at("a").wake_at is None
    assert find(story, xcom="the run", length=2)
    assert [result.xcom for result in story.run.changes.results] == ["the run"]
    story.tick()
    assert (story.state("a"), story.at("a").length, story.at("a").item) == ("success", 2, True)


def test_what_was_found_is_told_to_the_next_process_alone() -> None:
    story = deferred(wait=for_run())
    assert not find(story, deferrals=2)
    assert find(story, found='{"x": 1}')
    story.tick()
    attempt = story.at("a").attempt
    assert attempt is not None
    assert attempt.deferral is not None
    assert (story.state("a"), attempt.deferral.found) == ("queued", '{"x": 1}')
    assert not find(story, found="late")


def test_a_wait_that_cannot_be_over_fails_the_attempt() -> None:
    story = deferred(wait=for_run())
    assert find(story, error="run r9 is failed")
    story.tick()
    assert (story.state("a"), story.at("a").failures) == ("up_for_retry", 1)
    story.pass_time(400)
    assert (story.state("a"), story.at("a").attempts) == ("queued", 2)


@pytest.mark.parametrize(
    ("overdue", "state"),
    [(Overdue.FAIL, "failed"), (Overdue.SKIP, "skipped"), (Overdue.RESUME, "queued")],
)
def test_a_wait_that_takes_too_long(overdue: Overdue, state: str) -> None:
    """It has no second attempt, which would wait as long again."""
    story = deferred(wait=for_run(timeout_s=30.0, overdue=overdue))
    story.pass_time(29)
    assert story.state("a") == "deferred"
    story.pass_time(1)
    assert story.state("a") == state


def test_the_execution_timeout_is_that_of_the_attempt() -> None:
    """The second deferral begins no new one, and a retry has its own."""
    story = deferred(task("a", retries=1, execution_timeout_s=90.0), wait=deferral())
    story.pass_time(60)
    story.end("a", Outcome.DEFERRED, deferral=deferral())
    story.tick()
    assert story.at("a").attempt is not None
    assert story.run.due_at == NOON + timedelta(seconds=90)
    story.pass_time(30)
    assert (story.state("a"), story.at("a").failures) == ("up_for_retry", 1)
    assert "execution_timeout of 90 s" in str(story.at("a").reason)


@pytest.mark.parametrize("wake", [False, True])
@pytest.mark.parametrize("what", ["cancel", "clear", "mark_success", "mark_failed"])
def test_a_persons_word_ends_it_at_once(what: str, wake: bool) -> None:
    """While it waits, and while it waits for a slot to go on."""
    story = deferred()
    if wake:
        story.places = 0
        story.pass_time(60)
        assert story.state("a") == "ready"
    a = story.at("a")
    attempt = a.attempt
    assert attempt is not None
    if what == "cancel":
        commands.cancel(story.run, "user:ann")
    elif what == "clear":
        commands.clear(story.run, [a], "user:ann")
    else:
        commands.mark(story.run, [a], Event(what), "user:ann")
    assert (attempt.state, attempt.ended_idle, a.attempt) == ("cancelled", True, None)
    assert story.run.changes.released == {}
    story.places = 9
    story.tick()
    expected = {"cancel": "cancelled", "clear": "queued", "mark_success": "success"}
    assert story.state("a") == expected.get(what, "failed")
    assert a.attempts == (2 if what == "clear" else 1)
    story.everything_counts()


def test_what_a_person_wants_comes_before_a_wait() -> None:
    story = Story(task("a")).begin()
    story.start("a")
    commands.cancel(story.run, "user:ann")
    story.end("a", Outcome.DEFERRED, deferral=deferral())
    assert story.tick().states() == {"a": "cancelled"}


def test_it_waits_for_its_upstream_again_when_that_is_cleared() -> None:
    story = Story(task("up"), task("a", "up")).begin().succeed("up")
    story.end("a", Outcome.DEFERRED, deferral=deferral())
    story.tick()
    commands.clear(story.run, [story.at("up")], "user:ann")
    story.tick()
    assert story.states() == {"up": "queued", "a": "waiting"}
    story.succeed("up")
    assert (story.state("a"), story.at("a").attempts) == ("queued", 2)


def test_the_runs_timeout_ends_it() -> None:
    story = deferred(wait=for_run(), dagrun_timeout_s=100.0)
    story.pass_time(100)
    assert (story.run.state, story.state("a")) == ("failed", "cancelled")


def test_an_instance_that_leaves_its_list_ends_its_attempt() -> None:
    story = Story(task("items"), task("each", over=["items"])).begin()
    story.succeed("items", length=2)
    story.end("each[1]", Outcome.DEFERRED, deferral=for_run())
    story.tick()
    attempt = story.at("each[1]").attempt
    commands.clear(story.run, [story.at("items")], "user:ann")
    story.tick().succeed("items", length=1)
    assert story.indexes("each") == [0]
    assert attempt is not None
    assert attempt.state == "cancelled"


def test_a_lost_process_after_a_wait_is_another_attempt() -> None:
    story = deferred()
    story.pass_time(60)
    story.end("a", Outcome.LOST)
    story.tick()
    assert (story.state("a"), story.at("a").losses) == ("up_for_retry", 1)
    story.pass_time(5)
    attempt = story.at("a").attempt
    assert attempt is not None
    assert (attempt.number, attempt.deferrals, attempt.deferral) == (2, 0, None)
