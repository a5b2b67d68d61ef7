"""A whole run marked by a person: what is not over gets the state, and the outcome follows."""

from collections.abc import Callable

import pytest

from headway.core import commands
from headway.core.reports import Outcome
from headway.core.states import FINAL, LIVE, RUN_FINAL, Event, State
from headway.core.waits.deferral import Awaited, Deferral
from tests.core.build import Story, task

ANN = "user:ann"
MARKS = {Event.MARK_SUCCESS: State.SUCCESS, Event.MARK_FAILED: State.FAILED}


def waiting() -> Story:
    return Story(task("z"), task("a", "z")).begin()


def ready() -> Story:
    story = Story(task("a"))
    story.places = 0
    return story.begin()


def running() -> Story:
    story = Story(task("a")).begin()
    assert story.start("a")
    return story


def ended(outcome: Outcome) -> Story:
    story = Story(task("a"), task("side")).begin()
    assert story.end("a", outcome)
    return story.tick()


def cancelled() -> Story:
    story = Story(task("a"), task("b", "a")).begin()
    commands.cancel(story.run, ANN)
    assert story.end("a", Outcome.CANCELLED)
    return story.tick()


def deferred(*, reschedules: bool) -> Story:
    story = Story(task("a")).begin()
    wait = Deferral(kind=Awaited.TIME, facts={}, delay_s=60.0, reschedules=reschedules)
    assert story.end("a", Outcome.DEFERRED, deferral=wait, run_s=1.0)
    return story.tick()


REACHED: dict[State, Callable[[], Story]] = {
    State.WAITING: waiting,
    State.READY: ready,
    State.QUEUED: lambda: Story(task("a")).begin(),
    State.RUNNING: running,
    State.UP_FOR_RETRY: lambda: Story(task("a", retries=1)).begin().fail("a"),
    State.DEFERRED: lambda: deferred(reschedules=False),
    State.UP_FOR_RESCHEDULE: lambda: deferred(reschedules=True),
    State.SUCCESS: lambda: ended(Outcome.SUCCESS),
    State.FAILED: lambda: ended(Outcome.FAILED),
    State.SKIPPED: lambda: ended(Outcome.SKIPPED),
    State.UPSTREAM_FAILED: lambda: waiting().fail("z"),
    State.CANCELLED: cancelled,
}
MENDED = {State.FAILED, State.UPSTREAM_FAILED}


def mark(story: Story, event: Event) -> dict[str, str]:
    """Those that were marked, with the state they were in."""
    return {str(each): before for each, before in commands.mark_run(story.run, event, ANN)}


def end_all(story: Story) -> Story:
    """What is live ends as it likes, which counts for nothing where a person has spoken."""
    live = [str(each) for each in story.run.all() if each.state in LIVE]
    for name in live:
        assert story.end(name, Outcome.SUCCESS, xcoms=("x",))
    return story.tick() if story.run.state == "running" else story


@pytest.mark.parametrize("event", MARKS)
@pytest.mark.parametrize("state", State)
def test_what_becomes_of_each_state(state: State, event: Event) -> None:
    story = REACHED[state]()
    assert story.state("a") == state
    marked = mark(story, event)
    wanted = MARKS[event]
    is_marked = state not in FINAL or (event is Event.MARK_SUCCESS and state in MENDED)
    assert marked.get("a") == (state if is_marked else None)
    instance = story.at("a")
    if state in LIVE:
        assert (instance.state, instance.intent) == (state, event)
        assert instance.attempt is not None
    else:
        assert (instance.state, instance.intent) == (wanted if is_marked else state, None)
    end_all(story)
    assert story.state("a") == (wanted if is_marked else state)
    assert story.run.changes.results == []
    story.everything_counts()


@pytest.mark.parametrize("event", MARKS)
@pytest.mark.parametrize("state", State)
def test_the_outcome_is_that_of_the_leaves_when_all_has_ended(state: State, event: Event) -> None:
    story = REACHED[state]()
    was_over = story.run.state in RUN_FINAL
    marked = mark(story, event)
    end_all(story)
    assert story.run.open == 0
    assert story.run.state in RUN_FINAL
    leaves = {
        each.state for each in story.run.all() if not story.run.graph.nodes[each.key[0]].downstream
    }
    if state is State.CANCELLED:
        assert (was_over, marked, story.run.state) == (True, {}, "cancelled")
    else:
        broken = leaves & (MENDED | {State.CANCELLED})
        assert story.run.state == ("failed" if broken else "success")


@pytest.mark.parametrize("event", MARKS)
def test_a_queued_run_never_starts(event: Event) -> None:
    story = Story(task("a"), task("m", "a", over=["a"]), task("end", "m"))
    marked = mark(story, event)
    assert marked == {"a": "waiting", "m": "waiting", "end": "waiting"}
    assert set(story.states().values()) == {MARKS[event]}
    assert (story.run.state.value, story.run.started_at) == (MARKS[event].value, None)
    assert story.run.ended_at == story.run.now
    assert [move.name for move in story.run.changes.moves if move.instance is None] == [
        "succeed" if event is Event.MARK_SUCCESS else "fail"
    ]
    story.everything_counts()


def test_a_queued_run_that_was_cleared_keeps_what_had_succeeded() -> None:
    story = Story(task("a"), task("b", "a")).begin().succeed("a").fail("b")
    chosen = commands.select(story.run, commands.Selection(failed_only=True))
    commands.clear(story.run, chosen, ANN)
    story.write()
    assert story.run.state == "queued"
    assert mark(story, Event.MARK_FAILED) == {"b": "waiting"}
    assert (story.states(), story.run.state) == ({"a": "success", "b": "failed"}, "failed")


def test_what_failed_is_mended_at_once_and_a_success_is_left_alone() -> None:
    story = Story(task("a"), task("b", "a")).begin().fail("a")
    assert story.run.state == "failed"
    assert mark(story, Event.MARK_SUCCESS) == {"a": "failed", "b": "upstream_failed"}
    assert story.run.state == "success"
    story.write()
    for event in MARKS:
        assert mark(story, event) == {}
        assert not story.run.changes
    assert story.run.state == "success"


def test_the_last_word_on_a_live_attempt_counts() -> None:
    story = Story(task("a"), task("b", "a")).begin()
    mark(story, Event.MARK_SUCCESS)
    assert story.states() == {"a": "queued", "b": "success"}
    mark(story, Event.MARK_FAILED)
    end_all(story)
    assert (story.states(), story.run.state) == ({"a": "failed", "b": "success"}, "success")


def test_mapped_instances_are_marked_one_by_one() -> None:
    story = Story(task("m", over=[3]), task("end", "m")).begin()
    story.succeed("m[0]")
    marked = mark(story, Event.MARK_FAILED)
    assert marked == {"m[1]": "queued", "m[2]": "queued", "end": "waiting"}
    end_all(story)
    assert story.states() == {
        "m[0]": "success",
        "m[1]": "failed",
        "m[2]": "failed",
        "end": "failed",
    }
    assert story.run.state == "failed"
