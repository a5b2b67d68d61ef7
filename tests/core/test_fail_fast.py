"""``fail_fast``: the first failure ends what runs, and the rest is skipped."""

from headway.core import commands, plan
from headway.core.commands import Selection
from headway.core.reasons import FailedFast, LeavesFailed, NotAList
from headway.core.reports import Outcome
from headway.core.states import Event, RunState, State
from headway.spec import model
from tests.core.build import Story, task


def fast(*tasks: model.Task) -> Story:
    return Story(*tasks, fail_fast=True).begin()


def test_what_has_not_started_is_skipped_and_what_runs_fails() -> None:
    story = fast(task("a"), task("b"), task("c", "b"), task("d", retries=1, retry_delay_s=60.0))
    story.start("b")
    story.fail("d")
    assert story.state("d") == "up_for_retry"  # not a failure yet
    story.fail("a")
    assert story.states() == {"a": "failed", "b": "running", "c": "skipped", "d": "skipped"}
    assert story.at("c").reason == story.at("d").reason == FailedFast("a")
    assert story.at("b").intent is Event.FAIL
    assert story.end("b", Outcome.CANCELLED)
    story.tick()
    assert (story.state("b"), story.at("b").reason) == ("failed", FailedFast("a"))
    assert story.run.state is RunState.FAILED
    story.everything_counts()


def test_what_was_granted_and_has_not_started_is_skipped() -> None:
    story = fast(task("a"), task("b"))
    story.fail("a")
    assert story.end("b", Outcome.LOST, started=False)
    assert (story.state("b"), story.at("b").reason) == ("skipped", FailedFast("a"))


def test_a_success_that_comes_too_late_is_a_failure() -> None:
    story = fast(task("a"), task("b"))
    story.start("b")
    story.fail("a").succeed("b")
    assert story.state("b") == "failed"


def test_other_instances_of_the_task_go_on() -> None:
    story = fast(task("a", over=[3]), task("b", "a"))
    story.fail("a[0]")
    assert story.states() == {"a[0]": "failed", "a[1]": "queued", "a[2]": "queued", "b": "skipped"}
    assert story.at("a[1]").intent is None
    assert story.succeed("a[1]", "a[2]").run.state is RunState.FAILED


def test_a_failure_above_leaves_that_were_skipped_fails_the_run() -> None:
    story = fast(task("a"), task("b", "a")).fail("a")
    assert story.run.state is RunState.FAILED
    assert story.run.reason == LeavesFailed(("a",), 0)


def test_a_task_that_does_not_decide_the_outcome_ends_nothing() -> None:
    story = fast(task("a", decides_outcome=False), task("b")).fail("a")
    assert story.state("b") == "queued"
    assert story.at("b").intent is None
    assert story.succeed("b").run.state is RunState.SUCCESS


def test_teardowns_run() -> None:
    story = fast(
        task("create", setup=True),
        task("use", "create"),
        task("beside", "create"),
        task("delete", "create", "use", teardown=True, trigger_rule="all_done_setup_success"),
    ).succeed("create")
    story.start("beside")
    story.fail("use")
    assert story.state("delete") == "queued"
    story.fail("beside").succeed("delete")
    assert story.run.state is RunState.FAILED


def test_a_setup_that_succeeds_while_it_is_ended_is_cleaned_up() -> None:
    story = fast(
        task("bad"),
        task("create", setup=True),
        task("delete", "create", teardown=True, trigger_rule="all_done_setup_success"),
    )
    story.start("create")
    story.fail("bad")
    assert story.at("create").intent is Event.FAIL
    story.succeed("create")
    assert (story.state("create"), story.state("delete")) == ("success", "queued")


def test_the_word_of_a_person_stays() -> None:
    story = fast(task("a"), task("b"))
    story.start("b")
    commands.mark(story.run, [story.at("b")], Event.MARK_SUCCESS, "user:ann")
    story.fail("a").fail("b")
    assert story.state("b") == "success"


def test_what_a_person_fails_ends_nothing() -> None:
    story = fast(task("a"), task("b"))
    commands.mark(story.run, [story.at("a")], Event.MARK_FAILED, "user:ann")
    story.fail("a")
    assert (story.state("a"), story.at("b").intent) == ("failed", None)


def test_a_mapping_that_cannot_be_ends_the_others() -> None:
    story = fast(task("items"), task("m", over=["items"]), task("z", "m"), task("other"))
    story.succeed("items", length=None)
    assert story.at("m").reason == NotAList("items")
    assert (story.state("z"), story.at("other").intent) == ("skipped", Event.FAIL)


def test_a_retry_takes_along_what_was_skipped_for_it() -> None:
    story = fast(task("a"), task("b"), task("c", "b")).fail("a")
    story.end("b", Outcome.CANCELLED)
    story.tick()
    retried = commands.select(story.run, Selection(failed_only=True, downstream=True))
    assert [str(each) for each in retried] == ["a", "b", "c"]
    commands.clear(story.run, retried, "user:ann")
    plan.begin(story.run)
    story.tick().succeed("a", "b").succeed("c")
    assert story.run.state is RunState.SUCCESS


def test_ten_thousand_that_have_not_started() -> None:
    story = fast(task("a"), *(task(f"t{n}", "a") for n in range(10_000)))
    story.fail("a")
    assert story.run.state is RunState.FAILED
    assert sum(each.state is State.SKIPPED for each in story.run.all()) == 10_000
