"""Warm pools with real processes: ``headway up``, the fake cluster, and agents in the pods of its Deployment."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import wire
from headway.agent.pod import variable
from headway.wire.teams import WarmPool
from tests.cli.conftest import (
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
from tests.kubernetes.fake.kinds import DEPLOYMENT, POD, QUOTA
from tests.kubernetes.fake.store import Object

pytestmark = pytest.mark.long

DAGS = """
import time
from pathlib import Path

from headway import Run, dag, task

WARM = {"executor": "warm", "queue": "far"}


@dag(default_args=WARM)
def quick():
    @task
    def first() -> list[int]:
        print("in a pool")
        return list(range(50_000))

    @task
    def second(numbers: list[int]) -> int:
        return len(numbers)

    second(first())


@dag(default_args=WARM)
def gated(gate: str = "/nowhere", tasks: int = 4):
    @task
    def places(run: Run) -> list[int]:
        return list(range(run.params["tasks"]))

    @task
    def wait(place: int, run: Run) -> int:
        gate = run.params["gate"]
        with open(f"{gate}.{place}", "a") as starts:
            starts.write("!")
        while not Path(gate).exists():
            time.sleep(0.01)
        return place

    wait.expand(place=places())


@dag(default_args={"executor": "warm"})
def anywhere():
    @task
    def here() -> int:
        return 1

    here()
"""


class Home:
    def __init__(self, folder: Path, cluster: FakeCluster, process: subprocess.Popen[str]) -> None:
        self.folder, self.cluster, self.process = folder, cluster, process
        self.client = connected(folder / ".headway")

    def team(self, *options: str) -> None:
        done = headway("team", "set", "default", *options, cwd=self.folder)
        assert done.returncode == 0, done.stderr

    def trigger(self, dag_id: str, **params: object) -> str:
        self.client.team(
            "default"
        )  # a connection that was idle for long is opened anew by what only reads
        return self.client.trigger(dag_id, wire.TriggerRequest(params=params)).run_id

    def succeed(self, run_id: str) -> None:
        ended = ("success", "failed", "cancelled")
        wait_until(lambda: self.client.run(run_id, wait_s=5.0).state in ended, "no end")
        assert self.client.run(run_id).state == "success", self.client.diagnosis(run_id)

    def pods(self) -> list[Object]:
        found = self.cluster.pods("headway-default")
        return [each for each in found if "deletionTimestamp" not in each["metadata"]]

    def pool(self) -> WarmPool | None:
        cluster = self.client.team("default").cluster
        return cluster.pools[0] if cluster is not None and cluster.pools else None

    def replicas(self) -> int | None:
        """The size that the Deployment has, None if there is none."""
        found = self.cluster.server.store.every(DEPLOYMENT, "headway-default")[0]
        return found[0]["spec"]["replicas"] if found else None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("warm")
    (folder / "dags").mkdir()
    (folder / "dags" / "demo.py").write_text(DAGS)
    copy_data(data, folder)
    with fake_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        settings = cluster.settings(queues=["far"], drain_s=60)
        process = start(folder, "--kubernetes", str(settings), "--slots", "16")
        wait_for_dag(folder / ".headway", "gated")
        home = Home(folder, cluster, process)
        yield home
        home.client.close()
        stop(process)


def told(home: Home) -> str:
    return headway("audit", "--output", "json", cwd=home.folder).stdout


def tasks_of(home: Home) -> set[str]:
    """After how many tasks the processes of agents are replaced."""
    env = [each for pod in home.pods() for each in pod["spec"]["containers"][0]["env"]]
    return {each["value"] for each in env if each["name"] == variable("tasks")}


def starts(gate: Path, count: int) -> list[str]:
    files = [gate.with_name(f"{gate.name}.{n}") for n in range(count)]
    return [file.read_text() for file in files if file.exists()]


def test_a_task_for_a_running_agent_runs_on_a_laptop_too(home: Home) -> None:
    """No pool is needed: the agent of the server is one that runs."""
    home.succeed(home.trigger("anywhere"))


def test_a_pool_grows_from_nothing_runs_and_goes_when_it_is_idle(
    home: Home, tmp_path: Path
) -> None:
    home.team("--warm-min", "0", "--warm-max", "2", "--warm-slots", "2", "--warm-idle", "1")
    gate = tmp_path / "gate"
    run_id = home.trigger("gated", gate=str(gate))
    wait_until(lambda: len(starts(gate, 4)) == 4, "not all tasks started")
    assert len(home.pods()) == 2  # two tasks in each, and no more than is allowed
    pool = home.pool()
    assert pool is not None
    assert pool.replicas == 2
    (scheduler,) = [
        pid for pid, name in children_of(home.process.pid).items() if "engine.scheduler" in name
    ]
    os.kill(scheduler, signal.SIGKILL)
    wait_until(lambda: scheduler not in children_of(home.process.pid), "it was not replaced")
    gate.touch()
    home.succeed(run_id)
    # No attempt began twice. Where no scheduler answered for the time of a lease, attempts are lost and repeated, which
    # depends on the machine: ``test_warm_pool`` has both sides on a clock of its own.
    tries = {each.map_index: each.attempts for each in home.client.instances(run_id)}
    assert [len(each) for each in starts(gate, 4)] == [tries[n] for n in range(4)]
    assert {each.state for each in home.client.instances(run_id)} == {"success"}
    wait_until(lambda: home.pods() == [], "the idle agents were not removed")
    assert home.replicas() == 0


def test_results_and_logs_of_a_pool_are_where_they_belong(home: Home) -> None:
    home.team("--warm-max", "1", "--warm-idle", "60")
    run_id = home.trigger("quick")
    home.succeed(run_id)
    found = {x.task_id: x.value for x in home.client.xcoms(run_id)}
    assert found["second"] == 50_000
    assert "in a pool" in headway("logs", run_id, "first", cwd=home.folder).stdout
    wait_until(
        lambda: "1 of 1 agents ready" in headway("team", "show", "default", cwd=home.folder).stdout,
        "the agent is not told to be ready",
    )


def test_an_agent_that_is_told_to_stop_ends_what_it_has_first(home: Home, tmp_path: Path) -> None:
    """As when a node is drained or a spot node goes: another agent takes what comes, and nothing is repeated."""
    gate = tmp_path / "gate"
    home.team("--warm-max", "2", "--warm-idle", "60", "--warm-slots", "2")
    run_id = home.trigger("gated", gate=str(gate))
    wait_until(lambda: len(starts(gate, 4)) == 4, "not all tasks started")
    (first, *_) = home.pods()
    meta = first["metadata"]
    home.cluster.server.store.delete(POD, meta["namespace"], meta["name"])
    more = home.trigger("gated", gate=str(tmp_path / "other"), tasks=1)
    other = tmp_path / "other"
    wait_until(lambda: starts(other, 1) == ["!"], "no agent took what came")
    gate.touch()
    other.touch()
    home.succeed(run_id)
    home.succeed(more)
    assert starts(gate, 4) == ["!"] * 4
    tries = Counter(each.attempts for run in (run_id, more) for each in home.client.instances(run))
    assert set(tries) == {1}


def test_the_process_of_an_agent_is_replaced_after_so_many_tasks(home: Home) -> None:
    home.team("--warm-max", "1", "--warm-tasks", "2", "--warm-idle", "60", "--warm-slots", "1")
    wait_until(lambda: tasks_of(home) <= {"2"}, "agents of another version stay")
    for _ in range(2):
        home.succeed(home.trigger("quick"))
    wait_until(lambda: sum(home.cluster.node.restarts.values()) > 0, "no process was replaced")
    home.team("--warm-tasks", "default")


def test_what_somebody_changed_is_repaired_and_told(home: Home) -> None:
    home.team("--warm-min", "1", "--warm-max", "1", "--warm-slots", "1")
    wait_until(lambda: home.replicas() == 1, "no agent")
    store = home.cluster.server.store
    where = (DEPLOYMENT, "headway-default", "headway-warm")

    def is_repaired_and_told() -> bool:
        """What is changed before the settings above have been applied is made anew, and nobody's doing."""
        store.change(*where, lambda d: d["spec"].update(replicas=7))
        wait_until(lambda: home.replicas() == 1, "it was not repaired")
        return "spec.replicas is 7, not 1" in told(home)

    wait_until(is_repaired_and_told, "the repair is not told")


def test_a_full_quota_is_the_reason_of_what_waits(home: Home, tmp_path: Path) -> None:
    home.team("--warm-min", "0", "--warm-max", "0")
    wait_until(lambda: home.pods() == [] and home.pool() is None, "the pool was not removed")
    home.team("--cpu", "1")
    store = home.cluster.server.store

    def cpu() -> str:
        (quota,) = store.every(QUOTA, "headway-default")[0]
        return str(quota["spec"]["hard"].get("requests.cpu", ""))

    wait_until(lambda: cpu() == "1", "the quota is not there")
    home.team("--warm-max", "1", "--warm-cpu", "2")
    run_id = home.trigger("quick")
    wait_until(
        lambda: "quota cpu" in headway("why", run_id, cwd=home.folder).stdout,
        "the quota is not told",
    )
    home.team("--cpu", "default", "--warm-cpu", "default")
    home.succeed(run_id)
