"""Tasks in pods of a service mesh, by real processes: what a pod sends goes through a proxy beside it, which comes
late, is killed, and never ends by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headway import clock, wire
from headway.agent.pod import variable
from headway.client import Client
from tests.cli.conftest import (
    PATIENCE_S,
    connected,
    copy_data,
    start,
    stop,
    wait_for_dag,
    wait_until,
)
from tests.kubernetes.cluster import FakeCluster, fake_cluster
from tests.kubernetes.fake.store import Object
from tests.ports import free_port

pytestmark = pytest.mark.long

DAGS = """
import time
from pathlib import Path

from headway import Run, dag, task


@dag(params={"gate": "/nowhere"})
def meshed():
    @task(executor="kubernetes")
    def wait(run: Run) -> int:
        gate = run.params["gate"]
        with open(f"{gate}.started", "a") as starts:
            starts.write("!")
        while not Path(gate).exists():
            time.sleep(0.01)
        return 1

    wait()
"""
# Listens from the moment that a file exists, and passes on what it hears, as Envoy does with TLS that is not its own.
PROXY = """
import os, selectors, socket, sys, threading, time
port, host, to, opened = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
while not os.path.exists(opened):
    time.sleep(0.02)

def pump(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    for each in (one, other):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

door = socket.create_server(("127.0.0.1", port))
while True:
    one, _ = door.accept()
    other = socket.create_connection((host, to))
    for pair in ((one, other), (other, one)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


@dataclass
class Mesh:
    """A webhook that puts a proxy before each task. ``opened``: from when on proxies listen."""

    opened: Path
    gateway: str
    native: bool = False

    def inject(self, pod: Object) -> None:
        spec = pod["spec"]
        (task,) = (each for each in spec["containers"] if each["name"] == "task")
        port = free_port()
        _, host, to = self.gateway.split(":")
        for each in task["env"]:
            if each["name"] == variable("connect"):  # in a mesh, rules of the network do that
                each["value"] = f"tls:127.0.0.1:{port}"
        command = ["python", "-c", PROXY, str(port), host, to, str(self.opened)]
        proxy: dict[str, Any] = {"name": "proxy", "image": "proxy:1", "command": command}
        broken = {"name": "telemetry", "image": "proxy:1", "command": ["sh", "-c", "exit 137"]}
        if self.native:
            spec.setdefault("initContainers", []).insert(0, {**proxy, "restartPolicy": "Always"})
        else:
            spec["containers"] = [*spec["containers"], proxy, broken]


@dataclass
class Home:
    cluster: FakeCluster
    client: Client
    mesh: Mesh

    def trigger(self, gate: Path) -> str:
        asked = wire.TriggerRequest(params={"gate": str(gate)})
        return self.client.trigger("meshed", asked).run_id

    def pods(self) -> list[Object]:
        return self.cluster.pods("headway-default")

    def succeed(self, run_id: str, started: Path) -> None:
        """Wait for the end. Each attempt began once: a machine that is slow may lose one."""
        deadline = clock.monotonic() + PATIENCE_S
        while (found := self.client.run(run_id, wait_s=5.0)).state not in ("success", "failed"):
            assert clock.monotonic() < deadline, self.client.diagnosis(run_id)
        assert found.state == "success", self.client.diagnosis(run_id)
        (instance,) = self.client.instances(run_id)
        assert len(started.read_text()) == instance.attempts
        wait_until(lambda: self.pods() == [], "the pod was not removed")

    def log(self, pod: Object) -> str:
        return self.cluster.server.logs[pod["metadata"]["uid"]]["task"].path.read_text()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("mesh")
    (folder / "dags").mkdir()
    (folder / "dags" / "meshed.py").write_text(DAGS)
    copy_data(data, folder)
    with fake_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        file = cluster.settings()
        (gateway,) = (
            line.removeprefix("connect: ").strip("'\"")
            for line in file.read_text().splitlines()
            if line.startswith("connect: ")
        )
        process = start(folder, "--kubernetes", str(file))
        wait_for_dag(folder / ".headway", "meshed")
        mesh = Mesh(folder / "opened", gateway)
        cluster.server.webhooks.append(mesh.inject)
        home = Home(cluster, connected(folder / ".headway"), mesh)
        yield home
        home.client.close()
        stop(process)


@pytest.mark.parametrize("native", [False, True], ids=["container", "native sidecar"])
def test_a_task_waits_for_a_proxy_that_comes_late_and_leaves_it_behind(
    home: Home, tmp_path: Path, *, native: bool
) -> None:
    home.mesh.native = native
    home.mesh.opened = tmp_path / "opened"
    gate = tmp_path / "gate"
    gate.touch()
    run_id = home.trigger(gate)
    wait_until(lambda: bool(home.pods()), "no pod")
    (pod,) = home.pods()
    logs = home.cluster.server.logs
    wait_until(lambda: "task" in logs.get(pod["metadata"]["uid"], {}), "its task does not begin")
    wait_until(lambda: "cannot connect to" in home.log(pod), "it is not refused")
    home.mesh.opened.touch()
    home.succeed(run_id, tmp_path / "gate.started")


def test_a_task_goes_on_while_its_proxy_is_started_again(home: Home, tmp_path: Path) -> None:
    home.mesh.native = True
    home.mesh.opened = tmp_path / "opened"
    home.mesh.opened.touch()
    gate, started = tmp_path / "gate", tmp_path / "gate.started"
    run_id = home.trigger(gate)
    wait_until(started.exists, "it does not start")
    (pod,) = home.pods()
    home.cluster.node.kill_container(pod["metadata"]["name"], "proxy", "OOMKilled")
    wait_until(
        lambda: f"{pod['metadata']['uid']}/proxy" in home.cluster.node.restarts,
        "the proxy is not started again",
    )
    gate.touch()
    home.succeed(run_id, started)
