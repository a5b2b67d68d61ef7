"""What authors, teams and the platform say of pods, from the spec to the pod that the API server has."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway.core.pod_policy import PodPolicy
from headway.executors.kubernetes.executor import Pods
from headway.executors.kubernetes.mutation import Mutation
from headway.spec.model import Param
from headway.store import pod_policies
from headway.store.transact import transact
from tests.executors.test_conformance import Bench
from tests.kubernetes.fake import states
from tests.kubernetes.hostile import OVERLAYS
from tests.kubernetes.test_executor import attempt, bench, end_pod, until, wait, workers
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import deploy, run_state, task, trigger, value

__all__ = ["bench", "workers"]


def executor(bench: Bench) -> Pods:
    found = bench.scheduler.executors[0]
    assert isinstance(found, Pods)
    return found


def containers(workers: KubernetesWorkers) -> list[Any]:
    return [pod["spec"]["containers"][0] for pod in workers.pods()]


def memory(workers: KubernetesWorkers) -> list[str]:
    return [each["resources"]["limits"]["memory"] for each in containers(workers)]


def test_an_overlay_is_in_the_pod_that_is_created(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    mounts = [{"name": "models", "mountPath": "/models"}]
    overlay = {
        "metadata": {"labels": {"cost-center": "12"}},
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": "models"}}],
            "containers": [{"name": "task", "volumeMounts": mounts}],
        },
    }
    wait(conn, bench, executor="first", pod=overlay)
    (pod,) = workers.pods()
    assert pod["metadata"]["labels"]["cost-center"] == "12"
    assert pod["metadata"]["labels"]["headway.dev/team"] == "default"
    assert pod["spec"]["nodeSelector"] == {"disk": "ssd"}
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"] == {"claimName": "models"}
    assert pod["spec"]["containers"][0]["volumeMounts"][-1] == mounts[0]


def test_an_overlay_that_no_author_may_write_fails_its_attempt(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """Should a spec have it: the loader refuses such a file. The scheduler goes on."""
    run_id = wait(conn, bench, executor="first", pod=OVERLAYS["host network"])
    until(bench, lambda: run_state(conn, run_id) == "failed")
    assert attempt(conn)[1:] == (
        "rejected",
        "the pod is not allowed: spec.hostNetwork is not allowed: a task shares nothing with its node",
    )
    assert workers.pods() == []


def test_the_platforms_hook_comes_before_what_is_headways(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    def hook(pod: dict[str, Any]) -> None:
        pod["spec"]["runtimeClassName"] = "gvisor"
        pod["spec"]["serviceAccountName"] = "admin"
        pod["metadata"]["labels"] = {"headway.dev/team": "rivals", "zone": "a"}

    executor(bench).creation.mutation = Mutation(hook)
    wait(conn, bench, executor="first")
    (pod,) = workers.pods()
    assert pod["spec"]["runtimeClassName"] == "gvisor"
    assert pod["spec"]["serviceAccountName"] == "headway-task"
    assert pod["metadata"]["labels"]["zone"] == "a"
    assert pod["metadata"]["labels"]["headway.dev/team"] == "default"


@pytest.fixture
def never() -> Iterator[Event]:
    found = Event()
    yield found
    found.set()


@pytest.mark.parametrize("kind", ["raises", "hangs"])
def test_a_hook_that_fails_hurts_only_its_own_attempt(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers, never: Event, kind: str
) -> None:
    def hook(pod: dict[str, Any]) -> None:
        if pod["metadata"]["annotations"]["headway.dev/task-id"] == "a":
            if kind == "raises":
                raise ValueError("no such team")
            never.wait()

    executor(bench).creation.mutation = Mutation(hook, patience_s=0.2)
    deploy(conn, task("a", executor="first"), task("b", executor="first"))
    (run_id,) = trigger(conn)
    bench.join(slots=4, processes=0)
    bench.turn()
    ended = "SELECT state FROM task_instance WHERE task_id = 'a'"
    until(bench, lambda: value(conn, ended) == "failed" and len(workers.pods()) == 1)
    (pod,) = workers.pods()
    assert pod["metadata"]["annotations"]["headway.dev/task-id"] == "b"
    detail = value(conn, "SELECT detail FROM attempt WHERE task_id = 'a'")
    why = "raised ValueError: no such team" if kind == "raises" else "did not return within 0.2 s"
    assert detail == f"the pod is not allowed: the pod_mutation of the platform {why}"
    assert run_state(conn, run_id) == "running"


def test_more_memory_after_it_was_too_little(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """Twice as much each time, up to what the platform allows. A pod that was taken away changes nothing."""
    set_policy(workers, PodPolicy(task_memory="3Gi"))
    options: dict[str, Any] = {
        "executor": "first",
        "resources": {"memory": "1Gi"},
        "memory_after_oom": 2.0,
    }
    wait(conn, bench, retries=5, retry_delay_s=0.0, **options)
    seen = []
    for edit in (
        states.ended(137, "OOMKilled"),
        states.taken("Evicted", "low on memory"),
        states.ended(137, "OOMKilled"),
    ):
        seen += memory(workers)
        number = value(conn, "SELECT max(number) FROM attempt")
        end_pod(workers, edit)
        until(bench, lambda n=number: has_next(conn, workers, n))  # type: ignore[misc]
    assert [*seen, *memory(workers)] == ["1Gi", "2048Mi", "2048Mi", "3Gi"]


def has_next(conn: Connection[Any], workers: KubernetesWorkers, number: int) -> bool:
    tries = [pod["metadata"]["labels"]["headway.dev/try"] for pod in workers.pods()]
    return tries == [str(number + 1)]


def set_policy(workers: KubernetesWorkers, policy: PodPolicy) -> None:
    msgspec.structs.force_setattr(workers.settings, "policy", policy)


def test_resources_are_chosen_when_a_run_is_triggered(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """And a retry of the run, after the pod was lost, has them, too."""
    work = task("a", executor="first", resources={"memory": "{{ params.memory }}"})
    deploy(conn, work, params=(Param(name="memory", default="1Gi"),))
    trigger(conn, params={"memory": "8Gi"})
    bench.join(slots=4, processes=0)
    bench.turn()
    assert memory(workers) == ["8Gi"]
    end_pod(workers, states.taken("Evicted", "low on disk"))
    until(bench, lambda: has_next(conn, workers, 1))
    assert memory(workers) == ["8Gi"]


@pytest.mark.parametrize(
    ("policy", "options", "why"),
    [
        (
            PodPolicy(images=("ghcr.io/acme/*",)),
            {"image": "evil:1"},
            "the image evil:1 is not allowed here; allowed are ghcr.io/acme/*",
        ),
        (
            PodPolicy(task_memory="1Gi"),
            {"resources": {"memory": "2Gi"}},
            "it asks for more memory than one task may have here: the limit is 1Gi",
        ),
        (
            PodPolicy(),
            {"pod": {"spec": {"priorityClassName": "urgent"}}},
            "the priority class urgent is not allowed here; allowed: none",
        ),
        (
            PodPolicy(owner_required=True),
            {},
            "it has no owner, and tasks must have one here",
        ),
    ],
)
def test_a_policy_that_came_later_fails_the_attempt_with_its_reason(
    conn: Connection[Any],
    bench: Bench,
    workers: KubernetesWorkers,
    policy: PodPolicy,
    options: dict[str, Any],
    why: str,
) -> None:
    set_policy(workers, policy)
    run_id = wait(conn, bench, executor="first", **options)
    until(bench, lambda: run_state(conn, run_id) == "failed")
    assert attempt(conn)[1:] == ("rejected", f"the pod is not allowed: {why}")
    assert workers.pods() == []


def test_the_image_of_the_settings_and_of_a_hook_are_compared_with_the_policy(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    """The image of the settings needs no permission; what a hook makes of it does."""
    set_policy(workers, PodPolicy(images=("ghcr.io/acme/*",)))
    wait(conn, bench, executor="first")
    assert [each["image"] for each in containers(workers)] == ["headway:test"]

    def hook(pod: dict[str, Any]) -> None:
        pod["spec"]["containers"][0]["image"] = "mirror/headway:test"

    executor(bench).creation.mutation = Mutation(hook)
    (run_id,) = trigger(conn)
    until(bench, lambda: run_state(conn, run_id) == "failed")
    detail = value(conn, "SELECT detail FROM attempt WHERE run_id = %s", run_id)
    assert "the image mirror/headway:test is not allowed here" in detail


def test_loaders_learn_the_policy_of_the_executor_and_of_the_team(
    conn: Connection[Any], owner_conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    set_policy(workers, PodPolicy(task_cpu="8", images=("a/*",)))
    bench.join()
    owner_conn.execute("""UPDATE team SET cluster = '{"images": ["b/*"]}' WHERE team_id = 1""")
    found = transact(conn, pod_policies.of_team, 1)
    assert found["first"] == PodPolicy(task_cpu="8", images=("b/*",))
