"""What becomes of attempts when the cluster does what clusters do. Scheduler, database and executor are real."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway import clock
from headway.agent.protocol import Ended
from headway.core.reasons import PodPending, QuotaFull, Reason
from headway.core.stored_reasons import stored
from headway.executors.kubernetes.names import INSTALL
from tests.executors.test_conformance import Bench, cancel, key, lapse
from tests.kubernetes.fake import states
from tests.kubernetes.fake.kinds import POD, QUOTA
from tests.kubernetes.fake.store import Object
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import deploy, run_state, task, trigger, value
from tests.scenarios.world import states as states_of

PATIENCE_S = 60.0
PODS = r"/pods$"


@pytest.fixture
def bench(dsn: str, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(dsn, "kubernetes", tmp_path)
    yield bench
    bench.die()
    for each in (bench.workers, bench.other):
        assert isinstance(each, KubernetesWorkers)
        each.close()


@pytest.fixture
def workers(bench: Bench) -> KubernetesWorkers:
    assert isinstance(bench.workers, KubernetesWorkers)
    return bench.workers


def until(bench: Bench, condition: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    while not condition():
        assert clock.monotonic() < deadline
        bench.turn(1)


def begin(conn: Connection[Any], bench: Bench, **options: Any) -> str:
    """A run whose only task has its pod, which runs."""
    run_id = wait(conn, bench, processes=4, **options)
    assert bench.workers.started == [key(run_id)]
    return run_id


def wait(conn: Connection[Any], bench: Bench, *, processes: int = 0, **options: Any) -> str:
    """A run whose only task has its pod, which waits unless there are nodes."""
    deploy(conn, task("a", **options))
    (run_id,) = trigger(conn)
    bench.join(slots=4, processes=processes)
    bench.turn()
    return run_id


def attempt(conn: Connection[Any]) -> tuple[Any, ...]:
    row = conn.execute(
        "SELECT state, cause, detail FROM attempt ORDER BY number DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return tuple(row)


def counts(conn: Connection[Any]) -> tuple[int, int]:
    row = conn.execute("SELECT failures, losses FROM task_instance").fetchone()
    assert row is not None
    return row[0], row[1]


def blocked(conn: Connection[Any]) -> Reason | None:
    """Why the only task instance waits, as it is stored."""
    text = value(conn, "SELECT blocked_reason::text FROM task_instance")
    return None if text is None else stored(text)


def end_pod(workers: KubernetesWorkers, edit: states.Edit) -> None:
    """End the only pod as a node does: its agent says nothing more."""
    (pod,) = workers.pods()
    if (client := workers.clients.pop(pod["metadata"]["uid"], None)) is not None:
        client.hang_up()
    workers.change(pod["metadata"]["name"], edit)


def test_a_lack_of_memory_is_the_failure_of_the_task(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = begin(conn, bench)
    end_pod(workers, states.ended(137, "OOMKilled"))
    until(bench, lambda: attempt(conn)[0] == "failed")
    _, cause, detail = attempt(conn)
    assert (cause, detail) == ("memory", "OOMKilled: it used more than its limit of 512Mi")
    assert counts(conn) == (1, 0)
    until(bench, lambda: run_state(conn, run_id) == "failed" and workers.pods() == [])


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (states.taken("Evicted", "The node was low on resource: memory."), "evicted"),
        (states.taken("Failed", "preempted", "PreemptionByScheduler"), "preempted"),
        (states.ended(137), "pod_ended"),
    ],
)
def test_what_the_cluster_takes_away_uses_no_retry(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers, edit: states.Edit, cause: str
) -> None:
    begin(conn, bench)
    end_pod(workers, edit)
    until(bench, lambda: value(conn, "SELECT state FROM attempt WHERE number = 1") == "lost")
    assert value(conn, "SELECT cause FROM attempt WHERE number = 1") == cause
    assert counts(conn) == (0, 1)


@pytest.mark.parametrize(
    ("disruption", "cause", "detail"),
    [
        ("EvictionByEvictionAPI", "evicted", "EvictionByEvictionAPI on node node-1"),
        ("PreemptionByScheduler", "preempted", "PreemptionByScheduler on node node-1"),
        ("", "stopped", "its agent was stopped"),
    ],
)
def test_an_agent_that_had_time_to_report_its_end_was_stopped_by_what_the_cluster_says(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    disruption: str,
    cause: str,
    detail: str,
) -> None:
    run_id = begin(conn, bench)
    (pod,) = workers.pods()

    def disrupt(pod: dict[str, Any]) -> None:
        if disruption:
            states.condition(pod, "DisruptionTarget", "True", disruption, "by the cluster")

    name = pod["metadata"]["name"]
    workers.change(name, disrupt)
    known = workers.executor.cluster.pods
    until(bench, lambda: known[workers.namespace][name].disruption == disruption)
    client = workers.client(key(run_id))
    assert client.grant is not None
    client.ended = Ended(
        client.next_seq(),
        client.key,
        client.grant.token,
        "lost",
        "stopped",
        "its agent was stopped",
    )
    client.tell(client.ended)
    until(bench, lambda: value(conn, "SELECT state FROM attempt WHERE number = 1") == "lost")
    assert value(conn, "SELECT cause FROM attempt WHERE number = 1") == cause
    assert value(conn, "SELECT detail FROM attempt WHERE number = 1").startswith(detail)
    assert counts(conn) == (0, 1)


def test_a_lost_node_may_still_run_the_task_until_its_lease_is_over(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    begin(conn, bench)
    end_pod(workers, states.taken("NodeLost", "Node node-1 is unresponsive"))
    bench.turn(3)
    assert attempt(conn)[0] == "running"
    lapse(conn)
    until(bench, lambda: counts(conn) == (0, 1))


def test_an_image_that_will_never_come_fails_at_once(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = wait(conn, bench)
    end_pod(workers, states.waiting("ErrImageNeverPull", "image not present"))
    until(bench, lambda: run_state(conn, run_id) == "failed")
    assert attempt(conn) == ("failed", "image", "ErrImageNeverPull: image not present")
    until(bench, lambda: workers.pods() == [])


def test_a_pod_that_does_not_start_is_replaced_and_in_the_end_its_attempt_fails(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = wait(conn, bench)
    end_pod(workers, states.waiting("ImagePullBackOff", "Back-off pulling image"))
    bench.turn(3)
    assert (run_state(conn, run_id), counts(conn)) == ("running", (0, 0))
    seen: set[str] = set()
    for losses in (1, 2):
        seen.add(let_the_deadline_pass(bench, workers, seen))
        until(bench, lambda losses=losses: counts(conn) == (0, losses))  # type: ignore[misc]
        wake(conn)
    let_the_deadline_pass(bench, workers, seen)
    until(bench, lambda: run_state(conn, run_id) == "failed")
    said = "its pod did not start in 900 s: ImagePullBackOff: Back-off pulling image jobs:1"
    assert ends(conn) == [
        ("lost", "image", said),
        ("lost", "image", said),
        ("failed", "image", f"{said} (the last of 3 pods)"),
    ]
    until(bench, lambda: workers.pods() == [])


def let_the_deadline_pass(bench: Bench, workers: KubernetesWorkers, seen: set[str]) -> str:
    """Make the pod that nobody has seen look as old as its deadline. Returns its name."""

    def new() -> list[str]:
        return [p["metadata"]["name"] for p in workers.pods() if p["metadata"]["name"] not in seen]

    until(bench, lambda: len(new()) == 1)
    (name,) = new()
    stored = workers.server.store.objects[POD.plural, workers.namespace, name]
    stored["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    workers.change(name, states.waiting("ImagePullBackOff", "Back-off pulling image jobs:1"))
    return name


def wake(conn: Connection[Any]) -> None:
    """Let the delay of the retry pass."""
    conn.execute(
        "UPDATE task_instance SET wake_at = now() - interval '1 s' WHERE wake_at IS NOT NULL"
    )
    conn.execute("UPDATE run SET due_at = now() - interval '1 s', revision = revision + 1")


def ends(conn: Connection[Any]) -> list[tuple[Any, ...]]:
    return conn.execute("SELECT state, cause, detail FROM attempt ORDER BY number").fetchall()


def test_a_quota_is_waited_for_and_fails_nobody(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    quota = {
        "metadata": {"name": "q", "namespace": workers.namespace},
        "spec": {"hard": {"pods": "0"}},
    }
    workers.server.store.create(QUOTA, quota)
    wait(conn, bench, processes=4)
    assert workers.pods() == []
    assert workers.executor.offers()[1][0].free == 0
    until(bench, lambda: blocked(conn) is not None)
    assert blocked(conn) == QuotaFull("pods", "0", "0", "1")
    workers.server.store.change(
        QUOTA, workers.namespace, "q", lambda found: found["spec"]["hard"].update(pods="1")
    )
    until(bench, lambda: workers.started != [])
    assert counts(conn) == (0, 0)
    until(bench, lambda: blocked(conn) is None)


def test_what_does_not_fit_into_the_quota_of_the_team_holds_no_slot(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    conn.execute("""UPDATE team SET cluster = '{"cpu": "1"}'""")
    deploy(conn, task("a"), task("b"), task("c"))
    (run_id,) = trigger(conn)
    bench.join(slots=9, processes=9)
    until(bench, lambda: len(workers.started) == 2)
    until(bench, lambda: "ready" in states_of(conn, run_id).values())
    bench.turn()
    offer = workers.executor.offers()[1][0]
    assert (offer.free, offer.full) == (0, QuotaFull("cpu", "1", "1", held_by={"d": 2}))
    assert sorted(states_of(conn, run_id).values()) == ["ready", "running", "running"]
    workers.end(workers.started[0])
    until(bench, lambda: len(workers.started) == 3)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (
            states.unschedulable("0/3 nodes are available"),
            PodPending("Unschedulable", "0/3 nodes are available"),
        ),
        (
            states.waiting("ImagePullBackOff", "Back-off pulling image"),
            PodPending("ImagePullBackOff", "Back-off pulling image"),
        ),
    ],
)
def test_why_a_pod_has_not_started_is_visible(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    edit: states.Edit,
    reason: Reason,
) -> None:
    run_id = wait(conn, bench)
    (pod,) = workers.pods()
    workers.change(pod["metadata"]["name"], edit)
    until(bench, lambda: blocked(conn) == reason)
    workers.processes = 4
    until(bench, lambda: workers.started == [key(run_id)])
    until(bench, lambda: states_of(conn, run_id) == {"a": "running"})
    assert blocked(conn) is None  # the start took it away


def script(name: str, workers: KubernetesWorkers) -> None:
    faults = workers.server.faults
    match name:
        case "429":
            faults.refuse("POST", PODS, 429, reason="TooManyRequests", times=2, retry_after_s=1)
        case "500":
            faults.refuse("POST", PODS, 500, reason="InternalError", times=2)
        case "no answer, and nothing was done":
            faults.hang("POST", PODS, acts=False)
        case "no answer, and it was done":
            faults.hang("POST", PODS, acts=True)


@pytest.mark.parametrize(
    "fault", ["429", "500", "no answer, and nothing was done", "no answer, and it was done"]
)
def test_errors_of_the_api_server_cost_time_and_nothing_else(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers, fault: str
) -> None:
    script(fault, workers)
    run_id = wait(conn, bench, processes=4)
    until(bench, lambda: workers.started != [])
    assert workers.server.faults.met
    workers.end(key(run_id))
    until(bench, lambda: run_state(conn, run_id) == "success")
    assert counts(conn) == (0, 0)
    assert workers.started == [key(run_id)]


def test_a_pod_that_the_api_server_finds_invalid_fails_its_attempt(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    workers.server.faults.refuse("POST", PODS, 422, "spec: too odd", reason="Invalid")
    run_id = wait(conn, bench)
    until(bench, lambda: run_state(conn, run_id) == "failed")
    assert attempt(conn)[1:] == ("rejected", "the pod is invalid: spec: too odd")


def test_a_pod_that_is_deleted_before_it_starts_is_made_again(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = wait(conn, bench)
    (pod,) = workers.pods()
    workers.server.store.delete(POD, workers.namespace, pod["metadata"]["name"], 0)
    workers.processes = 4
    until(bench, lambda: workers.started == [key(run_id)])
    assert counts(conn) == (0, 0)


def marked(meta: dict[str, Any], found: Object) -> None:
    found["metadata"].update(meta)


def test_forged_labels_and_annotations_mean_nothing(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """Marks that would be those of other attempts, of nobody, or that no program can read."""
    run_id = begin(conn, bench)
    (pod,) = workers.pods()
    name, odd = pod["metadata"]["name"], "\u202e{[" + "x" * 500
    labels = pod["metadata"]["labels"]
    forged: tuple[tuple[Any, Any], ...] = (
        (
            {
                **labels,
                "headway.dev/team": "other",
                "headway.dev/run": "r2",
                "headway.dev/try": "7",
            },
            {},
        ),
        (
            {**labels, **dict.fromkeys(labels, odd)} | {INSTALL: labels[INSTALL]},
            {"headway.dev/attempt": odd},
        ),
        ({INSTALL: labels[INSTALL]}, None),
    )
    for number, (marks, notes) in enumerate(forged):
        meta = {"labels": marks, "annotations": notes}
        workers.change(name, partial(marked, meta))
        # Another pod with the marks of the attempt, which has failed.
        twin = {**pod["metadata"], "name": f"forged-{number}", "uid": None, "resourceVersion": None}
        spec = {**pod["spec"], "nodeName": "node-9"}
        status = {"phase": "Failed", "reason": "Evicted", "message": odd}
        workers.server.store.create(POD, {"metadata": twin, "spec": spec, "status": status})
        until(bench, lambda: [p["metadata"]["name"] for p in workers.pods()] == [name])
        assert attempt(conn) == ("running", None, None)
    assert counts(conn) == (0, 0)
    workers.end(key(run_id))
    until(bench, lambda: run_state(conn, run_id) == "success")


def test_pods_that_nobody_wants_are_removed(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = begin(conn, bench)
    (pod,) = workers.pods()
    orphan = {**pod, "metadata": {**pod["metadata"], "name": "orphan"}}
    workers.server.store.create(POD, {**orphan, "spec": {**pod["spec"], "nodeName": "node-9"}})
    until(
        bench, lambda: [p["metadata"]["name"] for p in workers.pods()] == [pod["metadata"]["name"]]
    )
    workers.end(key(run_id))
    until(bench, lambda: workers.pods() == [])
    assert run_state(conn, run_id) == "success"


def test_cancelled_before_its_pod_starts(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = wait(conn, bench)
    cancel(conn, run_id)
    until(bench, lambda: run_state(conn, run_id) == "cancelled" and workers.pods() == [])
    assert workers.started == []


def test_a_history_that_was_forgotten_is_listed_again(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = wait(conn, bench)
    workers.server.store.compact()
    workers.processes = 4
    until(bench, lambda: workers.started == [key(run_id)])
    workers.end(key(run_id))
    until(bench, lambda: run_state(conn, run_id) == "success" and workers.pods() == [])


def test_authors_choose_image_and_resources_and_nothing_else(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    wait(conn, bench, executor="first", image="jobs:2", resources={"memory": "2Gi"})
    (pod,) = workers.pods()
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "jobs:2"
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "2Gi"}
    assert pod["metadata"]["namespace"] == "first-default"
    assert pod["metadata"]["labels"]["headway.dev/team"] == "default"
    assert pod["spec"]["serviceAccountName"] == "headway-task"
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert value(conn, "SELECT token FROM attempt") not in str(pod)  # no secret of ours is in it
