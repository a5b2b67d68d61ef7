"""A run that continues with another version keeps what still means the same, and nothing else."""

from itertools import product
from typing import Any, Final

import pytest

from headway.core import commands, repin
from headway.core.commands import Selection
from headway.core.graph import Graph
from headway.core.reasons import CodeChanged, TaskRemoved
from headway.core.reports import Outcome
from headway.core.run import Instance, Run
from headway.core.states import FINAL, RUN_FINAL, RunState, State
from headway.spec import compile, model
from tests.core.build import Story, chain, task

WHY: Final = CodeChanged("user:ann", 2, 1, "b", "a")


def graph_of(*tasks: model.Task, **options: Any) -> Graph:
    return compile.graph(model.Dag(dag_id="d", file="d.py", tasks=tasks, **options))


def onto(story: Story, *tasks: model.Task) -> list[str]:
    """Repin the run of the story. Returns what runs again because of it."""
    story.run, again = repin.repin(story.run, graph_of(*tasks), WHY, "user:ann")
    return [str(instance) for instance, _ in again]


def failed_chain() -> Story:
    """t0 succeeded, t1 failed, t2 is upstream_failed."""
    story = Story(*chain(3)).begin().succeed("t0").fail("t1")
    assert story.run.state is RunState.FAILED
    return story


def state_of(story: Story) -> str:
    return story.run.state.value


def test_the_same_graph_keeps_every_end() -> None:
    story = failed_chain()
    assert onto(story, *chain(3)) == []
    assert story.states() == {"t0": "success", "t1": "failed", "t2": "upstream_failed"}
    assert state_of(story) == "queued", "its outcome is judged again"
    story.begin()
    assert state_of(story) == "failed"


def test_a_retry_on_the_new_graph_runs_what_failed_and_keeps_what_succeeded() -> None:
    story = failed_chain()
    onto(story, *chain(3))
    commands.clear(story.run, commands.select(story.run, Selection(failed_only=True)), "user:ann")
    story.begin().succeed("t1").succeed("t2")
    assert story.run.state is RunState.SUCCESS
    assert [story.at(name).attempts for name in ("t0", "t1", "t2")] == [1, 2, 1]


def test_a_removed_task_leaves_and_its_history_says_so() -> None:
    story = failed_chain()
    failed = story.at("t1")
    onto(story, task("t0"), task("t2", "t0"))
    assert story.states() == {"t0": "success", "t2": "waiting"}
    changes = story.run.changes
    assert list(changes.removed.values()) == list(changes.forgotten.values()) == [failed]
    assert [move.reason for move in changes.moves if move.name == "remove"] == [TaskRemoved("t1")]
    story.begin().succeed("t2")
    assert story.run.state is RunState.SUCCESS


def test_a_failed_leaf_that_is_removed_no_longer_decides() -> None:
    story = Story(task("a"), task("b")).begin().succeed("a").fail("b")
    onto(story, task("a"))
    story.begin()
    assert story.run.state is RunState.SUCCESS


def test_an_added_task_runs_and_what_is_below_keeps_its_result() -> None:
    story = Story(task("a"), task("c", "a")).begin().succeed("a").succeed("c")
    assert onto(story, task("a"), task("b", "a"), task("c", "a", "b"), task("d", "c")) == []
    assert story.states() == {"a": "success", "b": "waiting", "c": "success", "d": "waiting"}
    story.begin().succeed("b", "d")
    assert story.run.state is RunState.SUCCESS
    assert story.at("c").attempts == 1


def test_a_task_that_comes_back_counts_its_attempts_on() -> None:
    story = failed_chain()
    onto(story, task("t0"), task("t2", "t0"))
    story.run.remember("t1", -1, 1)  # as the store loads it under a version without the task
    onto(story.write(), *chain(3))
    assert story.at("t1").attempts == 1
    story.begin().succeed("t1")
    assert story.at("t1").attempts == 2


def test_a_list_and_its_instances_are_kept() -> None:
    tasks = (task("list"), task("each", over=["list"]), task("end", "each"))
    story = Story(*tasks).begin().succeed("list", length=3).succeed("each[0]", "each[2]")
    story.fail("each[1]")
    assert onto(story, *tasks) == []
    assert story.states()["each[0]"] == "success"
    commands.clear(story.run, commands.select(story.run, Selection(failed_only=True)), "user:ann")
    story.begin().succeed("each[1]").succeed("end")
    assert [story.at(f"each[{index}]").attempts for index in range(3)] == [1, 2, 1]


@pytest.mark.parametrize("over", [["other"], [4], ["list", 2]])
def test_instances_of_another_list_run_again(over: list[str | int]) -> None:
    story = Story(task("list"), task("other"), task("each", over=["list"])).begin()
    story.succeed("list", length=2).succeed("other", length=1).succeed("each[0]", "each[1]")
    assert onto(story, task("list"), task("other"), task("each", over=over)) == [
        "each[0]",
        "each[1]",
    ]
    story.begin()
    count = {"other": 1, "list": 4}.get(str(over[0]), 4)
    assert sorted(name for name in story.states() if name.startswith("each")) == [
        f"each[{index}]" for index in range(count)
    ]


def test_a_task_that_is_mapped_no_more_has_one_instance_again() -> None:
    story = Story(task("list"), task("each", over=["list"])).begin()
    story.succeed("list", length=2).succeed("each[0]", "each[1]")
    onto(story, task("list"), task("each", "list"))
    assert story.states() == {"list": "success", "each": "waiting"}
    story.begin().succeed("each")
    assert story.run.state is RunState.SUCCESS


def test_a_task_that_is_mapped_now_runs_for_each_item() -> None:
    story = Story(task("list"), task("each", "list")).begin().succeed("list", length=2).fail("each")
    assert onto(story, task("list"), task("each", over=["list"])) == ["each"]
    story.begin().succeed("each[0]", "each[1]")
    assert story.run.state is RunState.SUCCESS


def branching(*below: str) -> list[model.Task]:
    return [task("choose", branch=True), *(task(name, "choose") for name in below)]


def test_a_choice_is_kept_while_it_is_among_the_same_tasks() -> None:
    story = Story(*branching("a", "b")).begin().succeed("choose", follow=frozenset({"a"})).fail("a")
    assert onto(story, *branching("b", "a")) == []
    commands.clear(story.run, commands.select(story.run, Selection(failed_only=True)), "user:ann")
    story.begin().succeed("a")
    assert story.states() == {"choose": "success", "b": "skipped", "a": "success"}


@pytest.mark.parametrize("follow", [frozenset({"a"}), frozenset({"a", "b"})])
def test_a_branch_with_other_tasks_below_chooses_again(follow: frozenset[str]) -> None:
    story = Story(*branching("a", "b")).begin().succeed("choose", follow=follow)
    story.succeed(*sorted(follow))
    assert "choose" in onto(story, *branching("a", "b", "c"))
    story.begin().succeed("choose", follow=frozenset({"a", "c"})).succeed("c")
    assert story.states()["c"] == "success"
    assert story.run.state is RunState.SUCCESS


def test_what_was_skipped_by_a_branch_that_is_none_now_runs() -> None:
    story = Story(*branching("a", "b")).begin().succeed("choose", follow=frozenset({"a"}))
    story.succeed("a")
    assert onto(story, task("choose"), task("a", "choose"), task("b", "choose")) == ["choose", "b"]
    story.begin().succeed("choose").succeed("b")
    assert story.run.state is RunState.SUCCESS


def test_a_retry_that_waits_is_judged_again_and_its_failures_count() -> None:
    story = (
        Story(task("a", retries=2, retry_delay_s=60.0), task("b")).begin().fail("a").succeed("b")
    )
    onto(story, task("a", retries=1), task("b"))
    assert story.states() == {"a": "waiting", "b": "success"}
    story.tick().fail("a")
    assert story.at("a").state is State.FAILED
    assert story.at("a").failures == 2


def test_a_run_that_has_not_started_is_just_pinned() -> None:
    story = Story(task("a"))
    assert onto(story, task("b")) == []
    assert story.states() == {}
    assert story.begin().states() == {"b": "queued"}


def test_a_live_attempt_is_never_moved() -> None:
    story = Story(task("a")).begin()
    with pytest.raises(AssertionError, match="live"):
        onto(story, task("a"))


# -- every small graph onto every other

RULES: Final = ("all_success", "one_failed")


def shapes() -> list[tuple[model.Task, ...]]:
    """Every graph of a and c with b between them or not: branches, mapped tasks, rules."""
    found = []
    for branch, over, rule, middle in product(
        (False, True), (None, ["a"], [2]), RULES, (False, True)
    ):
        tasks = [task("a", branch=branch)]
        if middle:
            tasks.append(task("b", "a", over=over) if over else task("b", "a"))
        below = ("a", "b") if middle else ("a",)
        tasks.append(task("c", *below, trigger_rule=rule))
        found.append(tuple(tasks))
    return found


SHAPES: Final = shapes()
ENDS: Final = ("good", "bad first", "bad middle")


def ended(tasks: tuple[model.Task, ...], how: str) -> Story:
    story = Story(*tasks).begin()
    return finish(story, "a" if how == "bad first" else "b" if how == "bad middle" else "")


def finish(story: Story, bad: str = "") -> Story:
    for _ in range(20):
        live = [i for i in story.run.all() if i.attempt is not None]
        if not live:
            break
        for instance in live:
            if instance.node.task_id == bad:
                story.end(str(instance), Outcome.FAILED, detail="no")
            else:
                story.end(str(instance), length=2, follow=frozenset({"b"}), item=True)
        story.tick()
    return story


@pytest.mark.parametrize("how", ENDS)
def test_every_run_ends_on_every_other_graph(how: str) -> None:
    """With a row for each task of the version, and what it keeps as it was."""
    for before, after in product(SHAPES, SHAPES):
        story = ended(before, how)
        assert story.run.state in RUN_FINAL, (before, how)
        kept = {str(i): (i, i.state, i.attempts) for i in story.run.all()}
        again = set(onto(story, *after))
        assert_kept(story.run, kept, again)
        story.write()
        finish(story.begin())
        told = (before, after, how, story.states())
        assert story.run.state in RUN_FINAL, told
        assert all(instance.state in FINAL for instance in story.run.all()), told
        assert {i.node.task_id for i in story.run.all()} == set(story.run.graph.by_id), told
        assert_consistent(story.run, told)


def assert_kept(run: Run, before: dict[str, tuple[Instance, State, int]], again: set[str]) -> None:
    for instance in run.all():
        if (was := before.get(str(instance))) is not None and str(instance) not in again:
            assert (instance, instance.state, instance.attempts) == was


def assert_consistent(run: Run, told: object) -> None:
    """Mapped tasks have mapped instances, and nothing was left out by a branch that does not exist."""
    for node in run.graph.nodes:
        indexes = set(run.instances[node.index])
        assert indexes == {-1} or (node.axes is not None and -1 not in indexes), told
        if node.branch is False:
            assert all(i.follow is None or i.state is State.SUCCESS for i in run.all()), told
    for instance in run.all():
        if instance.state is State.SKIPPED and instance.reason is not None:
            branch = getattr(instance.reason, "branch", None)
            assert branch is None or run.graph.nodes[run.graph.by_id[branch]].branch, told
