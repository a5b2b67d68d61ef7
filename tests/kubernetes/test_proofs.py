"""Who says to be a pod of an attempt, or of a warm pool, proves it."""

from typing import Any

from psycopg import Connection

from headway.agent.protocol import Hello
from headway.executors.kubernetes.settings import AUDIENCE
from tests.executors.test_conformance import Bench, key
from tests.kubernetes.test_executor import begin, bench, wait, workers
from tests.kubernetes.workers import KubernetesWorkers, PodClient
from tests.scenarios.world import states as states_of

__all__ = ["bench", "workers"]  # fixtures


def test_who_cannot_prove_to_be_the_pod_is_refused(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = wait(conn, bench)
    (pod,) = workers.pods()
    meta = pod["metadata"]
    issue = workers.server.tokens.issue
    account = (workers.namespace, "headway-task")
    tokens = [
        "nobody's",
        issue(*account, ("other",), meta["name"], meta["uid"]),  # meant for somebody else
        issue(*account, (AUDIENCE,)),  # of no pod
        issue(*account, (AUDIENCE,), "another-pod", meta["uid"]),
    ]
    for number, token in enumerate(tokens):
        client = PodClient(workers.path, pod, token)
        workers.clients[str(number)] = client
        client.connect()
    workers.settle()
    assert [client.is_refused for client in workers.clients.values()] == [True] * 4
    assert workers.started == []
    assert states_of(conn, run_id) == {"a": "queued"}
    workers.clients.clear()


def test_the_pod_of_an_attempt_is_no_agent_of_the_warm_pool(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """Its token is good, so the code of a task could say what an agent says, and be given other tasks."""
    run_id = begin(conn, bench)
    (pod,) = workers.pods()
    meta = pod["metadata"]
    token = workers.server.tokens.issue(
        workers.namespace, "headway-task", (AUDIENCE,), meta["name"], meta["uid"]
    )
    client = PodClient(workers.path, pod, token)
    workers.clients["a-session-of-its-own"] = client
    client.dial()
    client.tell(Hello("a-session-of-its-own", meta["name"], token, 1, 9, "node", 1, []))
    workers.settle()
    assert client.is_refused
    assert workers.started == [key(run_id)]
    workers.clients.pop("a-session-of-its-own")
