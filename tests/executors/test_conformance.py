"""What every executor keeps: the agents' gateway before a protocol client and before the simulator's
agent, and pods. The scheduler and the database are real.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from psycopg import Connection

from headway.actions import commands
from headway.agent.protocol import AttemptKey
from headway.core.commands import Selection
from headway.engine.catalog import Catalog
from headway.engine.scheduler import Scheduler
from headway.store.transact import transact
from tests.agent_tokens import let_in
from tests.executors.workers import SimulatedAgent, SocketAgent, Workers, rounds
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import ANN, deploy, run_state, states, task, trigger, value
from tests.simulation.line import Selector

KINDS: dict[str, Callable[[Path, str], Workers]] = {
    "agent on a socket": SocketAgent,
    "agent of the simulator": SimulatedAgent,
    "kubernetes": KubernetesWorkers,
}


class Bench:
    """Schedulers, one after the other, over the same workers."""

    def __init__(self, dsn: str, kind: str, folder: Path) -> None:
        self.dsn = dsn
        self.kind = kind
        self.workers = KINDS[kind](folder, "first")
        self.other = KINDS[kind](folder, "second")
        self.scheduler = self.start()

    def start(self) -> Scheduler:
        with ExitStack() as stack:
            if self.kind == "agent of the simulator":
                stack.enter_context(
                    mock.patch("headway.engine.scheduler.DefaultSelector", Selector)
                )
            scheduler = Scheduler(self.dsn, [self.workers.open, self.other.open], scheduled=False)
        scheduler.register()
        let_in(scheduler.conn)
        return scheduler

    def die(self) -> None:
        """As a process does: nothing is told to anybody."""
        self.workers.hang_up()
        self.other.hang_up()
        for executor in self.scheduler.executors:
            executor.close()
        self.scheduler.conn.close()
        self.scheduler.ears.close()
        self.scheduler.selector.close()

    def restart(self) -> None:
        self.die()
        self.scheduler = self.start()

    def join(self, slots: int = 4, processes: int = 4, *queues: str) -> None:
        self.workers.join(slots, processes, *queues)

    def turn(self, count: int = 3) -> None:
        self.scheduler.wanted = self.scheduler.look_for_starts = True
        rounds(
            self.scheduler,
            *(each for each in (self.workers, self.other) if each.joined),
            count=count,
        )


@pytest.fixture(params=KINDS)
def bench(dsn: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(dsn, request.param, tmp_path)
    yield bench
    bench.die()
    for each in (bench.workers, bench.other):
        if isinstance(each, KubernetesWorkers):
            each.close()


def key(run_id: str, task_id: str = "a", number: int = 1) -> AttemptKey:
    return AttemptKey(run_id, task_id, -1, number)


def cancel(conn: Connection[Any], run_id: str) -> None:
    transact(conn, commands.cancel, 1, run_id, Catalog(conn).graph, ANN)


def lapse(conn: Connection[Any]) -> None:
    """The lease of every session is over."""
    conn.execute("UPDATE agent_session SET heartbeat_at = heartbeat_at - interval '1 minute'")


def test_no_more_is_bound_than_it_offers(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("a"))
    runs = trigger(conn, "d", *(f"k{number}" for number in range(5)))
    bench.join(slots=2, processes=1)
    bench.turn()
    assert value(conn, "SELECT count(*) FROM attempt") == 2
    assert len(bench.workers.started) == 1
    while len(bench.workers.started) < 5:
        before = len(bench.workers.started)
        bench.workers.end(bench.workers.started[-1])
        bench.turn()
        assert len(bench.workers.started) == before + 1
    bench.workers.end(bench.workers.started[-1])
    bench.turn()
    assert {run_state(conn, run_id) for run_id in runs} == {"success"}


def test_an_attempt_is_started_once(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.join()
    bench.turn(6)
    assert bench.workers.started == [key(run_id)]
    bench.workers.end(key(run_id))
    bench.turn()
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT count(*) FROM attempt") == 1


def test_cancelled_before_it_starts(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.join(slots=2, processes=0)
    bench.turn()
    assert states(conn, run_id) == {"a": "queued"}
    cancel(conn, run_id)
    bench.turn()
    assert run_state(conn, run_id) == "cancelled"
    assert bench.workers.started == []


def test_cancelled_while_it_runs(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.join()
    bench.turn()
    cancel(conn, run_id)
    bench.turn()
    assert run_state(conn, run_id) == "cancelled"
    assert value(conn, "SELECT state FROM attempt") == "cancelled"


def test_cancelled_after_its_end(conn: Connection[Any], bench: Bench) -> None:
    """The end is on its way: what a person asked for last counts, and the attempt ends once."""
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.join()
    bench.turn()
    bench.workers.end(key(run_id))
    cancel(conn, run_id)
    bench.turn()
    assert run_state(conn, run_id) in ("success", "cancelled")
    assert value(conn, "SELECT count(*) FROM attempt WHERE ended_at IS NOT NULL") == 1


def test_an_end_that_is_told_twice_counts_once(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.join()
    bench.turn()
    bench.workers.end(key(run_id))
    bench.turn()
    chosen = Selection(tasks=frozenset({"a"}))
    transact(conn, commands.clear, 1, run_id, chosen, Catalog(conn).graph, ANN)
    bench.turn()
    bench.workers.repeat(key(run_id))
    bench.turn()
    assert states(conn, run_id)["a"] in ("queued", "running")
    bench.workers.end(key(run_id, number=2))
    bench.turn()
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT count(*) FROM attempt WHERE state = 'success'") == 2


def test_what_is_silent_loses_what_was_bound_to_it(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.join()
    bench.turn()
    bench.workers.hang_up()
    lapse(conn)
    bench.scheduler.sweep()
    bench.scheduler.tick()
    assert value(conn, "SELECT state FROM attempt") == "lost"
    assert states(conn, run_id) == {"a": "up_for_retry"}


def test_a_scheduler_that_starts_anew_takes_over_what_runs(
    conn: Connection[Any], bench: Bench
) -> None:
    deploy(conn, task("a"))
    first, second = trigger(conn, "d", "k1", "k2")
    bench.join(slots=2, processes=1)
    bench.turn()
    (running,) = bench.workers.started
    bench.restart()
    bench.turn()
    assert bench.workers.started == [running]
    assert value(conn, "SELECT count(*) FROM attempt") == 2
    bench.workers.end(running)
    bench.turn()
    bench.workers.end(bench.workers.started[-1])
    bench.turn()
    assert (run_state(conn, first), run_state(conn, second)) == ("success", "success")
    assert value(conn, "SELECT count(*) FROM attempt") == 2


def test_an_end_that_no_scheduler_stored_is_told_to_the_next(
    conn: Connection[Any], bench: Bench
) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.join()
    bench.turn()
    bench.workers.end(key(run_id))
    bench.restart()
    bench.turn(6)
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT count(*) FROM attempt") == 1


def test_ends_of_a_tick_that_failed_come_again(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.join()
    bench.turn()
    bench.workers.end(key(run_id))
    with mock.patch("headway.engine.tick.changes.write", side_effect=AssertionError):
        bench.turn(1)
    assert run_state(conn, run_id) == "running"
    bench.turn()
    assert run_state(conn, run_id) == "success"


def why(conn: Connection[Any], task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = value(
        conn, "SELECT blocked_reason FROM task_instance WHERE task_id = %s", task_id
    )
    return found


def test_a_queue_waits_for_who_serves_it_and_holds_up_nobody(
    conn: Connection[Any], bench: Bench
) -> None:
    deploy(conn, task("a"), task("g", queue="gpu", priority_weight=9))
    (run_id,) = trigger(conn)
    bench.join(2, 2)
    bench.turn()
    assert bench.workers.started == [key(run_id)]
    assert why(conn, "g") == {"kind": "queue_unserved", "queue": "gpu", "executor": ""}
    bench.other.join(2, 2, "gpu")
    bench.turn()
    assert bench.other.started == []  # its executor is not the one that takes what names none
    bench.workers.end(key(run_id))
    bench.turn()
    assert states(conn, run_id) == {"a": "success", "g": "ready"}


def test_a_queue_that_is_served_is_run(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("g", queue="gpu"))
    (run_id,) = trigger(conn)
    bench.join(2, 2, "default", "gpu")
    bench.turn()
    assert bench.workers.started == [key(run_id, "g")]


def test_what_many_wait_for_hides_nothing_behind_it(conn: Connection[Any], bench: Bench) -> None:
    """More ready task instances of a queue that nobody serves than there are places, and first by rank."""
    deploy(conn, task("g", queue="gpu", priority_weight=9), dag_id="waits", max_active_runs=50)
    trigger(conn, "waits", *(f"k{number}" for number in range(10)))
    bench.join(2, 2)
    bench.turn()
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    bench.turn()
    assert bench.workers.started == [key(run_id)]


def test_executors_are_asked_for_by_name(conn: Connection[Any], bench: Bench) -> None:
    named = [task("b", executor="second"), task("c", executor="moon")]
    deploy(conn, task("a"), *named)
    (run_id,) = trigger(conn)
    bench.join(4, 4)
    bench.other.join(4, 4)
    bench.turn()
    assert bench.workers.started == [key(run_id)]
    assert bench.other.started == [key(run_id, "b")]
    assert why(conn, "c") == {
        "kind": "executor_unknown",
        "executor": "moon",
        "known": ["first", "second", "warm"],
    }


def test_several_executors_work_side_by_side(conn: Connection[Any], bench: Bench) -> None:
    deploy(conn, task("a"), task("b", executor="second"))
    runs = trigger(conn, "d", "k1", "k2")
    bench.join(2, 2)
    bench.other.join(2, 2)
    bench.turn()
    assert (len(bench.workers.started), len(bench.other.started)) == (2, 2)
    for each in (bench.workers, bench.other):
        for started in list(each.started):
            each.end(started)
    bench.turn()
    assert {run_state(conn, run_id) for run_id in runs} == {"success"}
