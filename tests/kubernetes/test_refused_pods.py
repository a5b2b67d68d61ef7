"""Pods that are not those of what they ask for: they run nothing, and the audit of their team has one entry."""

from typing import Any

from psycopg import Connection

from headway import clock
from headway.agent.protocol import Hello
from headway.executors.kubernetes.settings import AUDIENCE
from tests.executors.test_conformance import Bench, key
from tests.kubernetes.fake import states
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.test_executor import PATIENCE_S, begin, bench, wait, workers
from tests.kubernetes.workers import KubernetesWorkers, PodClient
from tests.scenarios.world import states as states_of

__all__ = ["bench", "workers"]


def refusals(conn: Connection[Any]) -> list[tuple[int, str]]:
    return conn.execute(
        "SELECT team_id, detail->>'reason' FROM audit WHERE action = 'agents.refuse' ORDER BY seq"
    ).fetchall()


def test_a_second_pod_of_an_attempt_is_refused(
    conn: Connection[Any], owner_conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = begin(conn, bench)
    (pod,) = workers.pods()
    workers.server.store.delete(POD, workers.namespace, pod["metadata"]["name"], 0)
    twin = {"metadata": {**pod["metadata"], "resourceVersion": None}, "spec": pod["spec"]}
    made = workers.server.store.create(POD, {**twin, "status": {"phase": "Pending"}})
    workers.run(made)
    client = workers.clients[made["metadata"]["uid"]]
    workers.settle()
    assert client.is_refused
    assert workers.started == [key(run_id)]
    assert refusals(owner_conn) == [(1, "its attempt has ended, or another pod has it")]


def test_who_cannot_prove_to_be_the_pod_is_refused(
    conn: Connection[Any], owner_conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
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
    assert refusals(owner_conn) == [(1, "the pod is not that of its attempt")]  # of all, one entry
    assert workers.started == []
    assert states_of(conn, run_id) == {"a": "queued"}
    workers.clients.clear()


def test_the_pod_of_an_attempt_is_no_agent_of_the_warm_pool(
    conn: Connection[Any], owner_conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
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
    assert refusals(owner_conn) == [(1, "it is not a pod of a warm pool")]
    workers.clients.pop("a-session-of-its-own")


def test_a_pod_that_knocks_before_its_loss_is_stored_is_not_lost(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """Its attempt was found waiting for too long, and the tick that stores that comes after it was let in."""
    run_id = wait(conn, bench)
    (pod,) = workers.pods()
    stored = workers.server.store.objects[POD.plural, workers.namespace, pod["metadata"]["name"]]
    stored["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    workers.change(pod["metadata"]["name"], states.waiting("ContainerCreating"))
    deadline = clock.monotonic() + PATIENCE_S
    while not workers.executor.ends.told:
        assert clock.monotonic() < deadline
        workers.settle()
    workers.run(pod)
    workers.settle()
    assert workers.started == [key(run_id)]
    bench.turn()
    assert states_of(conn, run_id) == {"a": "running"}
    assert workers.started == [key(run_id)]
