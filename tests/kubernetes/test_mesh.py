"""Containers that a webhook injects, as that of a service mesh: they neither end an attempt nor keep it running."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import pytest
from psycopg import Connection

from headway.core.cluster import ClusterSettings, trouble
from headway.core.reasons import PodPending
from headway.core.warm import Bounds
from headway.executors.kubernetes import pool
from headway.executors.kubernetes.manifest import marked, own
from headway.executors.kubernetes.pods import Pod, end_of, stuck
from headway.executors.kubernetes.tally import Tally
from tests.executors.test_conformance import Bench, key
from tests.kubernetes.fake import states
from tests.kubernetes.fake.store import Object
from tests.kubernetes.test_ends_of_containers import CONTAINER, TURNS
from tests.kubernetes.test_executor import (
    attempt,
    begin,
    bench,
    blocked,
    counts,
    end_pod,
    until,
    wait,
    workers,
)
from tests.kubernetes.test_pod_rules import KEY, SETTINGS
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import run_state

__all__ = ["bench", "workers"]

PROXY: Final = "istio-proxy"
MESH: Final = ClusterSettings(
    pod_labels={"sidecar.istio.io/inject": "true"},
    pod_annotations={"proxy.istio.io/config": '{"holdApplicationUntilProxyStarts": true}'},
)


def inject(pod: Object) -> None:
    """As the webhook of a mesh does."""
    pod["spec"]["containers"].append({"name": PROXY, "image": "proxy:1"})


def inject_native(pod: Object) -> None:
    """As the webhook of a mesh does that has native sidecars."""
    proxy = {"name": PROXY, "image": "proxy:1", "restartPolicy": "Always"}
    pod["spec"].setdefault("initContainers", []).insert(0, proxy)


@pytest.fixture(params=[inject, inject_native], ids=["container", "native sidecar"])
def mesh(request: pytest.FixtureRequest, workers: KubernetesWorkers) -> Iterator[None]:
    workers.server.webhooks.append(request.param)
    yield
    workers.server.webhooks.clear()


def of_task(code: int, reason: str = "") -> states.Edit:
    """The task's container has ended, and the mesh's goes on."""

    def edit(pod: Object) -> None:
        states.begun(PROXY)(pod)
        states.terminated("task", code, reason)(pod)
        pod["status"]["phase"] = "Running"

    return edit


@pytest.mark.usefixtures("mesh")
def test_a_task_ends_and_its_pod_goes_while_the_proxy_runs(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    run_id = begin(conn, bench)
    workers.end(key(run_id))
    until(bench, lambda: run_state(conn, run_id) == "success")
    until(bench, lambda: workers.pods() == [])
    assert counts(conn) == (0, 0)


@pytest.mark.usefixtures("mesh")
@pytest.mark.parametrize(
    ("code", "reason", "end", "spent"),
    [
        (137, "OOMKilled", ("failed", "memory"), (1, 0)),
        (1, "", ("lost", "pod_ended"), (0, 1)),
    ],
)
def test_a_task_that_ends_without_a_report_has_ended(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    code: int,
    reason: str,
    end: tuple[str, str],
    spent: tuple[int, int],
) -> None:
    begin(conn, bench)
    end_pod(workers, of_task(code, reason))
    until(bench, lambda: counts(conn) == spent)
    row = conn.execute("SELECT state, cause FROM attempt WHERE number = 1").fetchone()
    assert row == end


@pytest.mark.parametrize(
    ("edit", "grace_s"), [(of_task(137, "OOMKilled"), None), (states.ended(1), 0)]
)
def test_a_pod_that_a_proxy_keeps_has_time_to_end(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    edit: states.Edit,
    grace_s: int | None,
) -> None:
    workers.server.webhooks.append(inject)
    begin(conn, bench)
    end_pod(workers, edit)
    until(bench, lambda: bool(workers.server.graces))
    assert workers.server.graces[0] == grace_s  # None: the pod's own


@pytest.mark.usefixtures("mesh")
@pytest.mark.parametrize("reason", ["OOMKilled", "Error"])
def test_a_proxy_that_dies_ends_no_task(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers, reason: str
) -> None:
    run_id = begin(conn, bench)
    (pod,) = workers.pods()
    workers.change(pod["metadata"]["name"], states.terminated(PROXY, 137, reason))
    bench.turn(TURNS)
    assert attempt(conn)[0] == "running"
    workers.end(key(run_id))
    until(bench, lambda: run_state(conn, run_id) == "success" and workers.pods() == [])


@pytest.mark.parametrize(("code", "state"), [(0, "success"), (3, "failed")])
def test_a_container_whose_agent_is_gone_has_ended_beside_a_proxy(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers, code: int, state: str
) -> None:
    """The kubelet ends the agent only when all others have ended, and the proxy does not."""
    workers.server.webhooks.append(inject)
    begin(conn, bench, **CONTAINER)

    def crashes(pod: Object) -> None:
        of_task(code)(pod)
        states.of("headway-agent", {"waiting": {"reason": "CrashLoopBackOff", "message": ""}})(pod)

    end_pod(workers, crashes)
    until(bench, lambda: attempt(conn)[0] == state)


def test_a_container_beside_a_proxy_has_not_ended_while_its_agent_may_tell(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    workers.server.webhooks.append(inject)
    run_id = begin(conn, bench, **CONTAINER)
    ((uid, client),) = workers.clients.items()
    del workers.clients[uid]
    client.hang_up()
    workers.change(client.meta["name"], of_task(3))
    bench.turn(TURNS)
    assert attempt(conn)[0] == "running"
    workers.clients[uid] = client
    bench.turn()
    client.finish("failed", "exit_code")
    until(bench, lambda: run_state(conn, run_id) == "failed" and workers.pods() == [])


@pytest.mark.usefixtures("mesh")
def test_a_proxy_whose_image_does_not_come_is_why_a_task_waits(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    wait(conn, bench)
    (pod,) = workers.pods()
    workers.change(
        pod["metadata"]["name"],
        states.of(PROXY, {"waiting": {"reason": "ErrImageNeverPull", "message": "no image"}}),
    )
    until(
        bench,
        lambda: (
            blocked(conn) == PodPending("ErrImageNeverPull", f"the container {PROXY}: no image")
        ),
    )
    assert counts(conn) == (0, 0)  # it may still come: that is not the task's fault


def test_what_is_said_of_a_proxy_that_never_starts() -> None:
    pod = Pod(
        namespace="n",
        name="a",
        uid="u",
        waiting=("PodInitializing", ""),
        beside=("ImagePullBackOff", f"the container {PROXY}"),
    )
    assert stuck(pod, 10.0, 900.0) is None
    end = stuck(pod, 900.0, 900.0)
    assert end is not None
    assert (end.outcome, end.cause) == ("lost", "image")
    assert f"ImagePullBackOff: the container {PROXY}" in end.detail


def test_a_pod_that_a_proxy_keeps_is_over_and_counts() -> None:
    pod = Pod(namespace="n", name="a", uid="u", phase="Running", ended=("Completed", 0))
    assert not pod.is_over
    kept = Pod(
        namespace="n",
        name="a",
        uid="u",
        phase="Running",
        ended=("Error", 2),
        is_done=True,
        asks={"cpu": Decimal(1)},
    )
    assert (kept.is_over, kept.is_held) == (True, True)
    end = end_of(kept)
    assert end is not None
    assert (end.outcome, end.exit_code) == ("lost", 2)
    assert Tally.of([kept]).used("cpu") == 1


# -- what a team's pods tell a mesh


def test_pods_of_a_team_have_its_labels_and_annotations() -> None:
    found = marked(own(SETTINGS, "marketing", "d", KEY), MESH)["metadata"]
    assert found["labels"]["sidecar.istio.io/inject"] == "true"
    assert found["annotations"].items() >= dict(MESH.pod_annotations).items()
    assert found["labels"]["headway.dev/team"] == "marketing"


def test_agents_of_its_warm_pool_have_them_too() -> None:
    made = pool.draft(SETTINGS, "marketing", MESH, Bounds(0, 1, 2, 60))
    plain = pool.draft(SETTINGS, "marketing", ClusterSettings(), Bounds(0, 1, 2, 60))
    deployed = pool.deployment(SETTINGS, "marketing", made.pod, 1)["spec"]["template"]["metadata"]
    assert deployed["labels"]["sidecar.istio.io/inject"] == "true"
    assert deployed["annotations"].items() >= dict(MESH.pod_annotations).items()
    assert pool.version_of(made) != pool.version_of(plain)


def test_headways_own_labels_win() -> None:
    taken = ClusterSettings(pod_labels={"app.kubernetes.io/managed-by": "me"})
    found = marked(own(SETTINGS, "marketing", "d", KEY), taken)["metadata"]
    assert found["labels"]["app.kubernetes.io/managed-by"] == "headway"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pod_labels": {"headway.dev/team": "other"}},
        {"pod_annotations": {"headway.dev/x": "y"}},
        {"pod_labels": {"a b": "c"}},
        {"pod_labels": {"a": "two words"}},
        {"pod_annotations": {"a": "\n"}},
        {"pod_annotations": {f"k{n}": "" for n in range(51)}},
    ],
    ids=str,
)
def test_what_pods_cannot_have_is_refused(wrong: dict[str, Any]) -> None:
    assert trouble(ClusterSettings(**wrong)) is not None
    assert trouble(MESH) is None
