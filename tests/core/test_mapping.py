"""Mapped tasks: how many instances, which item each has, and what becomes of them after a clear."""

from collections.abc import Sequence
from itertools import product

import pytest

from headway.core import commands, mapping, plan
from headway.core.commands import Selection
from headway.core.mapping import MAP_LENGTH_MAX, positions
from headway.core.reasons import (
    ItemGone,
    MappedOverNothing,
    NotAList,
    SourceNotSuccessful,
    TooManyItems,
    TooManyTasks,
)
from headway.core.reports import Outcome
from headway.core.states import Event
from headway.core.upstream import TriggerRule
from headway.store import changes
from tests.core.build import Story, task


def fanned(length: int | None, rule: str = "all_success", tasks_max: int | None = None) -> Story:
    story = Story(
        task("items"), task("each", over=["items"]), task("total", "each", trigger_rule=rule)
    )
    story.run.tasks_max = tasks_max
    return story.begin().succeed("items", length=length)


def test_one_instance_for_each_item_and_the_placeholder_is_gone() -> None:
    story = fanned(3)
    assert story.indexes("each") == [0, 1, 2]
    assert story.state("total") == "waiting"
    story.succeed("each[0]", "each[1]", "each[2]").succeed("total")
    assert story.run.state == "success"
    story.everything_counts()


def test_one_item_is_mapped_too() -> None:
    assert fanned(1).indexes("each") == [0]


@pytest.mark.parametrize(
    ("rule", "total"),
    [("all_success", "skipped"), ("all_done", "queued"), ("none_failed", "queued")],
)
def test_nothing_to_map_over_is_a_skip(rule: str, total: str) -> None:
    story = fanned(0, rule)
    assert story.state("each") == "skipped"
    assert story.at("each").reason == MappedOverNothing()
    assert story.state("total") == total


def test_what_is_no_list_is_refused_by_name() -> None:
    story = fanned(None)
    assert story.state("each") == "failed"
    assert story.at("each").reason == NotAList("items")
    assert (story.state("total"), story.run.state) == ("upstream_failed", "failed")


def test_more_than_the_limit_is_refused() -> None:
    story = fanned(MAP_LENGTH_MAX + 1)
    assert story.at("each").reason == TooManyItems(100_001, 100_000)


def test_more_task_instances_than_the_team_may_have_in_a_run_are_refused() -> None:
    story = fanned(8, tasks_max=10)
    assert story.indexes("each") == [*range(8)]
    story = fanned(9, tasks_max=10)
    assert story.at("each").reason == TooManyTasks(11, 10)
    assert (story.state("each"), story.state("total")) == ("failed", "upstream_failed")


def test_a_run_with_more_tasks_than_the_team_may_have_fails_at_once() -> None:
    story = Story(task("a"), task("b"))
    story.run.tasks_max = 1
    story.begin()
    assert (story.run.state, story.run.reason) == ("failed", TooManyTasks(2, 1))
    assert [*story.run.all()] == []


def test_ten_thousand_items() -> None:
    story = fanned(10_000)
    assert story.indexes("each") == list(range(10_000))
    story.succeed(*(f"each[{n}]" for n in range(10_000))).succeed("total")
    assert story.run.state == "success"


@pytest.mark.parametrize(
    ("outcome", "each"), [(Outcome.FAILED, "upstream_failed"), (Outcome.SKIPPED, "skipped")]
)
def test_over_an_upstream_that_brought_no_list(outcome: Outcome, each: str) -> None:
    story = Story(task("items"), task("each", over=["items"])).begin()
    story.end("items", outcome, retry=False)
    story.tick()
    assert story.states()["each"] == each


LENIENT = [rule for rule in TriggerRule if rule is not TriggerRule.ALL_SUCCESS]


@pytest.mark.parametrize("rule", LENIENT)
def test_over_a_failed_task_it_fails_with_it_whatever_its_rule(rule: str) -> None:
    story = Story(task("items"), task("each", over=["items"], trigger_rule=rule)).begin()
    story.fail("items")
    assert (story.state("each"), story.run.state) == ("upstream_failed", "failed")
    assert story.at("each").reason == SourceNotSuccessful("items", "failed")


@pytest.mark.parametrize("rule", LENIENT)
def test_over_a_skipped_task_it_is_skipped_whatever_its_rule(rule: str) -> None:
    story = Story(task("items"), task("each", over=["items"], trigger_rule=rule)).begin()
    story.end("items", Outcome.SKIPPED)
    story.tick()
    assert (story.state("each"), story.run.state) == ("skipped", "success")


CERTAIN_ENDS = [Outcome.SUCCESS, Outcome.FAILED, Outcome.SKIPPED]


@pytest.mark.parametrize("rule", TriggerRule)
def test_what_a_mapped_task_becomes_does_not_depend_on_what_ended_first(rule: str) -> None:
    for ends in product(CERTAIN_ENDS, CERTAIN_ENDS):
        found = set()
        for order in (("items", "other"), ("other", "items")):
            each = task("each", "other", over=["items"], trigger_rule=rule)
            story = Story(task("items"), task("other"), each).begin()
            outcomes = dict(zip(("items", "other"), ends, strict=True))
            for name in order:
                story.end(name, outcomes[name], retry=False, length=2)
                story.tick()
            found.add(tuple(sorted(story.states().items())))
        assert len(found) == 1, ends


def test_over_a_mapped_task_that_failed_whole_it_fails_with_it() -> None:
    for end in ("upstream_failed", "failed"):
        story = Story(
            task("items"),
            task("each", over=["items"]),
            task("again", over=["each"], trigger_rule="all_done"),
        ).begin()
        if end == "upstream_failed":
            story.fail("items")
        else:
            story.succeed("items", length=2).fail("each[0]", "each[1]")
        assert (story.state("again"), story.run.state) == ("upstream_failed", "failed")
        assert story.at("again").reason == SourceNotSuccessful("each", end)


def test_what_returned_none_is_no_item() -> None:
    story = Story(task("items"), task("each", over=["items"]), task("again", over=["each"])).begin()
    story.succeed("items", length=3).succeed("each[0]", "each[2]").succeed("each[1]", item=False)
    assert story.indexes("again") == [0, 1]
    story = Story(task("each", over=[2]), task("again", over=["each"])).begin()
    story.succeed("each[0]", "each[1]", item=False)
    assert (story.state("again"), story.at("again").reason) == (
        "skipped",
        MappedOverNothing(),
    )


def test_a_mark_brings_no_item_and_takes_one_away() -> None:
    story = Story(
        task("each", over=[3]), task("again", over=["each"], trigger_rule="all_done")
    ).begin()
    story.succeed("each[0]")
    commands.mark(story.run, [story.at("each[0]")], Event.MARK_FAILED, "user:ann")
    assert list(story.run.changes.forgotten) == [(0, 0)]
    commands.mark(story.run, [story.at("each[0]")], Event.MARK_SUCCESS, "user:ann")
    story.succeed("each[1]", "each[2]")
    assert story.indexes("again") == [0, 1]
    story.everything_counts()


def test_over_a_mapped_task_only_its_successes_count() -> None:
    story = Story(
        task("items"),
        task("each", over=["items"]),
        task("again", over=["each"], trigger_rule="all_done"),
    ).begin()
    story.succeed("items", length=3).succeed("each[0]", "each[2]").fail("each[1]")
    assert story.indexes("again") == [0, 1]


def places(story: Story, task_id: str) -> Sequence[list[int]]:
    run = story.run
    return [positions(run, i) for i in run.instances[run.graph.by_id[task_id]].values()]


def test_the_cross_product_has_the_last_axis_fastest() -> None:
    story = Story(task("items"), task("each", over=["items", 3])).begin()
    story.succeed("items", length=2)
    assert places(story, "each") == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]


def test_the_places_on_the_list_of_a_mapped_task() -> None:
    story = Story(task("each", over=[3]), task("again", over=[2, "each"])).begin()
    story.succeed("each[0]", "each[1]", "each[2]")
    assert places(story, "again") == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    # An attempt that is to be ended is asked for although its list is gone.
    commands.clear(story.run, [story.at(f"each[{n}]") for n in range(3)], "user:ann")
    assert positions(story.run, story.at("again[5]")) == [5, 0]
    assert positions(story.run, story.at("again[0]")) == [0, 0]


def test_literals_need_no_upstream() -> None:
    story = Story(task("each", over=[2, 1, 2])).begin()
    assert places(story, "each") == [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]]
    assert mapping.positions(story.run, Story(task("plain")).begin().at("plain")) == []


def cleared(story: Story, *tasks: str) -> Story:
    chosen = commands.select(story.run, Selection(tasks=frozenset(tasks), downstream=True))
    commands.clear(story.run, chosen, "user:ann")
    if story.run.state == "queued":
        return story.write().begin()
    return story.tick()


def finished(length: int) -> Story:
    story = fanned(length)
    return story.succeed(*(f"each[{n}]" for n in range(length))).succeed("total")


def test_after_a_clear_a_longer_list_makes_the_missing_instances() -> None:
    story = cleared(finished(2), "items").succeed("items", length=4)
    assert {n: s for n, s in story.states().items() if n.startswith("each")} == dict.fromkeys(
        ("each[0]", "each[1]", "each[2]", "each[3]"), "queued"
    )
    assert [story.at(f"each[{n}]").attempts for n in range(4)] == [2, 2, 1, 1]


@pytest.mark.parametrize("rule", ["all_success", "none_skipped", "all_done"])
def test_after_a_clear_the_items_beyond_a_shorter_list_are_gone(rule: str) -> None:
    story = fanned(3, rule).succeed("each[0]", "each[1]", "each[2]").succeed("total")
    cleared(story, "items")
    story.end("items", length=1)
    plan.settle(story.run)
    gone = [move for move in story.run.changes.moves if move.name == "remove"]
    assert [(str(m.instance), m.attempt, m.state) for m in gone] == [
        ("each[1]", 1, None),
        ("each[2]", 1, None),
    ]
    assert gone[0].reason == ItemGone(1)
    assert sorted(story.run.changes.removed) == [(1, 1), (1, 2)]
    story.tick()
    assert story.states() == {"items": "success", "each[0]": "queued", "total": "waiting"}
    story.succeed("each[0]")
    assert story.state("total") == "queued"
    assert story.succeed("total").run.state == "success"
    story.everything_counts()


def test_what_comes_again_goes_on_counting_its_attempts() -> None:
    story = cleared(finished(3), "items").succeed("items", length=1)
    story.succeed("each[0]").succeed("total")
    cleared(story, "items").succeed("items", length=3)
    assert [story.at(f"each[{n}]").attempts for n in range(3)] == [3, 2, 2]
    assert not story.run.former


def test_after_a_clear_over_an_empty_list_there_is_the_placeholder_again() -> None:
    story = cleared(finished(2), "items").succeed("items", length=0)
    assert story.states() == {"items": "success", "each": "skipped", "total": "skipped"}
    assert story.run.state == "success"
    story = cleared(story, "items").succeed("items", length=1)
    assert story.states() == {"items": "success", "each[0]": "queued", "total": "waiting"}
    assert story.at("each[0]").attempts == 2
    story.everything_counts()


def test_what_has_ended_well_is_gone_with_its_result_when_another_item_runs_again() -> None:
    """A clear of the list alone lets them be; the clear of one of them asks for the list there is."""
    story = only(finished(3), "items")
    story.write().begin().succeed("items", length=2)
    assert story.indexes("each") == [0, 1, 2]
    commands.clear(story.run, [story.at("each[0]"), story.at("total")], "user:ann")
    story.write().begin()
    assert story.states() == {
        "items": "success",
        "each[0]": "queued",
        "each[1]": "success",
        "total": "waiting",
    }
    story.succeed("each[0]").succeed("total")
    assert story.run.state == "success"


def test_what_runs_although_its_item_is_gone_is_told_to_end() -> None:
    story = fanned(3)
    for n in range(3):
        story.start(f"each[{n}]")
    only(story, "items")
    story.succeed("each[0]", "each[1]")
    cleared(story, "each").succeed("items", length=1)
    assert [story.at(f"each[{n}]").intent for n in (0, 2)] == [None, "clear"]
    assert story.indexes("each") == [0, 2]
    story.succeed("each[0]")
    assert story.state("total") == "waiting"
    story.end("each[2]", Outcome.CANCELLED)
    story.tick()
    assert story.states() == {"items": "success", "each[0]": "success", "total": "queued"}
    story.everything_counts()


def test_the_result_of_what_is_gone_before_it_is_stored_is_not_kept() -> None:
    """It ends in the same turn in which its list gets shorter."""
    story = fanned(2)
    story.start("each[1]")
    story.succeed("each[0]")
    only(story, "items")
    commands.clear(story.run, [story.at("each[0]")], "user:ann")
    story.tick()
    story.end("items", length=1)
    story.end("each[1]", xcoms=("late",))
    plan.settle(story.run)
    assert story.indexes("each") == [0]
    assert list(changes.results(story.run)) == []


def test_no_list_ends_nothing_that_runs() -> None:
    story = fanned(2)
    story.start("each[1]")
    story.succeed("each[0]")
    cleared(story, "items")
    assert story.at("each[1]").intent == "clear"
    only(story, "each")
    story.at("each[1]").intent = None
    story.run.intended.clear()
    story.succeed("items", length=None)
    assert (story.state("each[0]"), story.at("each[1]").intent) == ("failed", None)


def only(story: Story, task_id: str) -> Story:
    """Clear this task without what is below it."""
    chosen = commands.select(story.run, Selection(tasks=frozenset({task_id})))
    commands.clear(story.run, chosen, "user:ann")
    return story.tick()


@pytest.mark.parametrize("axes", [["items", 2], [2, "items"]])
def test_what_waits_for_a_retry_waits_for_the_list_that_is_made_again(
    axes: list[str | int],
) -> None:
    story = Story(task("items"), task("each", over=axes, retries=3)).begin()
    story.succeed("items", length=2)
    for n in range(4):
        story.end(f"each[{n}]", Outcome.FAILED)
    only(story.tick(), "items").pass_time(400)
    assert {story.state(f"each[{n}]") for n in range(4)} == {"waiting"}
    story.succeed("items", length=1)
    assert story.states() == {"items": "success", "each[0]": "queued", "each[1]": "queued"}
    assert places(story, "each")[:2] == ([[0, 0], [0, 1]] if axes[1] == 2 else [[0, 0], [1, 0]])


def test_a_retry_that_comes_while_the_list_is_made_again_waits_for_it() -> None:
    story = Story(task("items"), task("each", over=["items"], retries=3)).begin()
    story.succeed("items", length=2)
    story.start("each[1]")
    only(story, "items")
    story.end("each[1]", Outcome.FAILED)
    story.tick().pass_time(400)
    assert story.state("each[1]") == "waiting"
    story.succeed("items", length=1)
    assert story.indexes("each") == [0]


def test_what_has_not_started_is_called_back_when_its_list_is_made_again() -> None:
    story = Story(task("items"), task("each", over=["items"])).begin()
    story.succeed("items", length=2)
    story.start("each[0]")
    only(story, "items")
    assert (story.at("each[0]").intent, story.at("each[1]").intent) == (None, "clear")
    story.end("each[1]", Outcome.CANCELLED)
    assert story.tick().state("each[1]") == "waiting"
    story.succeed("each[0]").succeed("items", length=2)
    assert (story.state("each[0]"), story.state("each[1]")) == ("success", "queued")


def test_a_mark_that_changes_a_list_calls_back_what_has_not_started() -> None:
    story = Story(
        task("items"),
        task("each", over=["items"]),
        task("again", over=["each", 2], trigger_rule="all_done", retries=1),
    ).begin()
    story.succeed("items", length=2).succeed("each[0]", "each[1]")
    story.end("again[3]", Outcome.FAILED)
    chosen = [story.at("each[0]")]
    commands.mark(story.tick().run, chosen, Event.MARK_FAILED, "user:ann")
    assert story.tick().indexes("again") == [0, 1, 2]
    assert story.at("again[0]").intent == "clear"


def test_what_its_rule_still_allows_is_not_called_back() -> None:
    story = Story(task("a"), task("b"), task("c", "a", "b", trigger_rule="one_success")).begin()
    story.succeed("a", "b")
    assert only(story, "a").at("c").intent is None
