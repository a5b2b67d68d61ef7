"""Durations are those of the work: not of when its reports came, nor of what people did to it afterwards."""

from datetime import timedelta

from headway.core import commands
from headway.core.commands import Selection
from headway.core.reports import Outcome
from headway.core.states import Event
from headway.spec.model import Task
from tests.core.build import NOON, Story

ANN = "user:ann"


def at(seconds: float) -> object:
    return NOON + timedelta(seconds=seconds)


def test_an_end_says_how_long_it_ran_whenever_its_reports_came() -> None:
    story = Story(Task(task_id="a")).begin()
    story.pass_time(2.0)
    story.start("a", age_s=0.1)  # heard of at 2 s: it says 1.9, and waited in a queue before
    story.pass_time(1.0)
    attempt = story.at("a").attempt
    assert attempt is not None
    story.succeed("a", run_s=1.5, age_s=0.25)
    instance = story.at("a")
    assert (attempt.started_at, attempt.ended_at) == (at(1.25), at(2.75))
    assert (instance.started_at, instance.ended_at) == (at(1.25), at(2.75))
    assert story.run.ended_at == at(2.75)


def test_what_an_agent_says_is_believed_only_within_what_there_can_be() -> None:
    story = Story(Task(task_id="a")).begin()
    story.pass_time(2.0)
    attempt = story.at("a").attempt
    assert attempt is not None
    story.succeed("a", run_s=1e6, age_s=-5.0)
    assert (attempt.queued_at, attempt.started_at, attempt.ended_at) == (NOON, NOON, at(2))


def test_what_is_below_is_ready_when_it_is_found_to_be() -> None:
    story = Story(Task(task_id="a"), Task(task_id="b", upstream=("a",))).begin()
    story.pass_time(2.0)
    story.succeed("a", run_s=1.0, age_s=0.5)
    assert (story.at("a").ended_at, story.at("b").ready_at) == (at(1.5), at(2))


def test_a_mark_changes_no_duration() -> None:
    story = Story(Task(task_id="a"), Task(task_id="b"), dagrun_timeout_s=60.0).begin()
    story.pass_time(3.0)
    story.succeed("a", run_s=1.0)
    story.fail("b", run_s=2.0, retry=False)
    assert (story.run.state, story.run.started_at, story.run.ended_at) == ("failed", NOON, at(3))
    story.pass_time(3600.0)
    chosen = commands.select(story.run, Selection(tasks=frozenset({"b"})))
    commands.mark(story.run, chosen, Event.MARK_SUCCESS, ANN)
    story.begin()
    assert story.run.state == "success", "nor is its dagrun_timeout over by it"
    assert (story.run.started_at, story.run.ended_at) == (NOON, at(3))
    assert (story.at("b").started_at, story.at("b").ended_at) == (at(1), at(3))


def test_a_clear_begins_a_new_life() -> None:
    story = Story(Task(task_id="a"), dagrun_timeout_s=60.0).begin()
    story.fail("a", retry=False)
    story.pass_time(3600.0)
    commands.clear(story.run, commands.select(story.run, Selection()), ANN)
    story.begin()
    assert (story.run.state, story.run.started_at) == ("running", at(3600))
    assert story.at("a").ended_at is None


def test_what_came_to_its_end_without_an_attempt_shows_no_start_of_an_earlier_one() -> None:
    story = Story(Task(task_id="a", retries=1)).begin()
    story.fail("a", run_s=1.0)
    commands.mark(story.run, [story.at("a")], Event.MARK_FAILED, ANN)
    assert (story.at("a").started_at, story.at("a").ended_at) == (None, NOON)
    story = Story(Task(task_id="a", retries=1)).begin().fail("a", run_s=1.0)
    assert story.at("a").started_at == NOON
    story.pass_time(400)
    for _ in range(6):
        assert story.end("a", Outcome.LOST, started=False, cause="never_started")
        story.tick().pass_time(60)
    assert (story.state("a"), story.at("a").started_at) == ("failed", None)
