"""What people may do to a run, whatever it is doing meanwhile."""

import pytest

from headway.core import commands
from headway.core.commands import Selection
from headway.core.reasons import Cancelled
from headway.core.reports import Outcome
from headway.core.states import Event
from tests.core.build import Story, chain, task

ANN = "user:ann"


def chosen(story: Story, *tasks: str, **how: object) -> list[str]:
    selection = Selection(tasks=frozenset(tasks), **how)  # type: ignore[arg-type]
    return [str(instance) for instance in commands.select(story.run, selection)]


def clear(story: Story, *tasks: str, **how: object) -> Story:
    selection = Selection(tasks=frozenset(tasks), **how)  # type: ignore[arg-type]
    commands.clear(story.run, commands.select(story.run, selection), ANN)
    return again(story)


def again(story: Story) -> Story:
    return story.write().begin() if story.run.state == "queued" else story.tick()


def mark(story: Story, event: Event, *tasks: str) -> Story:
    found = commands.select(story.run, Selection(tasks=frozenset(tasks)))
    commands.mark(story.run, found, event, ANN)
    return again(story)


def failed_in_the_middle() -> Story:
    return Story(*chain(3), task("side")).begin().succeed("side").succeed("t0").fail("t1")


# -- selecting


def test_selections() -> None:
    story = failed_in_the_middle()
    assert chosen(story) == ["t0", "t1", "t2", "side"]
    assert chosen(story, failed_only=True) == ["t1", "t2"]
    assert chosen(story, "t1") == ["t1"]
    assert chosen(story, "t1", downstream=True) == ["t1", "t2"]
    assert chosen(story, "t1", upstream=True) == ["t0", "t1"]
    with pytest.raises(ValueError, match="t9"):
        chosen(story, "t9")


def test_map_indexes_narrow_the_named_tasks_only() -> None:
    story = Story(task("m", over=[3]), task("end", "m")).begin()
    story.succeed("m[0]", "m[1]", "m[2]").succeed("end")
    picked = chosen(story, "m", map_indexes=frozenset({1}), downstream=True)
    assert picked == ["m[1]", "end"]


def test_those_that_are_named_one_by_one_may_be_of_several_tasks() -> None:
    story = Story(task("m", over=[3]), task("n", over=[2]), task("end", "m")).begin()
    story.succeed("m[0]", "m[1]", "m[2]").succeed("n[0]", "n[1]").succeed("end")
    among = frozenset({("m", 1), ("n", 0)})
    assert chosen(story, among=among) == ["m[1]", "n[0]"]
    assert chosen(story, among=among, downstream=True) == ["m[1]", "n[0]", "end"]
    assert chosen(story, "n", among=among) == ["n[0]"]
    assert chosen(story, among=frozenset[tuple[str, int]]()) == []


# -- clearing


def test_clear_what_failed_and_the_run_goes_on() -> None:
    story = clear(failed_in_the_middle(), failed_only=True)
    assert story.states() == {"t0": "success", "t1": "queued", "t2": "waiting", "side": "success"}
    assert (story.at("t1").attempts, story.at("t1").failures) == (2, 0)
    story.succeed("t1").succeed("t2")
    assert story.run.state == "success"
    story.everything_counts()


def test_clear_in_a_running_run() -> None:
    story = Story(*chain(2), task("side")).begin().fail("t0")
    clear(story, "t0", downstream=True)
    assert story.states() == {"t0": "queued", "t1": "waiting", "side": "queued"}


def test_clear_what_is_ready_or_waits_for_a_retry() -> None:
    story = Story(task("a"), task("b", retries=1))
    story.places = 1
    story.begin()
    story.fail("a")
    story.places = 0
    story.fail("b")
    assert story.state("b") == "up_for_retry"
    clear(story, "b")
    assert (story.state("b"), story.at("b").wake_at) == ("ready", None)
    clear(story, "b")
    assert story.state("b") == "ready"
    story.everything_counts()


ENDS = [*Outcome]


@pytest.mark.parametrize("outcome", ENDS)
@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("wanted", ["clear", "cancel", "success", "failed"])
def test_a_persons_word_on_a_live_attempt_comes_before_what_it_brings(
    wanted: str, running: bool, outcome: Outcome
) -> None:
    story = Story(task("a", retries=3), task("b", "a")).begin()
    if running:
        story.start("a")
    if wanted == "clear":
        clear(story, "a")
    elif wanted == "cancel":
        commands.cancel(story.run, ANN)
        story.tick()
    else:
        mark(story, Event(f"mark_{wanted}"), "a")
    before = "running" if running else "queued"
    assert (story.state("a"), story.run.state) == (before, "running")
    assert list(story.run.intended) == [(0, -1)]
    assert story.end("a", outcome, started=running, xcoms=("x",))
    assert story.run.changes.results == []
    story.tick()
    assert not story.run.intended
    after = {
        "clear": ("queued", "waiting", "running"),
        "cancel": ("cancelled", "cancelled", "cancelled"),
        "success": ("success", "queued", "running"),
        "failed": ("failed", "upstream_failed", "failed"),
    }
    assert (story.state("a"), story.state("b"), story.run.state) == after[wanted]
    story.everything_counts()


@pytest.mark.parametrize("event", [Event.MARK_SUCCESS, Event.MARK_FAILED])
def test_a_mark_of_what_ran_keeps_what_is_known_of_it(event: Event) -> None:
    """Only a clear forgets."""
    story = Story(task("a", retries=3)).begin().fail("a").pass_time(400)
    story.start("a")
    mark(story, event, "a")
    story.end("a", Outcome.CANCELLED)
    found = story.at("a")
    assert (found.failures, found.started_at) == (1, story.run.now)
    assert (found.ready_at, found.queued_at) == (story.run.now, story.run.now)
    assert not story.run.changes.forgotten


def test_the_last_word_counts() -> None:
    story = Story(task("a")).begin()
    mark(story, Event.MARK_FAILED, "a")
    clear(story, "a")
    story.succeed("a")
    assert (story.state("a"), story.at("a").attempts) == ("queued", 2)


# -- marking


def test_mark_success_lets_the_rest_go_on() -> None:
    story = mark(failed_in_the_middle(), Event.MARK_SUCCESS, "t1", "t2")
    assert story.run.state == "success"
    story = Story(*chain(2)).begin()
    story.places = 0
    story.fail("t0", retry=False)
    mark(story, Event.MARK_SUCCESS, "t0", "t1")
    assert story.run.state == "success"


def test_mark_failed_after_the_end_changes_the_outcome() -> None:
    story = Story(*chain(2)).begin().succeed("t0").succeed("t1")
    mark(story, Event.MARK_FAILED, "t1")
    assert (story.state("t1"), story.run.state) == ("failed", "failed")


def test_mark_what_is_waiting() -> None:
    story = Story(*chain(3)).begin()
    mark(story, Event.MARK_SUCCESS, "t1")
    assert story.states() == {"t0": "queued", "t1": "success", "t2": "queued"}


# -- cancelling


def test_cancel_ends_what_is_not_live_at_once() -> None:
    story = Story(*chain(2), task("side", retries=1)).begin()
    story.fail("side")
    commands.cancel(story.run, ANN)
    story.tick()
    assert story.states() == {"t0": "queued", "t1": "cancelled", "side": "cancelled"}
    story.end("t0", Outcome.CANCELLED)
    story.tick()
    assert (story.run.state, story.run.reason) == ("cancelled", Cancelled("user:ann"))


def test_cancel_of_a_run_that_has_ended_does_nothing() -> None:
    story = Story(task("a")).begin().succeed("a")
    commands.cancel(story.run, ANN)
    assert not story.run.changes


def test_a_run_cancelled_before_it_began_can_be_cleared() -> None:
    story = Story(*chain(2))
    commands.cancel(story.run, ANN)
    assert (story.run.state, story.states()) == (
        "cancelled",
        {"t0": "cancelled", "t1": "cancelled"},
    )
    clear(story.write())
    assert story.states() == {"t0": "queued", "t1": "waiting"}
    story.succeed("t0").succeed("t1")
    assert story.run.state == "success"


def test_a_clear_after_a_cancel_takes_it_back() -> None:
    story = Story(*chain(2)).begin()
    commands.cancel(story.run, ANN)
    story.tick()
    clear(story)
    assert story.state("t0") == "queued"
    story.end("t0", Outcome.CANCELLED)
    story.tick()
    story.succeed("t0").succeed("t1")
    assert (story.run.state, story.at("t0").attempts) == ("success", 2)
