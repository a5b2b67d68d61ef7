"""The end of a container is told once: by the agent beside it, or by the status of its pod where that is gone."""

from typing import Any

import pytest
from psycopg import Connection

from tests.executors.test_conformance import Bench, key
from tests.kubernetes.fake import states
from tests.kubernetes.test_executor import attempt, begin, bench, counts, end_pod, until, workers
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import run_state, value

__all__ = ["bench", "workers"]

CONTAINER: dict[str, Any] = {
    "kind": "container",
    "image": "shell:1",
    "executor": "first",
    "arguments": {"command": ["sh", "-c", "exit 3"]},
}
TURNS = 5  # in which something would have happened


def over(code: int, reason: str = "") -> states.Edit:
    """The node has ended all containers of the pod."""

    def edit(pod: dict[str, Any]) -> None:
        states.terminated("task", code, reason)(pod)
        states.over(code == 0)(pod)

    return edit


@pytest.mark.parametrize(
    ("code", "reason", "end", "spent"),
    [
        (0, "", ("success", None), (0, 0)),
        (3, "", ("failed", "exit_code"), (1, 0)),
        (137, "OOMKilled", ("failed", "memory"), (1, 0)),
        (137, "", ("lost", "pod_ended"), (0, 1)),  # nobody looked after it: that ended it
    ],
)
def test_the_status_tells_it_where_the_agent_is_gone(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    code: int,
    reason: str,
    end: tuple[str, str | None],
    spent: tuple[int, int],
) -> None:
    begin(conn, bench, **CONTAINER)
    end_pod(workers, over(code, reason))
    until(bench, lambda: value(conn, "SELECT state FROM attempt WHERE number = 1") == end[0])
    cause = value(conn, "SELECT cause FROM attempt WHERE number = 1")
    assert (cause or None) == end[1]
    assert counts(conn) == spent


def test_an_agent_that_is_away_for_a_moment_is_waited_for(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """Its container has ended, and the kubelet has not ended the agent: it will come back and tell."""
    run_id = begin(conn, bench, **CONTAINER)
    ((uid, client),) = workers.clients.items()
    del workers.clients[uid]
    client.hang_up()
    workers.change(client.meta["name"], states.terminated("task", 3))
    bench.turn(TURNS)
    assert attempt(conn)[0] == "running"
    workers.clients[uid] = client  # it comes back by itself
    bench.turn()
    client.finish("failed", "exit_code")
    until(bench, lambda: attempt(conn)[0] == "failed")
    until(bench, lambda: run_state(conn, run_id) == "failed" and workers.pods() == [])
    assert counts(conn) == (1, 0)


def test_it_is_told_once(conn: Connection[Any], bench: Bench, workers: KubernetesWorkers) -> None:
    run_id = begin(conn, bench, **CONTAINER)
    workers.client(key(run_id)).finish("failed", "exit_code")
    (pod,) = workers.pods()
    workers.change(pod["metadata"]["name"], over(0))  # as the node says afterwards
    until(bench, lambda: run_state(conn, run_id) == "failed" and workers.pods() == [])
    assert value(conn, "SELECT count(*) FROM attempt") == 1
    assert counts(conn) == (1, 0)
