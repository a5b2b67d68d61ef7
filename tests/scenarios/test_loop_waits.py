"""What the tasks of a loop wait for: those of their own iteration, and what decides whether another one follows."""

from typing import Any

import pytest
from psycopg import Connection

from headway.core.reasons import AwaitsIteration
from headway.errors import NotFound
from headway.spec import model
from headway.store.transact import transact
from headway.store.views import instances
from tests.scenarios.test_loops import going_on_until, made
from tests.scenarios.world import Scheduler, trigger

LOOP = model.Loop(path="l", gate="gate", result="check", max_iterations=3, until="enough")


@pytest.fixture
def scheduler(conn: Connection[Any]) -> Scheduler:
    return made(conn, LOOP)


def end_one(scheduler: Scheduler, last: int = 9) -> None:
    (grant,) = scheduler.held.values()
    scheduler.tick(scheduler.end(grant, **going_on_until(last)(grant)))


def test_a_task_waits_for_those_of_its_own_iteration(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    (run_id,) = trigger(conn)

    def why(task_id: str, iteration: int) -> Any:
        return transact(conn, instances.one, run_id, task_id, iteration)

    scheduler.tick()
    first = why("work", 0)
    assert first.why == AwaitsIteration(1, 3, "gate", "enough", ("start",))
    for _ in range(4):
        end_one(scheduler)
    # The first iteration is over, and the second one began: of it alone is told.
    assert why("check", 1).why == AwaitsIteration(2, 3, "gate", "enough", ("work",))
    gate = why("gate", 1)
    assert gate.why == AwaitsIteration(2, 3, "gate", "enough", ("check",), decides=True)
    assert gate.reason == (
        "it waits for `check` in iteration 2 of at most 3; then it decides whether another one follows"
    )
    assert why("check", 0).why is None, "it has ended"
    assert transact(conn, instances.one, run_id, "end", None).why is None, "it is in no loop"
    for _ in range(3):
        end_one(scheduler)
    assert why("gate", 2).reason.endswith("the last one, after which `enough` must hold")


def test_an_iteration_that_has_not_begun_says_what_decides(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    (run_id,) = trigger(conn)
    scheduler.tick()
    with pytest.raises(NotFound, match="has no iteration 2 of 'work'") as error:
        transact(conn, instances.one, run_id, "work", 2)
    assert error.value.hint == (
        "the loop l has begun 1 of at most 3 iterations; `enough` decides after each whether another one follows"
    )
    with pytest.raises(NotFound) as error:
        transact(conn, instances.one, run_id, "work", 3)
    assert "at most 3 iterations, from index 0 on" in str(error.value.hint)
    with pytest.raises(NotFound, match="has no instance of 'end' with map index 2"):
        transact(conn, instances.one, run_id, "end", 2)
