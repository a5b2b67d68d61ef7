"""``headway up`` with a cluster: what a task does in a pod, from the trigger to its result, by real processes."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import clock, wire
from tests.cli.conftest import (
    PATIENCE_S,
    children_of,
    connected,
    copy_data,
    headway,
    start,
    stop,
    wait_for_dag,
    wait_until,
)
from tests.kubernetes.cluster import FakeCluster, fake_cluster
from tests.kubernetes.fake.kinds import NAMESPACE, QUOTA
from tests.kubernetes.fake.store import Object

pytestmark = pytest.mark.long

LENGTH = 100_000  # of a result that is a file, and travels in several pieces

DAGS = """
import os
import time
from pathlib import Path

from tools import helper

from headway import Run, dag, task


@dag()
def pods():
    @task(executor="kubernetes", image="jobs:1", resources={"cpu": 1, "memory": "256Mi"})
    def first() -> list[int]:
        print("helped by", helper.__file__)
        return helper.numbers()

    @task(executor="kubernetes")
    def second(numbers: list[int]) -> int:
        print("got", len(numbers))
        return sum(numbers)

    @task
    def third(total: int) -> None:
        print("total", total)

    third(second(first()))


@dag()
def slow(gate: str = "/nowhere"):
    @task
    def places() -> list[int]:
        return [1, 2, 3]

    @task(executor="kubernetes")
    def wait(place: int, run: Run) -> int:
        gate = run.params["gate"]
        with open(f"{gate}.{place}", "a") as starts:
            starts.write("!")
        while not Path(gate).exists():
            time.sleep(0.01)
        return place

    wait.expand(place=places())
"""

AIRFLOWS = """
import os

from airflow.sdk import DAG, task

BASE = {"name": "base", "image": "jobs:2", "env": [{"name": "MODE", "value": "full"}]}

with DAG("model"):
    @task(executor="KubernetesExecutor", executor_config={"pod_override": {"spec": {"containers": [BASE]}}})
    def fit():
        return os.environ["MODE"]

    fit()
"""

HELPER = f"def numbers() -> list[int]:\n    return list(range({LENGTH}))\n"


class Home:
    def __init__(self, folder: Path, cluster: FakeCluster, process: subprocess.Popen[str]) -> None:
        self.folder, self.cluster, self.process = folder, cluster, process
        self.client = connected(folder / ".headway")

    def trigger(self, dag_id: str, **params: str) -> str:
        return self.client.trigger(dag_id, wire.TriggerRequest(params=params)).run_id

    def end_of(self, run_id: str) -> str:
        """Wait for the end of a run and return its state."""
        deadline = clock.monotonic() + PATIENCE_S
        while clock.monotonic() < deadline:
            run = self.client.run(run_id, wait_s=5.0)
            if run.state in ("success", "failed", "cancelled"):
                return run.state
        raise AssertionError(f"{run_id} did not end: {self.client.diagnosis(run_id)}")

    def result(self, run_id: str, task_id: str) -> object:
        (found,) = [x.value for x in self.client.xcoms(run_id) if x.task_id == task_id]
        return found

    def pods(self) -> list[Object]:
        return self.cluster.pods("headway-default")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("pods")
    (folder / "dags").mkdir()
    (folder / "dags" / "demo.py").write_text(DAGS)
    (folder / "dags" / "model.py").write_text(AIRFLOWS)
    (folder / "dags" / "tools").mkdir()
    (folder / "dags" / "tools" / "helper.py").write_text(HELPER)
    copy_data(data, folder)
    with fake_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        process = start(folder, "--kubernetes", str(cluster.settings()))
        wait_for_dag(folder / ".headway", "slow")
        wait_for_dag(folder / ".headway", "model")
        home = Home(folder, cluster, process)
        yield home
        home.client.close()
        stop(process)


def test_a_run_of_pods_that_share_nothing_with_the_server(home: Home) -> None:
    before = len(home.cluster.node.started)
    run_id = home.trigger("pods")
    assert home.end_of(run_id) == "success"
    assert home.result(run_id, "second") == sum(range(LENGTH))
    assert len(home.cluster.node.started) == before + 2  # a pod for each, and none for the third
    wait_until(lambda: home.pods() == [], "the pods were not removed")
    first = headway("logs", run_id, "first", cwd=home.folder).stdout
    assert f"helped by {home.cluster.folder}" in first  # its files came over its connection
    assert f"got {LENGTH}" in headway("logs", run_id, "second", cwd=home.folder).stdout


def test_a_task_of_airflow_runs_in_the_pod_that_it_describes(home: Home) -> None:
    before = len(home.cluster.node.started)
    run_id = home.trigger("model")
    assert home.end_of(run_id) == "success"
    assert len(home.cluster.node.started) == before + 1
    assert home.result(run_id, "fit") == "full"


def test_a_team_has_what_it_needs_in_the_cluster(home: Home) -> None:
    def cli(*arguments: str) -> str:
        done = headway("team", *arguments, cwd=home.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def is_ready() -> bool:
        cluster = home.client.team("marketing").cluster
        return cluster is not None and [each.state for each in cluster.found] == ["ready"]

    store = home.cluster.server.store
    cli("create", "marketing", "--cpu", "64", "--memory", "256Gi", "--annotation", "role=sales")
    wait_until(is_ready, "the namespace of the team is not ready")
    assert "requests.cpu: 0 of 64 used" in cli("show", "marketing")
    cli("set", "marketing", "--cpu", "8")

    def cpu() -> str:
        found = store.every(QUOTA, "headway-marketing")[0]
        return found[0]["spec"]["hard"]["requests.cpu"] if found else ""

    wait_until(lambda: cpu() == "8", "the quota did not follow the settings")
    cli("delete", "marketing", "--yes")
    wait_until(
        lambda: (
            "headway-marketing"
            not in [n["metadata"]["name"] for n in store.every(NAMESPACE, "")[0]]
        ),
        "the namespace of the deleted team was left",
    )


def test_a_scheduler_that_is_killed_loses_no_pod(home: Home, tmp_path: Path) -> None:
    """Pods that heard of none for 10 s, as on a busy machine, end their tasks, and these start again. That within that
    time none starts twice is shown where time stands still: ``tests/executors/test_conformance.py``.
    """
    gate = tmp_path / "gate"
    starts = [tmp_path / f"gate.{place}" for place in (1, 2, 3)]
    run_id = home.trigger("slow", gate=str(gate))
    wait_until(lambda: all(file.exists() for file in starts), "not all pods started")
    (scheduler,) = [
        pid for pid, name in children_of(home.process.pid).items() if "engine.scheduler" in name
    ]
    os.kill(scheduler, signal.SIGKILL)
    wait_until(
        lambda: scheduler not in children_of(home.process.pid), "the scheduler was not replaced"
    )
    gate.touch()
    assert home.end_of(run_id) == "success"
    instances = home.client.instances(run_id, task_id="wait")
    attempts = {each.map_index: each.attempts for each in instances}
    assert [len(file.read_text()) for file in starts] == [attempts[index] for index in range(3)]
    wait_until(lambda: home.pods() == [], "the pods were not removed")
