"""Retry rules of tasks in pods: what ends a pod decides, as what ends a process does, and a loss uses no rule."""

from functools import partial
from typing import Any

from psycopg import Connection

from headway.spec.model import RetryRule
from tests.executors.test_conformance import Bench, key
from tests.kubernetes.fake import states
from tests.kubernetes.test_executor import attempt, begin, bench, counts, end_pod, until, workers
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import run_state, value

__all__ = ["bench", "workers"]

OOM = RetryRule(causes=("oom",), retries=2, retry_delay_s=0.01, reason="it grows")
NEVER = RetryRule(exit_codes=(137,), retries=0)


def failed(conn: Connection[Any]) -> int:
    return int(value(conn, "SELECT count(*) FROM attempt WHERE state = 'failed'"))


def test_a_lack_of_memory_is_tried_as_often_as_its_rule_says(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """The rule gives two retries to a task that has none otherwise."""
    run_id = begin(conn, bench, retries=0, retry_policy=(OOM,))
    for number in (1, 2, 3):
        until(bench, partial(has_begun, bench, number))
        end_pod(workers, states.ended(137, "OOMKilled"))
        until(bench, partial(has_failed, conn, number))
    until(bench, lambda: run_state(conn, run_id) == "failed")
    assert attempt(conn)[1] == "memory"
    assert counts(conn) == (3, 0)


def has_begun(bench: Bench, number: int) -> bool:
    return len(bench.workers.started) == number


def has_failed(conn: Connection[Any], number: int) -> bool:
    return failed(conn) == number


def test_what_the_cluster_takes_away_asks_no_rule(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """A pod that the cluster ends has the exit code of SIGKILL, which the rule would not try again."""
    run_id = begin(conn, bench, retries=0, retry_policy=(NEVER,))
    end_pod(workers, states.ended(137))
    until(bench, partial(has_begun, bench, 2))
    assert (counts(conn), failed(conn)) == ((0, 1), 0)
    bench.workers.end(key(run_id, number=2))
    until(bench, lambda: run_state(conn, run_id) == "success")
