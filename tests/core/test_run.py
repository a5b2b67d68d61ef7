"""A run in memory, as it is loaded."""

from datetime import timedelta

import pytest

from headway.core.reasons import RetryOver
from headway.core.run import NOT_MAPPED, Attempt, Instance
from headway.core.states import Event, State
from headway.core.waits import Kind, Wait, first, seconds_left
from headway.core.waits.of_run import of_run
from tests.core.build import NOON, Story, task


def test_a_loaded_rank_is_counted_once_and_given_back_once() -> None:
    story = Story(task("a"), max_active_tasks=1)
    node = story.run.graph.nodes[0]
    ready = Instance(
        node, NOT_MAPPED, State.READY, stored=State.READY, rank=NOON.timestamp(), ready_at=NOON
    )
    story.run.add(ready)
    story.everything_counts()
    assert story.run.queues.ranked_total == 1
    story.run.remove(ready)
    assert (story.run.queues.ranked_total, story.run.ready, story.run.open) == (0, 0, 0)


def test_a_loaded_ready_one_that_is_held_back_gives_no_rank_back() -> None:
    story = Story(task("a"))
    held = Instance(story.run.graph.nodes[0], NOT_MAPPED, State.READY, stored=State.READY)
    story.run.add(held)
    story.run.remove(held)
    assert story.run.queues.ranked_total == 0


def test_what_is_gone_is_remembered_by_its_last_attempt() -> None:
    story = Story(task("items"), task("each", over=["items"])).begin()
    story.run.remember("each", 2, 1)
    story.run.remember("each", 2, 3)
    story.run.remember("each", 2, 2)
    story.run.remember("each", -1, 7)  # it is there
    story.run.remember("gone", 0, 7)  # not of this version
    assert story.run.former == {(1, 2): 3}
    story.succeed("items", length=3)
    assert [story.at(f"each[{n}]").attempts for n in range(3)] == [1, 1, 4]


def test_a_loaded_intent_is_known() -> None:
    """The executor is told again: who wrote it may have died before it told anybody."""
    story = Story(task("a"))
    live = Instance(
        story.run.graph.nodes[0],
        NOT_MAPPED,
        State.RUNNING,
        stored=State.RUNNING,
        intent=Event.CANCEL,
        intent_by="user:ann",
    )
    story.run.add(live)
    assert story.run.intended == {live.key: live}


def test_a_move_brings_what_its_state_cannot_be_without() -> None:
    """A decision is never half made: neither a retry without its time, nor a grant without its attempt."""
    story = Story(task("a", retries=1)).begin()
    run, instance = story.run, story.at("a")
    why = RetryOver()  # any
    with pytest.raises(AssertionError, match="wake_at=None"):
        run.move(instance, Event.RETRY, why)
    with pytest.raises(AssertionError, match="fail with wake_at"):
        run.move(instance, Event.FAIL, why, wake_at=NOON)
    attempt = instance.attempt
    assert attempt is not None
    with pytest.raises(AssertionError, match="fail with attempt"):
        run.move(instance, Event.FAIL, why, attempt=attempt)
    assert instance.state is State.QUEUED  # a refused move changes nothing
    story.fail("a")
    assert (instance.state, instance.wake_at) == (State.UP_FOR_RETRY, run.due_at)
    run.move(instance, Event.WAKE, why)
    assert (instance.ready_at, instance.wake_at, instance.waited_for) == (run.now, None, None)
    with pytest.raises(AssertionError, match="attempt=None"):
        run.move(instance, Event.GRANT, why)
    with pytest.raises(AssertionError, match="a gap"):
        run.move(instance, Event.GRANT, why, attempt=Attempt(3, "token", "s1", NOON))
    story.everything_counts()


def test_a_run_waits_for_the_first_of_its_delays_and_its_timeout() -> None:
    story = Story(task("a", retries=1, retry_delay_s=60.0), task("b"), dagrun_timeout_s=90.0)
    story.begin()
    limit = NOON + timedelta(seconds=90)
    assert list(of_run(story.run)) == [Wait(Kind.TIMEOUT, limit, "r")]
    story.fail("a")
    delay = Wait(Kind.RETRY, NOON + timedelta(seconds=60), "a")
    assert list(of_run(story.run)) == [delay, Wait(Kind.TIMEOUT, limit, "r")]
    assert story.run.due_at == first(of_run(story.run)) == delay.until
    story.pass_time(60)
    assert (story.state("a"), story.run.due_at) == ("queued", limit)
    story.pass_time(30)
    assert story.run.cancelled_by is not None
    assert first(of_run(story.run)) is story.run.due_at is None


def test_how_long_nothing_is_due() -> None:
    ago, soon = (Wait(Kind.FIRE, NOON + timedelta(seconds=s), "d") for s in (-5, 3))
    never = Wait(Kind.FIRE, None, "d")
    assert seconds_left([], NOON, most=9.0) == seconds_left([never], NOON, most=9.0) == 9.0
    assert seconds_left([never, soon], NOON, most=9.0) == 3.0
    assert seconds_left([soon], NOON, most=1.0) == 1.0
    assert seconds_left([soon, ago], NOON, most=9.0) == 0.0
