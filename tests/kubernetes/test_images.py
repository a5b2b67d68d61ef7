"""The digest of an image that a run uses: what its first pod got for the tag. Scheduler and database are real."""

import operator
from functools import partial
from typing import Any

import pytest
from psycopg import Connection

from headway.actions import commands
from headway.core.commands import Selection
from headway.core.pod_policy import PodPolicy
from headway.core.repin import Code
from headway.executors.kubernetes.images import digest_of, repository
from headway.store import images
from headway.store.transact import transact
from headway.store.views import run_diff
from headway.store.views import runs as views
from headway.store.views.memory import Memory
from tests.executors.test_conformance import Bench, key
from tests.kubernetes.test_executor import bench, until, workers
from tests.kubernetes.test_pods_of_tasks import set_policy
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import deploy, run_state, task, trigger

ONE, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
__all__ = ["bench", "workers"]  # fixtures

JOBS = {"executor": "first", "image": "acme/jobs:2"}


def image_of(workers: KubernetesWorkers) -> str:
    (pod,) = workers.pods()
    return str(pod["spec"]["containers"][0]["image"])


def known(conn: Connection[Any], run_id: str) -> dict[str, str]:
    return transact(conn, images.pinned, 1, run_id)


def start(conn: Connection[Any], bench: Bench, workers: KubernetesWorkers, digest: str) -> str:
    """A run of a, then b, of which a runs in what the tag stands for now."""
    workers.digest = digest
    (run_id,) = trigger(conn)
    until(bench, lambda: key(run_id) in workers.started and bool(known(conn, run_id)))
    return run_id


def finish(bench: Bench, workers: KubernetesWorkers, run_id: str, task_id: str) -> None:
    workers.end(key(run_id, task_id))
    bench.turn()


def end_all(conn: Connection[Any], bench: Bench, workers: KubernetesWorkers, run_id: str) -> None:
    finish(bench, workers, run_id, "a")
    until(bench, lambda: key(run_id, "b") in workers.started)
    finish(bench, workers, run_id, "b")
    until(bench, lambda: run_state(conn, run_id) == "success" and workers.pods() == [])


def test_later_pods_of_a_run_use_what_the_first_one_got(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    deploy(conn, task("a", **JOBS), task("b", "a", **JOBS))
    bench.join()
    run_id = start(conn, bench, workers, ONE)
    assert image_of(workers) == "acme/jobs:2", "nobody knows it before a node has pulled it"
    assert known(conn, run_id) == {"acme/jobs:2": ONE}
    workers.digest = OTHER  # somebody pushes another image with this tag
    finish(bench, workers, run_id, "a")
    until(bench, lambda: key(run_id, "b") in workers.started)
    assert image_of(workers) == f"acme/jobs:2@{ONE}"
    finish(bench, workers, run_id, "b")
    until(bench, lambda: run_state(conn, run_id) == "success")
    assert transact(conn, views.whole, run_id).images == {"acme/jobs:2": [ONE]}

    second = start(conn, bench, workers, OTHER)
    assert known(conn, second) == {"acme/jobs:2": OTHER}, "a run of its own"
    found = transact(conn, run_diff.of_runs, Memory(), run_id, second)
    (image,) = [each for each in found.differences if each.what.startswith("image")]
    assert (image.what, image.before, image.after) == ("image acme/jobs:2", ONE, OTHER)


def test_pods_that_were_made_before_it_was_known_are_told(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    deploy(conn, task("a", **JOBS), task("b", **JOBS), task("c", "b", **JOBS))
    bench.join(processes=1)
    run_id = start(conn, bench, workers, ONE)
    workers.digest = OTHER
    workers.processes = 2  # another node, which has pulled it at another time
    until(bench, lambda: key(run_id, "b") in workers.started)
    until(bench, lambda: len(transact(conn, views.whole, run_id).images["acme/jobs:2"]) == 2)
    assert transact(conn, views.whole, run_id).images == {"acme/jobs:2": [ONE, OTHER]}
    assert known(conn, run_id) == {"acme/jobs:2": ONE}
    finish(bench, workers, run_id, "b")
    until(bench, lambda: key(run_id, "c") in workers.started)
    used = {pod["spec"]["containers"][0]["image"] for pod in workers.pods()}
    assert f"acme/jobs:2@{ONE}" in used


def test_what_runs_again_uses_the_image_of_its_run_unless_the_latest_is_asked_for(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    deploy(conn, task("a", **JOBS), task("b", "a", **JOBS))
    bench.join()
    run_id = start(conn, bench, workers, ONE)
    end_all(conn, bench, workers, run_id)
    workers.digest = OTHER
    graph = bench.scheduler.ticker.catalog.graph
    for code, image in ((Code.RUN, f"acme/jobs:2@{ONE}"), (Code.LATEST, "acme/jobs:2")):
        again = key(run_id, "b", 2 if code is Code.RUN else 3)
        selection = Selection(tasks=frozenset({"b"}))
        transact(conn, commands.clear, 1, run_id, selection, graph, "ann", code)
        until(bench, partial(operator.contains, workers.started, again))
        assert image_of(workers) == image
        workers.end(again)
        bench.turn()
        until(bench, lambda: run_state(conn, run_id) == "success" and workers.pods() == [])
    assert known(conn, run_id) == {"acme/jobs:2": OTHER}


def test_a_policy_names_images_as_people_do(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    set_policy(workers, PodPolicy(images=("acme/jobs:2",)))
    deploy(conn, task("a", **JOBS), task("b", "a", **JOBS), task("c", "b", executor="first"))
    bench.join()
    run_id = start(conn, bench, workers, ONE)
    finish(bench, workers, run_id, "a")
    until(bench, lambda: key(run_id, "b") in workers.started)
    assert image_of(workers) == f"acme/jobs:2@{ONE}"
    finish(bench, workers, run_id, "b")
    until(bench, lambda: key(run_id, "c") in workers.started)  # in the image of the settings


def test_a_digest_of_an_author_is_checked_as_it_is_written(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    set_policy(workers, PodPolicy(images=("acme/jobs:2",)))
    deploy(conn, task("a", executor="first", image=f"acme/jobs:2@{OTHER}"))
    bench.join()
    (run_id,) = trigger(conn)
    until(bench, lambda: run_state(conn, run_id) == "failed")
    assert known(conn, run_id) == {}


@pytest.mark.parametrize(
    ("image", "image_id", "digest"),
    [
        ("acme/jobs:2", f"docker.io/acme/jobs@{ONE}", ONE),
        ("acme/jobs", f"docker-pullable://acme/jobs@{ONE}", ONE),
        ("python:3.12", f"docker.io/library/python@{ONE}", ONE),
        ("registry.example.org:5000/a/b:1", f"registry.example.org:5000/a/b@{ONE}", ONE),
        ("localhost:5000/a", f"localhost:5000/a@{ONE}", ONE),
        (f"acme/jobs:2@{OTHER}", f"docker.io/acme/jobs@{OTHER}", None),  # says it itself
        ("acme/jobs:2", ONE, None),  # built on the node: no registry has it
        ("acme/jobs:2", f"docker.io/library/import-2026-11-30@{ONE}", None),  # loaded onto the node
        ("acme/jobs:2", "docker.io/acme/jobs@sha256:12", None),
        ("acme/jobs:2", f"docker.io/acme/jobs@{ONE} ", None),
        ("acme/jobs:2", "", None),
    ],
)
def test_what_a_node_says_of_an_image(image: str, image_id: str, digest: str | None) -> None:
    assert digest_of(image, image_id) == digest


def test_a_repository_is_an_image_without_its_tag() -> None:
    assert repository("localhost:5000/a:1") == "localhost:5000/a"
    assert repository("a:1") == "docker.io/library/a"
