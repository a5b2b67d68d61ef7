"""Loops: iterations come one after another, as the gate decides, and are judged each by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final

import pytest

from headway.core import commands, plan
from headway.core.commands import Selection
from headway.core.reasons import IterationGone
from headway.core.reports import Outcome
from headway.core.states import Event
from headway.core.upstream import TriggerRule
from headway.spec import model
from tests.core.build import Story, task

ON: Final = frozenset({"work"})
STOP: Final = frozenset[str]()


def inside(task_id: str, *upstream: str, **options: Any) -> model.Task:
    return task(task_id, *upstream, loop="l", **options)


def loops_of(bound: int = 5) -> tuple[model.Loop, ...]:
    return (model.Loop(path="l", gate="gate", result="check", max_iterations=bound),)


def story(bound: int = 5, *more: model.Task, **last: Any) -> Story:
    """``start >> l[work >> check >> gate] >> end``."""
    return Story(
        task("start"),
        inside("work", "start"),
        inside("check", "work"),
        inside("gate", "check"),
        task("end", "gate", **last),
        *more,
        loops=loops_of(bound),
    ).begin()


def iterate(told: Story, index: int, follow: frozenset[str] = ON) -> Story:
    told.succeed(f"work[{index}]").succeed(f"check[{index}]")
    return told.succeed(f"gate[{index}]", follow=follow)


def test_iterations_come_one_after_another() -> None:
    told = story()
    assert told.indexes("work") == told.indexes("gate") == [0]
    told.succeed("start")
    for index in range(3):
        assert told.indexes("work") == list(range(index + 1))
        assert (told.state(f"work[{index}]"), told.state(f"check[{index}]")) == (
            "queued",
            "waiting",
        )
        iterate(told, index)
        assert told.state("end") == "waiting"
    iterate(told, 3, STOP)
    assert told.indexes("gate") == [0, 1, 2, 3]
    assert told.state("end") == "queued"
    told.succeed("end")
    assert told.run.state == "success"
    told.everything_counts()


@pytest.mark.parametrize("rule", list(TriggerRule))
def test_what_is_behind_sees_only_how_the_loop_ends(rule: TriggerRule) -> None:
    """A gate that led on is no upstream success: not one of 13 rules is met by it."""
    if rule is TriggerRule.ALL_DONE_SETUP_SUCCESS:
        pytest.skip("of teardowns")
    told = story(trigger_rule=rule.value).succeed("start")
    for index in range(2):
        iterate(told, index)
        assert (told.state("end") == "queued") is (rule is TriggerRule.ALWAYS)
    alone = Story(task("gate"), task("end", "gate", trigger_rule=rule.value)).begin()
    told.succeed("work[2]").fail("check[2]")
    alone.run.move(alone.at("gate"), Event.CLEAR, None)
    alone.run.move(alone.at("gate"), Event.BLOCK, None)
    alone.tick()
    assert told.state("gate[2]") == "upstream_failed"
    assert told.state("end") == alone.state("end")
    told.everything_counts()


def test_at_the_bound_the_gate_fails() -> None:
    told = story(2).succeed("start")
    iterate(told, 0)
    told.succeed("work[1]").succeed("check[1]")
    attempt = told.at("gate[1]").attempt
    told.succeed("gate[1]", follow=ON)
    assert told.indexes("work") == [0, 1]
    assert (told.state("gate[1]"), told.state("end")) == ("failed", "upstream_failed")
    assert attempt is not None
    assert (attempt.state, attempt.cause) == ("failed", "max_iterations")
    assert told.run.state == "failed"


def test_a_team_limit_ends_a_loop() -> None:
    told = story().succeed("start")
    told.run.tasks_max = 10
    iterate(told, 0)
    iterate(told, 1)
    assert told.indexes("work") == [0, 1]
    assert told.state("gate[1]") == "failed"


@pytest.mark.parametrize(
    ("outcome", "state"), [(Outcome.FAILED, "upstream_failed"), (Outcome.SKIPPED, "skipped")]
)
def test_without_a_result_no_iteration_follows(outcome: Outcome, state: str) -> None:
    told = story().succeed("start")
    iterate(told, 0)
    told.end("work[1]", outcome)
    told.tick()
    assert [told.state(f"{name}[1]") for name in ("check", "gate")] == [state, state]
    assert told.state("end") == state
    assert told.indexes("work") == [0, 1]
    told.everything_counts()


def test_a_retry_stays_in_its_iteration() -> None:
    told = Story(
        inside("work", retries=1, retry_delay_s=10),
        inside("check", "work"),
        inside("gate", "check"),
        loops=loops_of(),
    ).begin()
    told.fail("work[0]")
    assert (told.state("work[0]"), told.indexes("work")) == ("up_for_retry", [0])
    told.pass_time(11)
    iterate(told, 0)
    assert told.indexes("work") == [0, 1]


def test_a_clear_of_an_iteration_takes_the_later_ones_away() -> None:
    told = story().succeed("start")
    for index in range(4):
        iterate(told, index)
    iterate(told, 4, STOP)
    told.succeed("end")
    run = told.run
    chosen = commands.select(
        run, Selection(tasks=frozenset({"check"}), map_indexes=frozenset({1}), downstream=True)
    )
    assert {str(each) for each in chosen} == {
        "end",
        *(f"{name}[{n}]" for name in ("work", "check", "gate") for n in (2, 3, 4)),
        "check[1]",
        "gate[1]",
    }
    commands.clear(run, chosen, "user:ada")
    plan.begin(run)
    plan.settle(run)
    gone = [move for move in run.changes.moves if isinstance(move.reason, IterationGone)]
    assert {str(move.instance) for move in gone} == {
        f"{name}[{n}]" for name in ("work", "check", "gate") for n in (2, 3, 4)
    }
    assert {move.reason for move in gone} == {IterationGone(2)}
    told.tick()
    assert told.indexes("work") == told.indexes("gate") == [0, 1]
    assert (told.state("work[1]"), told.state("check[1]")) == ("success", "queued")
    told.succeed("check[1]").succeed("gate[1]", follow=ON)
    assert told.at("work[2]").attempts == 2  # numbers go on
    iterate(told, 2, STOP)
    told.succeed("end")
    assert run.state == "success"
    told.everything_counts()


def test_a_clear_that_leaves_the_gate_alone_keeps_the_later_ones() -> None:
    told = story().succeed("start")
    iterate(told, 0)
    iterate(told, 1, STOP)
    told.succeed("end")
    only = Selection(tasks=frozenset({"work"}), map_indexes=frozenset({0}))
    commands.clear(told.run, commands.select(told.run, only), "user:ada")
    told.begin()
    assert told.indexes("gate") == [0, 1]
    told.succeed("work[0]")
    assert told.run.state == "success"


def test_what_runs_in_a_later_iteration_ends_first() -> None:
    told = story().succeed("start")
    iterate(told, 0)
    only = Selection(tasks=frozenset({"gate"}), map_indexes=frozenset({0}))
    commands.clear(told.run, commands.select(told.run, only), "user:ada")
    told.tick()
    assert told.at("work[1]").intent is Event.CLEAR
    assert told.indexes("check") == [0]
    assert told.end("work[1]", Outcome.CANCELLED)
    told.tick()
    assert told.indexes("work") == [0]
    told.succeed("gate[0]", follow=STOP)
    told.succeed("end")
    assert told.run.state == "success"
    told.everything_counts()


def test_the_gate_may_lead_on_again_before_that_has_ended() -> None:
    told = story().succeed("start")
    iterate(told, 0)
    only = Selection(tasks=frozenset({"gate"}), map_indexes=frozenset({0}))
    commands.clear(told.run, commands.select(told.run, only), "user:ada")
    told.tick().succeed("gate[0]", follow=ON)
    assert told.indexes("check") == [0, 1]
    assert told.end("work[1]", Outcome.CANCELLED)
    told.tick()
    assert told.state("work[1]") == "queued"
    iterate(told, 1, STOP)
    assert told.state("end") == "queued"
    told.everything_counts()


def test_a_gate_marked_by_a_person_ends_the_loop() -> None:
    told = story().succeed("start")
    iterate(told, 0)
    told.succeed("work[1]").fail("check[1]")
    commands.mark(told.run, [told.at("gate[1]")], Event.MARK_SUCCESS, "user:ada")
    told.begin()
    assert told.indexes("work") == [0, 1]
    commands.mark(told.run, [told.at("gate[0]")], Event.MARK_FAILED, "user:ada")
    told.begin()
    assert told.indexes("work") == [0]
    told.everything_counts()


def test_what_it_waited_for_waits_again_with_the_loop() -> None:
    """One that is ready behind the loop is recalled when the loop goes on after all."""
    told = story().succeed("start")
    iterate(told, 0, STOP)
    assert told.state("end") == "queued"
    only = Selection(tasks=frozenset({"gate"}), map_indexes=frozenset({0}))
    commands.clear(told.run, commands.select(told.run, only), "user:ada")
    assert told.at("end").intent is Event.CLEAR


def test_fail_fast_ends_a_loop() -> None:
    told = Story(
        task("other"),
        inside("work"),
        inside("check", "work"),
        inside("gate", "check"),
        loops=loops_of(),
        fail_fast=True,
    ).begin()
    iterate(told, 0)
    told.fail("other")
    assert told.at("work[1]").intent is Event.FAIL
    assert told.end("work[1]", Outcome.CANCELLED)
    told.tick()
    assert told.run.state == "failed"
    assert [told.state(f"{name}[1]") for name in ("check", "gate")] == ["skipped", "skipped"]


def test_a_run_that_is_cancelled_or_out_of_time_begins_no_iteration() -> None:
    for out_of_time in (False, True):
        told = Story(
            inside("work"),
            inside("check", "work"),
            inside("gate", "check"),
            loops=loops_of(),
            dagrun_timeout_s=100,
        ).begin()
        told.succeed("work[0]").succeed("check[0]")
        assert told.start("gate[0]")
        if out_of_time:
            told.pass_time(101)
        else:
            commands.cancel(told.run, "user:ada")
        told.succeed("gate[0]", follow=ON)
        assert told.indexes("work") == [0]
        assert told.run.state == ("failed" if out_of_time else "cancelled")


def test_setup_and_teardown_belong_to_their_iteration() -> None:
    told = Story(
        inside("work", setup=True),
        inside("check", "work"),
        inside("clean", "work", "check", teardown=True, trigger_rule="all_done_setup_success"),
        inside("gate", "check"),
        task("end", "gate"),
        loops=loops_of(),
    ).begin()
    iterate(told, 0)
    assert [told.state(f"{name}") for name in ("clean[0]", "work[1]")] == ["queued", "queued"]
    told.succeed("work[1]").fail("check[1]")
    assert (told.state("clean[1]"), told.state("gate[1]")) == ("queued", "upstream_failed")


def test_an_iteration_costs_the_same_whatever_lies_behind() -> None:
    """Judged is what is in the iteration, and what is behind the loop only when it is over."""
    told = story(1000).succeed("start")
    seen: list[int] = []
    for index in range(300):
        told.succeed(f"work[{index}]").succeed(f"check[{index}]")
        told.end(f"gate[{index}]", follow=ON)
        with counting(type(told.run), "leads_on") as calls:
            plan.settle(told.run)
        seen.append(len(calls))
        told.tick()
    assert max(seen[5:]) == min(seen[5:]) < 20


@pytest.mark.parametrize("seed", range(200))
def test_whatever_happens_the_iterations_are_those_of_the_gates(seed: int) -> None:
    chance = Random(seed)
    told = story(4, task("late", "end", trigger_rule="all_done"))
    for _ in range(60):
        act(told, chance)
        told.tick()
        plan.settle(told.run)
        assert_shape(told)
        told.everything_counts()
    for _ in range(200):
        if told.run.state != "running":
            break
        for name in list(live(told)):
            told.end(name, follow=STOP if name.startswith("gate") else None)
        told.pass_time(3600)
    assert told.run.state in ("success", "failed", "cancelled")
    assert_shape(told)


@contextmanager
def counting(module: Any, name: str) -> Iterator[list[None]]:
    """Count the calls of a function."""
    calls: list[None] = []
    function = getattr(module, name)

    def counted(*args: Any) -> Any:
        calls.append(None)
        return function(*args)

    setattr(module, name, counted)
    try:
        yield calls
    finally:
        setattr(module, name, function)


def act(told: Story, chance: Random) -> None:
    run, what = told.run, chance.random()
    everything = list(run.all())
    if what < 0.75 and (names := list(live(told))):
        name = chance.choice(names)
        outcome = chance.choice([Outcome.SUCCESS] * 6 + [Outcome.FAILED, Outcome.LOST])
        follow = chance.choice([ON, ON, STOP]) if name.startswith("gate") else None
        told.end(name, outcome, follow=follow if outcome is Outcome.SUCCESS else None)
    elif what < 0.9:
        one = chance.choice(everything)
        picked = Selection(
            tasks=frozenset({one.node.task_id}),
            map_indexes=frozenset({one.map_index}) if one.map_index >= 0 else frozenset(),
            downstream=chance.random() < 0.7,
            upstream=chance.random() < 0.2,
        )
        commands.clear(run, commands.select(run, picked), "user:ada")
        if run.state == "queued":
            plan.begin(run)
    elif what < 0.98:
        event = chance.choice([Event.MARK_SUCCESS, Event.MARK_FAILED])
        commands.mark(run, [chance.choice(everything)], event, "user:ada")
        if run.state == "queued":
            plan.begin(run)
    elif run.state == "running":
        commands.cancel(run, "user:ada")


def live(told: Story) -> Iterator[str]:
    yield from (
        str(each) for each in told.run.all() if each.attempt is not None and each.attempt.token
    )


def assert_shape(told: Story) -> None:
    """Iteration n + 1 exists if and only if gate n led on, but for what is still being ended."""
    run = told.run
    gates = run.instances[run.graph.by_id["gate"]]
    count = 1
    while (gate := gates.get(count - 1)) and gate.state == "success" and gate.follow:
        count += 1
    assert count <= 4
    for name in ("work", "check", "gate"):
        by_index = run.instances[run.graph.by_id[name]]
        assert set(range(count)) <= by_index.keys()
        for index, instance in by_index.items():
            assert index < count or instance.intent is not None, f"{instance} is too many"
