"""Many pods that are granted at once are asked for a few at a time, so that nobody's lease waits for them."""

from collections.abc import Sequence
from typing import Any

import pytest
from psycopg import Connection

from headway.core.run import Run
from headway.executors.kubernetes import cluster, creation
from headway.store import snapshots
from headway.store.runs import Claimed
from tests.executors.test_conformance import Bench, cancel
from tests.kubernetes.test_executor import bench, until, workers
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import deploy, run_state, states, task, trigger

__all__ = ["bench", "workers"]

MANY = 12


def begin(conn: Connection[Any], bench: Bench) -> str:
    deploy(conn, *(task(f"t{number}", executor="first") for number in range(MANY)))
    (run_id,) = trigger(conn)
    bench.join(slots=MANY, processes=0)
    return run_id


def asked(workers: KubernetesWorkers) -> int:
    """How often the API server was asked for a pod."""
    return sum(
        each.startswith("POST") and each.endswith("/pods") for each in workers.server.requests
    )


def test_few_requests_are_unanswered_at_a_time(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(creation, "UNANSWERED_MAX", 3)
    begin(conn, bench)
    wanted = workers.executor.creation.wanted
    most = 0

    def are_there() -> bool:
        nonlocal most
        most = max(most, workers.executor.cluster.asked)
        return len(workers.pods()) == MANY and not wanted

    until(bench, are_there)
    assert most <= 3
    assert asked(workers) == MANY


def test_a_turn_ends_in_time_and_the_next_one_goes_on(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However little time a turn has: the loop is rung until there is nothing left."""
    monkeypatch.setattr(creation, "SLICE_S", 1e-9)
    monkeypatch.setattr(cluster, "TAKE_S", 1e-9)
    begin(conn, bench)
    until(bench, lambda: len(workers.pods()) == MANY)
    assert asked(workers) == MANY


def test_an_attempt_that_ends_before_its_pod_is_asked_for_gets_none(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(creation, "UNANSWERED_MAX", 0)
    run_id = begin(conn, bench)
    until(bench, lambda: len(workers.executor.creation.wanted) == MANY)
    cancel(conn, run_id)
    until(bench, lambda: run_state(conn, run_id) == "cancelled")
    monkeypatch.setattr(creation, "UNANSWERED_MAX", 200)
    until(bench, lambda: not workers.executor.creation.wanted)
    bench.turn()
    assert asked(workers) == 0


def test_pods_that_take_their_attempts_have_no_run_read_again(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The model of the run follows them: it is that of the database in the end."""
    run_id = begin(conn, bench)
    until(bench, lambda: len(workers.pods()) == MANY)
    reads: list[str] = []
    load = snapshots.load

    def counted(conn: Connection[Any], rows: Sequence[Claimed], *more: Any) -> list[Run]:
        reads.extend(row.run_id for row in rows)
        return load(conn, rows, *more)

    monkeypatch.setattr(snapshots, "load", counted)
    workers.processes = MANY
    until(bench, lambda: len(workers.started) == MANY)
    until(bench, lambda: set(states(conn, run_id).values()) == {"running"})
    assert reads == []
    model = bench.scheduler.ticker.models[1, run_id]
    stored = conn.execute("SELECT task_id, session_id FROM attempt").fetchall()
    assert {
        (each.node.task_id, None if each.attempt is None else each.attempt.session)
        for each in model.all()
    } == set(stored)
