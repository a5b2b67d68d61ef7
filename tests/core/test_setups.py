"""Setups and teardowns: what a setup serves, when a teardown runs, and what a person's deeds make of both.

The rules are Airflow's; ``tests/authoring/test_setups_beside_airflow.py`` compares whole runs with it.
"""

from itertools import product

import pytest

from headway.core import commands, setups
from headway.core.reasons import Cancelled, SetupNotSuccessful
from headway.core.reports import Outcome
from headway.core.states import Event
from headway.core.upstream import Counts, TriggerRule, Verdict, judge
from headway.spec import compile, model
from headway.spec.errors import BadSpec
from headway.spec.validate import validate
from tests.core.build import Story, task
from tests.core.test_commands import ANN, chosen, clear

TEARDOWN = {"teardown": True, "trigger_rule": "all_done_setup_success", "decides_outcome": False}


def teardown(task_id: str, *upstream: str, **options: object) -> model.Task:
    return task(task_id, *upstream, **{**TEARDOWN, **options})  # type: ignore[arg-type]


def cluster(*between: model.Task) -> Story:
    """``create`` and ``delete``, with ``use`` or other tasks between the two."""
    work = between or (task("use", "create"),)
    above = [each.task_id for each in work]
    return Story(task("create", setup=True), *work, teardown("delete", "create", *above)).begin()


# -- what serves what


def needs(*tasks: model.Task) -> dict[str, tuple[list[str], list[str]]]:
    """Setups that a task needs, and the scope of a teardown, by names; without those that have neither."""
    nodes = compile.graph(model.Dag(dag_id="d", file="d.py", tasks=tasks)).nodes
    found = {
        node.task_id: (
            [nodes[index].task_id for index in node.needs],
            [nodes[index].task_id for index in node.scope],
        )
        for node in nodes
    }
    return {name: each for name, each in found.items() if each != ([], [])}


def test_a_setup_serves_what_is_between_it_and_its_teardown() -> None:
    tasks = (
        task("create", setup=True),
        task("a", "create"),
        task("b", "a"),
        task("c", "b"),
        task("beside", "a"),
        teardown("delete", "create", "c"),
        task("after", "delete"),
    )
    assert needs(*tasks) == {
        "b": (["create"], []),
        "c": (["create"], []),
        "delete": ([], ["a", "b"]),
    }


def test_without_a_teardown_it_serves_all_below() -> None:
    tasks = (task("create", setup=True), task("a", "create"), task("b", "a"), task("c", "b"))
    assert needs(*tasks) == {"b": (["create"], []), "c": (["create"], [])}


def test_a_task_that_always_runs_needs_no_setup() -> None:
    tasks = (task("create", setup=True), task("a", "create"), task("b", "a", trigger_rule="always"))
    assert needs(*tasks) == {}


def test_an_inner_setup_needs_the_outer_one() -> None:
    tasks = (
        task("outer", setup=True),
        task("before", "outer"),
        task("inner", "before", setup=True),
        task("work", "inner"),
        teardown("delete_inner", "inner", "work"),
        teardown("delete_outer", "outer", "delete_inner"),
    )
    assert needs(*tasks) == {
        "inner": (["outer"], []),
        "work": (["outer"], []),
        "delete_outer": ([], ["before", "inner", "work"]),
    }


def test_of_a_setup_with_two_teardowns_either_bounds_what_it_serves() -> None:
    tasks = (
        task("create", setup=True),
        task("a", "create"),
        task("b", "a"),
        teardown("first", "create", "b"),
        task("c", "a"),
        teardown("second", "create", "c"),
        task("beside", "a"),
    )
    assert needs(*tasks) == {
        "b": (["create"], []),
        "c": (["create"], []),
        "first": ([], ["a"]),
        "second": ([], ["a"]),
    }


def test_too_many_pairs_are_counted() -> None:
    tasks = [task("create", setup=True), task("a", "create"), task("b", "a")]
    shape = compile.graph(model.Dag(dag_id="d", file="d.py", tasks=tuple(tasks))).shape()
    assert setups.needs(shape, 2)
    with pytest.raises(OverflowError):
        setups.needs(shape, 1)
    both = compile.graph(
        model.Dag(dag_id="d", file="d.py", tasks=(*tasks, teardown("delete", "create", "b")))
    ).shape()
    assert setups.needs(both, 3)
    with pytest.raises(OverflowError):
        setups.needs(both, 2)


# -- the rule of a teardown


@pytest.mark.parametrize("ends", list(product(["success", "skipped", "failed", "waits"], repeat=3)))
def test_a_teardown_runs_if_one_of_its_setups_succeeded(ends: tuple[str, ...]) -> None:
    """Two setups and a task directly upstream."""
    counts = Counts(
        total=3,
        success=ends.count("success"),
        skipped=ends.count("skipped"),
        failed=ends.count("failed"),
        setups=2,
        setups_success=ends[:2].count("success"),
        setups_skipped=ends[:2].count("skipped"),
    )
    if "waits" in ends:
        expected = Verdict.WAIT
    elif "success" in ends[:2]:
        expected = Verdict.RUN
    else:
        expected = Verdict.SKIP if ends[:2] == ("skipped",) * 2 else Verdict.UPSTREAM_FAILED
    assert judge(TriggerRule.ALL_DONE_SETUP_SUCCESS, counts) is expected


# -- a run


def test_a_teardown_runs_whatever_happened_between() -> None:
    story = cluster().succeed("create").fail("use")
    assert story.state("delete") == "queued"
    story.succeed("delete")
    assert story.run.state == "failed"


@pytest.mark.parametrize(
    ("outcome", "end"), [(Outcome.FAILED, "upstream_failed"), (Outcome.SKIPPED, "skipped")]
)
def test_what_a_setup_serves_ends_with_it(outcome: Outcome, end: str) -> None:
    story = cluster(
        task("use", "create"), task("report", "use", trigger_rule="all_done"), task("x", "report")
    )
    story.end("create", outcome)
    story.tick()
    assert story.states() == {"create": outcome.value} | dict.fromkeys(
        ("use", "report", "x", "delete"), end
    )
    for name in ("report", "delete"):
        assert story.at(name).reason == SetupNotSuccessful("create", outcome.value)
    assert story.run.state == ("failed" if end == "upstream_failed" else "success")


def test_all_setups_further_up_are_waited_for() -> None:
    story = Story(
        task("a", setup=True),
        task("b", setup=True),
        task("left", "a"),
        task("right", "b"),
        task("end", "left", "right", trigger_rule="one_success"),
    ).begin()
    story.succeed("a").succeed("left")
    assert story.state("end") == "waiting"
    story.end("b", Outcome.SKIPPED)
    assert story.tick().state("end") == "skipped"
    assert story.at("end").reason == SetupNotSuccessful("b", "skipped")


def test_a_teardown_waits_for_all_in_its_scope() -> None:
    story = Story(
        task("create", setup=True),
        task("slow", "create"),
        task("bad", "create"),
        task("end", "slow", "bad", trigger_rule="one_failed"),
        teardown("delete", "create", "end"),
    ).begin()
    story.succeed("create").fail("bad").succeed("end")
    assert story.states()["slow"] == "queued"
    assert story.state("delete") == "waiting"
    story.succeed("slow")
    assert story.state("delete") == "queued"


def test_a_mapped_setup_counts_each_instance() -> None:
    story = Story(
        task("create", over=[2], setup=True),
        task("use", "create"),
        task("report", "use", trigger_rule="all_done"),
        teardown("delete", "create", "report"),
    ).begin()
    story.succeed("create[0]").fail("create[1]")
    assert story.states()["report"] == "upstream_failed"
    assert story.state("delete") == "queued"


def test_the_outcome_ignores_teardowns() -> None:
    story = cluster().succeed("create").succeed("use").fail("delete")
    assert story.run.state == "success"
    decides = Story(
        task("create", setup=True),
        task("use", "create"),
        teardown("delete", "create", "use", decides_outcome=True),
    ).begin()
    decides.succeed("create").succeed("use").fail("delete")
    assert decides.run.state == "failed"


def test_a_teardown_hides_no_failure_above_it() -> None:
    graph = Story(
        task("create", setup=True),
        task("use", "create"),
        teardown("delete", "create", "use"),
        task("after", "delete"),
    ).begin()
    graph.succeed("create").fail("use").succeed("delete").succeed("after")
    assert graph.run.state == "failed"
    assert [node.task_id for node in graph.run.graph.deciding()] == ["use", "after"]


def test_of_teardowns_alone_the_last_decide() -> None:
    story = Story(teardown("a"), teardown("b", "a")).begin().fail("a").fail("b")
    assert story.run.state == "failed"
    assert (
        Story(teardown("a"), teardown("b", "a")).begin().fail("a").succeed("b").run.state
        == "success"
    )


# -- a cancelled run


def cancel(story: Story) -> Story:
    commands.cancel(story.run, ANN)
    return story.tick()


def test_what_a_setup_made_is_cleaned_up_after_a_cancel() -> None:
    story = cancel(cluster().succeed("create"))
    assert story.states() == {"create": "success", "use": "queued", "delete": "waiting"}
    story.end("use", Outcome.CANCELLED)
    assert story.tick().states() == {"create": "success", "use": "cancelled", "delete": "queued"}
    assert story.run.state == "running"
    story.succeed("delete")
    assert (story.run.state, story.run.reason) == ("cancelled", Cancelled(ANN))
    story.everything_counts()


def test_a_cancel_that_comes_again_leaves_the_teardown_alone() -> None:
    story = cancel(cluster().succeed("create").succeed("use"))
    cancel(story)
    assert story.state("delete") == "queued"
    assert story.at("delete").intent is None


def test_nothing_is_cleaned_up_if_no_setup_has_begun() -> None:
    story = Story(
        task("first"),
        task("create", "first", setup=True),
        task("use", "create"),
        teardown("delete", "create", "use"),
        teardown("report"),
    ).begin()
    cancel(story)
    assert story.states() == {
        "first": "queued",
        "create": "cancelled",
        "use": "cancelled",
        "delete": "cancelled",
        "report": "queued",
    }


@pytest.mark.parametrize(
    ("outcome", "ends"),
    [
        (Outcome.SUCCESS, {"create": "success", "use": "cancelled", "delete": "queued"}),
        (
            Outcome.CANCELLED,
            {"create": "cancelled", "use": "cancelled", "delete": "upstream_failed"},
        ),
    ],
)
def test_a_setup_that_ends_while_it_is_cancelled(outcome: Outcome, ends: dict[str, str]) -> None:
    story = cancel(cluster())
    assert story.at("create").intent is Event.CANCEL
    story.end("create", outcome)
    assert story.tick().states() == ends
    assert (story.run.state == "running") is (ends["delete"] == "queued")


def test_a_run_that_is_out_of_time_is_cleaned_up() -> None:
    story = Story(
        task("create", setup=True),
        task("use", "create"),
        teardown("delete", "create", "use"),
        dagrun_timeout_s=60.0,
    ).begin()
    story.succeed("create").pass_time(61)
    story.end("use", Outcome.CANCELLED)
    assert story.tick().state("delete") == "queued"
    story.succeed("delete")
    assert story.run.state == "failed"


# -- clear


def done() -> Story:
    story = cluster(task("use", "create"), task("more", "use"))
    return story.succeed("create").succeed("use").succeed("more").succeed("delete")


def test_a_clear_takes_setups_and_teardowns_along() -> None:
    story = done()
    assert chosen(story, "more") == ["create", "more", "delete"]
    assert chosen(story, "create") == ["create", "delete"]
    assert chosen(story, "delete") == ["delete"]
    assert chosen(story, "use", downstream=True) == ["create", "use", "more", "delete"]
    failed = cluster(task("use", "create"), task("more", "use")).succeed("create").fail("use")
    failed.succeed("delete")
    assert chosen(failed, failed_only=True) == ["create", "use", "more", "delete"]


def test_what_is_cleared_waits_for_its_setup_again() -> None:
    story = clear(done(), "more")
    assert story.states() == {
        "create": "queued",
        "use": "success",
        "more": "waiting",
        "delete": "waiting",
    }
    story.succeed("create")
    assert story.state("more") == "queued"
    story.succeed("more").succeed("delete")
    assert story.run.state == "success"


def test_what_was_ready_waits_again_if_a_setup_further_up_is_cleared() -> None:
    story = cluster(task("use", "create"), task("more", "use"))
    story.places = 1
    story.succeed("create")
    story.places = 0
    story.succeed("use")
    assert story.state("more") == "ready"
    clear(story, "create")
    assert story.state("more") == "waiting"


def test_a_clear_leaves_what_a_branch_left_out() -> None:
    story = Story(
        task("choose", branch=True),
        task("create", "choose", setup=True),
        task("use", "create"),
        task("other", "choose"),
        task("end", "use", "other", trigger_rule="none_failed_min_one_success"),
        teardown("delete", "create", "end"),
    ).begin()
    story.succeed("choose", follow=frozenset({"other"}))
    assert story.state("create") == "skipped"
    assert chosen(story, "end") == ["end", "delete"]
    assert story.state("end") == "skipped"


# -- specs that cannot be


def test_a_task_directly_below_a_setup_runs_if_it_succeeded() -> None:
    def check(*tasks: model.Task) -> None:
        validate(model.Dag(dag_id="d", file="d.py", tasks=tasks))

    create = task("create", setup=True)
    check(create, task("use", "create"), teardown("delete", "create"))
    with pytest.raises(BadSpec, match=r'directly downstream of the setup "create".*"all_success"'):
        check(create, task("use", "create", trigger_rule="all_done"))
    with pytest.raises(BadSpec, match="a setup and a teardown"):
        check(task("create", setup=True, teardown=True))
    check(teardown("delete"))
    with pytest.raises(BadSpec, match="no task decides"):
        check(teardown("delete"), task("alert", decides_outcome=False))
