"""A run in memory, as it is loaded."""

from headway.core.run import NOT_MAPPED, Instance
from headway.core.states import Event, State
from tests.core.build import NOON, Story, task


def test_a_loaded_rank_is_counted_once_and_given_back_once() -> None:
    story = Story(task("a"), max_active_tasks=1)
    node = story.run.graph.nodes[0]
    ready = Instance(
        node, NOT_MAPPED, State.READY, stored=State.READY, rank=NOON.timestamp(), ready_at=NOON
    )
    story.run.add(ready)
    story.everything_counts()
    assert story.run.ranked_total == 1
    story.run.remove(ready)
    assert (story.run.ranked_total, story.run.ready, story.run.open) == (0, 0, 0)


def test_a_loaded_ready_one_that_is_held_back_gives_no_rank_back() -> None:
    story = Story(task("a"))
    held = Instance(story.run.graph.nodes[0], NOT_MAPPED, State.READY, stored=State.READY)
    story.run.add(held)
    story.run.remove(held)
    assert story.run.ranked_total == 0


def test_what_is_gone_is_remembered_by_its_last_attempt() -> None:
    story = Story(task("items"), task("each", over=["items"])).begin()
    story.run.remember("each", 2, 1)
    story.run.remember("each", 2, 3)
    story.run.remember("each", 2, 2)
    story.run.remember("each", -1, 7)  # it is there
    story.run.remember("gone", 0, 7)  # not of this version
    assert story.run.former == {(1, 2): 3}
    story.succeed("items", length=3)
    assert [story.at(f"each[{n}]").number for n in range(3)] == [1, 1, 4]


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
