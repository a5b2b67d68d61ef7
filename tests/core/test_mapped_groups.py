"""Groups that are mapped as a whole: each index is a run of the group of its own."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from headway.core import commands
from headway.core.commands import Selection
from headway.core.reports import Outcome
from headway.core.run import Instance
from headway.core.states import Event
from headway.core.upstream import TriggerRule
from headway.spec import model
from tests.core.build import Story, task

END = (Outcome.SUCCESS, Outcome.FAILED, Outcome.SKIPPED)


def inside(task_id: str, *upstream: str, over: str | int = "list", **options: Any) -> model.Task:
    """A task of the group ``g``, which is mapped over a result or a literal."""
    made = task(task_id, *upstream, over=[over], **options)
    assert made.mapping is not None
    mapping = model.Mapping(axes=made.mapping.axes, group="g")
    wanted = {*upstream, over} if not upstream else set(upstream)
    return model.Task(
        task_id=task_id,
        upstream=tuple(sorted(each for each in wanted if isinstance(each, str))),
        mapping=mapping,
        **options,
    )


def etl(**last: Any) -> Story:
    """``list >> g[extract >> transform >> load] >> report``."""
    return Story(
        task("list"),
        inside("extract"),
        inside("transform", "extract"),
        inside("load", "transform", **last),
        task("report", "load"),
    ).begin()


def test_each_index_goes_its_own_way() -> None:
    story = etl().succeed("list", length=3)
    for name in ("extract", "transform", "load"):
        assert story.indexes(name) == [0, 1, 2]
    story.succeed("extract[1]")
    assert story.state("transform[1]") == "queued"
    assert story.state("transform[0]") == story.state("transform[2]") == "waiting"
    story.succeed("transform[1]")
    assert (story.state("load[1]"), story.state("report")) == ("queued", "waiting")
    story.succeed("load[1]", "extract[0]", "extract[2]")
    story.succeed("transform[0]", "transform[2]")
    story.succeed("load[0]")
    assert story.state("report") == "waiting"
    story.succeed("load[2]").succeed("report")
    assert story.run.state == "success"
    story.everything_counts()


def test_a_failure_stays_in_its_index() -> None:
    story = etl().succeed("list", length=3)
    story.fail("extract[1]")
    assert [story.state(f"{name}[1]") for name in ("transform", "load")] == ["upstream_failed"] * 2
    story.succeed("extract[0]", "extract[2]").succeed("transform[0]", "transform[2]")
    story.succeed("load[0]", "load[2]")
    assert story.state("report") == "upstream_failed"
    assert str(story.at("load[1]").reason)
    story.everything_counts()


def test_a_skip_stays_in_its_index() -> None:
    story = etl(trigger_rule="none_failed").succeed("list", length=2)
    assert story.end("extract[0]", Outcome.SKIPPED)
    story.tick()
    assert story.state("transform[0]") == "skipped"
    assert (story.state("load[0]"), story.state("load[1]")) == ("queued", "waiting")


def test_a_branch_in_the_group_chooses_for_its_own_index() -> None:
    story = Story(
        task("list"),
        inside("choose", branch=True),
        inside("left", "choose"),
        inside("right", "choose"),
        inside("after", "left", "right", trigger_rule="none_failed_min_one_success"),
    ).begin()
    story.succeed("list", length=2)
    story.succeed("choose[0]", follow=frozenset({"left"}))
    assert (story.state("left[0]"), story.state("right[0]")) == ("queued", "skipped")
    assert (story.state("left[1]"), story.state("right[1]")) == ("waiting", "waiting")
    story.succeed("choose[1]", follow=frozenset({"right"}))
    assert (story.state("left[1]"), story.state("right[1]")) == ("skipped", "queued")
    story.succeed("left[0]", "right[1]").succeed("after[0]", "after[1]")
    assert story.run.state == "success"


def test_a_short_circuit_in_the_group_skips_the_rest_of_its_own_index() -> None:
    story = Story(
        task("list"),
        inside("gate", branch=True, skips_all_below=True),
        inside("work", "gate"),
        inside("after", "work", trigger_rule="all_done"),
    ).begin()
    story.succeed("list", length=2)
    story.succeed("gate[0]", follow=frozenset())
    assert [story.state(f"{name}[0]") for name in ("work", "after")] == ["skipped", "skipped"]
    assert story.state("work[1]") == "waiting"
    story.succeed("gate[1]", follow=frozenset({"work"})).succeed("work[1]").succeed("after[1]")
    assert story.run.state == "success"


def test_a_branch_before_the_group_leaves_it_out() -> None:
    story = Story(
        task("choose", branch=True),
        task("list"),
        task("other", "choose"),
        inside("first", "choose", "list"),
        inside("second", "first"),
    ).begin()
    story.succeed("list", length=2)
    story.succeed("choose", follow=frozenset({"other"}))
    assert {story.state(f"{name}[{n}]") for name in ("first", "second") for n in (0, 1)} == {
        "skipped"
    }
    story.succeed("other")
    assert story.run.state == "success"


def test_setup_and_teardown_belong_to_their_index() -> None:
    story = Story(
        task("list"),
        inside("make", setup=True),
        inside("use", "make"),
        inside("remove", "make", "use", teardown=True, trigger_rule="all_done_setup_success"),
    ).begin()
    story.succeed("list", length=2).fail("make[0]").succeed("make[1]")
    assert [story.state(f"{name}[0]") for name in ("use", "remove")] == ["upstream_failed"] * 2
    story.fail("use[1]")
    assert story.state("remove[1]") == "queued"


@pytest.mark.parametrize(
    ("outcome", "state"), [(Outcome.FAILED, "upstream_failed"), (Outcome.SKIPPED, "skipped")]
)
def test_without_a_list_nothing_of_it_runs(outcome: Outcome, state: str) -> None:
    story = etl()
    assert story.end("list", outcome)
    story.tick()
    assert {story.state(name) for name in ("extract", "transform", "load")} == {state}
    story.everything_counts()


def test_over_an_empty_list_all_of_it_is_skipped_whatever_the_rules() -> None:
    story = etl(trigger_rule="all_done").succeed("list", length=0)
    assert {story.state(name) for name in ("extract", "transform", "load")} == {"skipped"}
    assert story.state("report") == "skipped"
    assert story.run.state == "success"


def test_what_is_no_list_is_refused_by_all_of_it() -> None:
    story = etl(trigger_rule="all_done").succeed("list", length=None)
    assert {story.state(name) for name in ("extract", "transform", "load")} == {"failed"}


def test_a_group_mapped_over_no_list_is_a_first_failure() -> None:
    story = Story(task("list"), inside("extract"), task("other"), fail_fast=True).begin()
    story.start("other")
    story.succeed("list", length=None)
    assert (story.state("extract"), story.at("other").intent) == ("failed", Event.FAIL)


def test_what_runs_on_an_item_that_is_gone_is_ended() -> None:
    story = etl().succeed("list", length=3)
    story.start("extract[2]")
    chosen = commands.select(story.run, Selection(tasks=frozenset({"list"}), downstream=False))
    commands.clear(story.run, chosen, "user:ada")
    story.tick()
    story.succeed("list", length=1)
    assert story.indexes("transform") == [0]
    for name in ("extract[1]", "extract[2]"):
        assert story.at(name).intent is Event.CLEAR
        story.end(name, Outcome.CANCELLED)
    story.tick()
    assert story.indexes("extract") == [0]
    story.everything_counts()


def test_a_literal_needs_nobody() -> None:
    story = Story(inside("a", over=2), inside("b", "a", over=2)).begin()
    assert story.state("a[0]") == story.state("a[1]") == "queued"
    story.succeed("a[1]")
    assert (story.state("b[0]"), story.state("b[1]")) == ("waiting", "queued")


@pytest.mark.parametrize("length", [0, 1, 2, 4])
def test_another_length_after_a_clear(length: int) -> None:
    """Every task of the group has the instances of the new list, also where only one was cleared."""
    story = etl().succeed("list", length=3)
    story.succeed("extract[0]", "extract[1]", "extract[2]")
    story.succeed("transform[0]", "transform[1]", "transform[2]")
    story.succeed("load[0]", "load[1]", "load[2]").succeed("report")
    chosen = commands.select(
        story.run, Selection(tasks=frozenset({"list", "load"}), downstream=False)
    )
    commands.clear(story.run, chosen, "user:ada")
    story.begin().succeed("list", length=length)
    story.everything_counts()
    for name in ("extract", "transform", "load"):
        assert story.indexes(name) == (list(range(length)) or [-1])
    for _ in range(3):
        live = [str(each) for each in story.run.all() if each.state == "queued"]
        story.succeed(*live)
    assert story.run.open == 0, story.states()
    story.everything_counts()


def test_what_is_mapped_over_a_task_of_the_group_is_recalled_with_its_items() -> None:
    """Only the list was cleared; a task of the group that nobody cleared loses an instance."""
    story = Story(
        task("list"),
        inside("first"),
        inside("second", "first"),
        task("each", over=["first"]),
    ).begin()
    story.succeed("list", length=1)
    story.succeed("first[0]", item=True)
    assert (story.state("each[0]"), story.state("second[0]")) == ("queued", "queued")
    commands.clear(story.run, [story.at("list"), story.at("second[0]")], "user:ada")
    story.tick()
    assert story.end("second[0]", Outcome.CANCELLED)
    story.tick().succeed("list", length=0)
    assert story.indexes("first") == [-1]
    assert story.at("each[0]").intent == Event.CLEAR
    story.everything_counts()


def test_a_clear_of_an_index_goes_down_along_it() -> None:
    story = etl().succeed("list", length=3)
    for name in ("extract", "transform", "load"):
        story.succeed(*(f"{name}[{n}]" for n in range(3)))
    story.succeed("report")
    chosen = commands.select(
        story.run,
        Selection(tasks=frozenset({"extract"}), map_indexes=frozenset({1}), downstream=True),
    )
    assert sorted(map(str, chosen)) == ["extract[1]", "load[1]", "report", "transform[1]"]
    commands.clear(story.run, chosen, "user:ada")
    story.begin().succeed("extract[1]").succeed("transform[1]").succeed("load[1]").succeed("report")
    assert story.run.state == "success"
    story.everything_counts()


def test_a_clear_upwards_goes_along_the_index() -> None:
    story = etl().succeed("list", length=3)
    for name in ("extract", "transform", "load"):
        story.succeed(*(f"{name}[{n}]" for n in range(3)))
    chosen = commands.select(
        story.run,
        Selection(tasks=frozenset({"load"}), map_indexes=frozenset({2}), upstream=True),
    )
    assert sorted(map(str, chosen)) == ["extract[2]", "list", "load[2]", "transform[2]"]


def test_a_clear_of_what_it_is_mapped_over_clears_all_of_it() -> None:
    story = etl().succeed("list", length=2)
    story.succeed("extract[0]", "extract[1]")
    chosen = commands.select(story.run, Selection(tasks=frozenset({"list"}), downstream=True))
    assert {str(each) for each in chosen} >= {"list", "extract[0]", "extract[1]"}


def test_marking_one_instance_lets_the_rest_of_its_index_go_on() -> None:
    story = etl().succeed("list", length=2).fail("extract[0]")
    commands.mark(story.run, [story.at("extract[0]")], Event.MARK_SUCCESS, "user:ada")
    story.tick()
    chosen = commands.select(story.run, Selection(failed_only=True))
    commands.clear(story.run, chosen, "user:ada")
    story.tick()
    assert story.state("transform[0]") == "queued"


def test_a_judgement_looks_at_one_index_only() -> None:
    """What an end costs does not grow with the number of items."""
    looks = []
    for length in (10, 1_000):
        story = etl().succeed("list", length=length)
        by_index = story.run.instances[story.run.graph.by_id["transform"]]
        counted = Counted(by_index)
        story.run.instances[story.run.graph.by_id["transform"]] = counted
        story.succeed("extract[7]")
        looks.append(counted.looks)
    assert looks[0] == looks[1]


class Counted(dict[int, Instance]):
    """Counts what is read from it."""

    looks = 0

    def __getitem__(self, key: int) -> Instance:
        self.looks += 1
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[int]:
        self.looks += len(self)
        return super().__iter__()

    def values(self) -> Any:
        self.looks += len(self)
        return super().values()


RULES = tuple(TriggerRule)


@pytest.mark.parametrize("seed", range(300))
def test_it_is_as_if_the_group_were_written_once_for_each_item(seed: int) -> None:
    """A random group over three items, beside the same DAG with the tasks of each item written out."""
    chance = Random(seed)
    inner = [f"t{number}" for number in range(chance.randint(2, 5))]
    edges = {
        name: [other for other in inner[:at] if chance.random() < 0.5]
        for at, name in enumerate(inner)
    }
    kinds: dict[str, dict[str, Any]] = {
        name: {
            "trigger_rule": chance.choice(RULES).value,
            "branch": chance.random() < 0.3,
        }
        for name in inner
    }
    kinds = {
        name: {**kind, "skips_all_below": kind["branch"] and chance.random() < 0.5}
        for name, kind in kinds.items()
    }
    after_rule = chance.choice(RULES).value
    mapped = [inside(name, *edges[name], over=3, **kinds[name]) for name in inner]
    written = [
        task(f"{name}_{item}", *(f"{other}_{item}" for other in edges[name]), **kinds[name])
        for item in range(3)
        for name in inner
    ]
    # What a branch leaves out outside of its group is what none of its instances chose.
    branches = any(kind["branch"] for kind in kinds.values())
    after = [] if branches else [task("after", *inner, trigger_rule=after_rule)]
    copies_of = [each.task_id for each in written]
    after_all = [] if branches else [task("after", *copies_of, trigger_rule=after_rule)]
    group = Story(*mapped, *after).begin()
    flat = Story(*written, *after_all).begin()
    ends = {
        (name, item): (
            chance.choice(END),
            {other for other in inner if name in edges[other] and chance.random() < 0.5},
        )
        for name in inner
        for item in range(3)
    }
    while live := sorted(
        (each.node.task_id, each.map_index) for each in group.run.all() if each.state == "queued"
    ):
        name, item = chance.choice(live)
        if name == "after":
            group.succeed("after")
            flat.succeed("after")
            continue
        outcome, chosen = ends[name, item]
        follow = {"follow": frozenset(chosen)} if kinds[name]["branch"] else {}
        copies = {"follow": frozenset(f"{each}_{item}" for each in chosen)} if follow else {}
        assert group.end(f"{name}[{item}]", outcome, **follow)
        assert flat.end(f"{name}_{item}", outcome, **copies)
        group.tick()
        flat.tick()
        for name, item in ends:
            assert group.state(f"{name}[{item}]") == flat.state(f"{name}_{item}"), (name, item)
        if after:
            assert group.state("after") == flat.state("after")
    group.everything_counts()


def test_an_empty_list_hides_no_failure() -> None:
    """As with a mapped task: what stands before the group and failed decides before the list does."""
    story = Story(
        task("list"),
        task("before"),
        inside("extract", "before", "list"),
        inside("load", "extract"),
        inside("clean", "extract", trigger_rule="all_done"),
        task("report", "load"),
    ).begin()
    story.succeed("list", length=0)
    assert story.state("extract") == "waiting"
    story.fail("before")
    assert [story.state(name) for name in ("extract", "load", "clean", "report")] == [
        *("upstream_failed", "upstream_failed", "skipped", "upstream_failed")
    ]
    assert story.run.state == "failed"
    story.everything_counts()
