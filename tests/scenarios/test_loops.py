"""Loops on a real database, with every model read anew: what people clear, and what a scheduler that dies leaves."""

from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway import DAG, Fail, task_group
from headway import task as function
from headway.agent.protocol import RetryFacts
from headway.authoring.loading import load_file
from headway.core.commands import Selection
from headway.core.reasons import IterationGone
from headway.core.stored_reasons import stored
from headway.executors.base import Grant
from headway.spec import model
from headway.spec.model import RetryRule
from headway.store.transact import transact
from headway.store.views import diagnosis, instances
from headway.store.views.memory import Memory
from headway.testing import Bench, run_dag
from tests.scenarios.test_choices import clear
from tests.scenarios.test_drawn import Doing
from tests.scenarios.world import (
    START_DATE,
    Scheduler,
    deploy,
    run_state,
    states,
    task,
    trigger,
    value,
)

EXAMPLES = Path(__file__).parents[2] / "examples" / "loops"
LOOP = model.Loop(path="l", gate="gate", result="check", max_iterations=5)


def made(conn: Connection[Any], loop: model.Loop = LOOP) -> Scheduler:
    deploy(
        conn,
        task("start"),
        task("work", "start", loop="l"),
        task("check", "work", loop="l"),
        task("gate", "check", loop="l"),
        task("end", "gate"),
        loops=(loop,),
    )
    return Scheduler(conn)


def going_on_until(last: int) -> Any:
    def behave(grant: Grant) -> dict[str, Any]:
        if grant.instance.node.task_id != "gate":
            return {"outcome": "success"}
        return {"outcome": "success", "follow": ["work"] if grant.instance.map_index < last else []}

    return behave


def names(last: int) -> set[str]:
    return {f"{name}[{n}]" for name in ("work", "check", "gate") for n in range(last + 1)}


def test_a_clear_takes_later_iterations_away_and_their_history_stays(conn: Connection[Any]) -> None:
    scheduler = made(conn)
    (run_id,) = trigger(conn)
    scheduler.play(going_on_until(3))
    assert states(conn, run_id) == dict.fromkeys({"start", "end", *names(3)}, "success")
    only = Selection(tasks=frozenset({"check"}), map_indexes=frozenset({1}), downstream=True)
    again = clear(conn, scheduler, run_id, only)
    assert sorted(again) == sorted(["check", "gate", "end", *["work", "check", "gate"] * 2])
    scheduler.play(going_on_until(1))
    assert states(conn, run_id) == dict.fromkeys({"start", "end", *names(1)}, "success")
    assert run_state(conn, run_id) == "success"
    why = "SELECT DISTINCT reason::text FROM event WHERE name = 'remove'"
    assert stored(value(conn, why)) == IterationGone(2)
    (former,) = transact(conn, instances.history, run_id, "work", 3)
    assert (former.number, former.state) == (1, "success")
    clear(conn, scheduler, run_id, Selection(tasks=frozenset({"gate"}), map_indexes=frozenset({1})))
    scheduler.play(going_on_until(2))
    assert states(conn, run_id).keys() == {"start", "end", *names(2)}
    numbers = "SELECT map_index, attempts FROM task_instance WHERE task_id = 'work' ORDER BY 1"
    assert conn.execute(numbers).fetchall() == [(0, 1), (1, 1), (2, 2)]


def test_a_retry_runs_what_failed_in_its_iteration_and_goes_on(conn: Connection[Any]) -> None:
    scheduler = made(conn)
    (run_id,) = trigger(conn)
    fails = True

    def behave(grant: Grant) -> dict[str, Any]:
        at = (grant.instance.node.task_id, grant.instance.map_index)
        if fails and at == ("work", 2):
            return {"outcome": "failed", "retry": False}
        result: dict[str, Any] = going_on_until(3)(grant)
        return result

    scheduler.play(behave)
    found = states(conn, run_id)
    assert (found["work[2]"], found["gate[2]"], found["end"]) == (
        "failed",
        "upstream_failed",
        "upstream_failed",
    )
    counts = transact(conn, diagnosis.of_run, Memory(), run_id).retry
    assert (counts.failed, counts.total) == (4, 4)
    fails = False
    clear(conn, scheduler, run_id, Selection(failed_only=True, downstream=True))
    scheduler.play(behave)
    assert states(conn, run_id) == dict.fromkeys({"start", "end", *names(3)}, "success")


def test_the_bound_is_told_with_its_cause(conn: Connection[Any]) -> None:
    scheduler = made(conn)
    (run_id,) = trigger(conn)
    scheduler.play(going_on_until(9))
    found = states(conn, run_id)
    assert found.keys() == {"start", "end", *names(4)}
    assert (found["gate[3]"], found["gate[4]"], found["end"]) == (
        "success",
        "failed",
        "upstream_failed",
    )
    row = conn.execute(
        "SELECT state, cause, detail FROM attempt WHERE task_id = 'gate' AND map_index = 4"
    ).fetchone()
    assert row == (
        "failed",
        "max_iterations",
        "its condition did not hold after 5 iterations (max_iterations)",
    )


def test_a_new_version_may_raise_the_bound(conn: Connection[Any]) -> None:
    scheduler = made(conn)
    (run_id,) = trigger(conn)
    scheduler.play(going_on_until(9))
    assert run_state(conn, run_id) == "failed"
    deploy(
        conn,
        task("start"),
        task("work", "start", loop="l"),
        task("check", "work", loop="l"),
        task("gate", "check", loop="l"),
        task("end", "gate"),
        loops=(model.Loop(path="l", gate="gate", result="check", max_iterations=20),),
    )
    latest(conn, scheduler, run_id)
    scheduler.play(going_on_until(6))
    assert states(conn, run_id) == dict.fromkeys({"start", "end", *names(6)}, "success")
    first = "SELECT attempts FROM task_instance WHERE task_id = 'work' AND map_index = 4"
    assert value(conn, first) == 1  # kept


def latest(conn: Connection[Any], scheduler: Scheduler, run_id: str) -> None:
    from headway.actions import commands
    from headway.core.repin import Code
    from tests.scenarios.world import ANN, graphs

    retry = Selection(failed_only=True, downstream=True)
    transact(conn, commands.clear, 1, run_id, retry, graphs(scheduler), ANN, Code.LATEST)
    scheduler.ticker.models.clear()


def test_every_restart_of_the_scheduler_is_survived(conn: Connection[Any]) -> None:
    """The model is thrown away after each turn: what is stored is enough at each step."""
    scheduler = made(conn)
    (run_id,) = trigger(conn)
    for _ in range(60):
        scheduler.tick(*scheduler.work(going_on_until(4)))
        scheduler.ticker.models.clear()
        if run_state(conn, run_id) == "success":
            break
    assert states(conn, run_id) == dict.fromkeys({"start", "end", *names(4)}, "success")


def drawn(seed: int) -> DAG:
    """Return a DAG with a loop whose tasks end by their iteration, and by the seed."""
    from random import Random

    chance = Random(seed)
    ends = [chance.choice([0, 0, 0, 1, 2]) for _ in range(12)]
    stop, bound = chance.randint(0, 4), chance.randint(1, 4)
    rules = [chance.choice(["all_success", "all_done", "none_failed", "one_success"]) for _ in "ab"]

    @function
    def first(*, loop: Any) -> int:
        return act(ends[loop.index], loop.index)

    @function(trigger_rule=rules[0])
    def second(value: int | None, *, loop: Any) -> int:
        return act(ends[4 + loop.index], (value or 0) + (loop.previous or 0))

    @function(trigger_rule=rules[1])
    def last(value: int | None, other: int | None, *, loop: Any) -> int:
        return act(ends[8 + loop.index], (value or 0) + (other or 0) + 1)

    @task_group
    def body() -> None:
        one = first()
        last(one, second(one))

    @function(trigger_rule=chance.choice(["all_success", "all_done", "one_success", "one_failed"]))
    def after(results: list[int]) -> list[int]:
        return results

    with DAG("d") as dag:
        after(body.loop(max_iterations=bound, until=lambda loop: loop.index >= stop))
    return dag


def act(end: int, result: int) -> int:
    from headway import Skip

    if end == 1:
        raise Fail("it fails")
    if end == 2:
        raise Skip("it skips itself")
    return result


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_the_scheduler_and_run_dag_agree(conn: Connection[Any], first: int) -> None:
    scheduler, differing = Doing(conn), {}
    for seed in range(first, first + 20):
        dag = drawn(seed)
        spec = dag.spec("d.py")
        wanted = run_dag(dag)
        deploy(conn, *spec.tasks, dag_id=f"d{seed}", loops=spec.loops)
        (run_id,) = trigger(conn, f"d{seed}")
        scheduler.bench = Bench(dag, spec, START_DATE, (START_DATE, START_DATE), None, {})
        scheduler.play(seconds_a_turn=1.0)
        found = (run_state(conn, run_id), states(conn, run_id))
        expected = {
            task.task_id if each.map_index < 0 else f"{task.task_id}[{each.map_index}]": each.state
            for task in wanted.tasks.values()
            for each in task.instances
        }
        if found != (wanted.state, expected):
            differing[seed] = found, (wanted.state, expected)
    assert not differing


def test_the_example_runs_on_the_scheduler(conn: Connection[Any]) -> None:
    (dag,) = load_file(EXAMPLES / "paging.py", EXAMPLES)
    spec = dag.spec("paging.py")
    deploy(conn, *spec.tasks, dag_id="pages", loops=spec.loops)
    (run_id,) = trigger(conn, "pages")
    scheduler = Doing(conn)
    scheduler.bench = Bench(dag, spec, START_DATE, (START_DATE, START_DATE), None, {})
    scheduler.play(seconds_a_turn=1.0)
    assert run_state(conn, run_id) == "success"
    assert states(conn, run_id).keys() >= {"page.fetch[2]", "page.last_page[2]", "report"}


def test_each_iteration_has_the_retries_that_its_rules_give(conn: Connection[Any]) -> None:
    """What failed in an iteration counts against that one, and another rule may decide in the next."""
    rules = (
        RetryRule(exceptions=("builtins.OSError",), retries=2, retry_delay_s=1),
        RetryRule(exceptions=("builtins.ValueError",), retries=0),
    )
    work = task("work", "start", loop="l", retry_policy=rules)
    deploy(
        conn,
        *(task("start"), work, task("check", "work", loop="l"), task("gate", "check", loop="l")),
        task("end", "gate"),
        loops=(LOOP,),
    )
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)

    def behave(grant: Grant) -> dict[str, Any]:
        instance = grant.instance
        fails = instance.node.task_id == "work" and instance.attempts <= instance.map_index
        if fails or (instance.node.task_id, instance.map_index) == ("work", 3):
            kind = "builtins.ValueError" if instance.map_index == 3 else "builtins.OSError"
            return {"outcome": "failed", "facts": RetryFacts([kind])}
        result: dict[str, Any] = going_on_until(4)(grant)
        return result

    scheduler.play(behave, seconds_a_turn=5)
    numbers = (
        "SELECT map_index, state, attempts, failures, reason -> 'by' ->> 'number' FROM task_instance"
        " WHERE task_id = 'work' ORDER BY map_index"
    )
    assert conn.execute(numbers).fetchall() == [
        (0, "success", 1, 0, None),
        (1, "success", 2, 1, None),
        (2, "success", 3, 2, None),
        (3, "failed", 1, 1, "2"),
    ]
    assert run_state(conn, run_id) == "failed"
