"""``container(…)`` from its trigger to its end: server, scheduler, the agent beside the container and the container are
real processes. The containers run a shell, and nothing of Headway.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
from tests.kubernetes.fake import states
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.fake.store import Object

pytestmark = pytest.mark.long

NAMESPACE = "headway-default"
LINES = 52_000  # of 98 bytes: more than 5 MB
SECRET = "s3cret-of-ann"
SECRET_URI = f"postgres://ann:{SECRET}@db/x"
DAGS = r"""
from datetime import timedelta

from headway import RetryRule, container, dag, task


@dag(params={"mode": "full"})
def load():
    container(
        "load",
        image="ghcr.io/acme/load:2.1",
        command=["sh", "-c", "echo \"day $1 mode $MODE try $HEADWAY_TRY_NUMBER\"; cat $HEADWAY_FILES/*; env", "sh"],
        args=["{{ ds }}"],
        env={"MODE": "{{ params.mode }}", "PRICE": "5$"},
        files={"target": "{{ conn.warehouse.password }}\n", "rows.json": {"n": [1, 2]}},
        cpu=2,
        memory="1Gi",
    )


@dag()
def codes():
    @task
    def after() -> str:
        return "seen"

    sometimes = container(
        "sometimes",
        image="shell:1",
        command=["sh", "-c", "echo try $HEADWAY_TRY_NUMBER; test $HEADWAY_TRY_NUMBER = 2 || exit 75"],
        retries=0,
        retry_policy=[RetryRule(exit_code=75, retries=3, retry_delay=0)],
    )
    never = container("never", image="shell:1", command=["sh", "-c", "echo no >&2; exit 3"], retries=0)
    sometimes >> after()


@dag(params={"gate": "/nowhere"})
def held():
    container(
        "held",
        image="shell:1",
        command=["sh", "-c", "echo one; until test -e $0; do sleep 0.05; done; echo two; exit $(cat $0)"],
        args=["{{ params.gate }}"],
        retries=0,
    )


@dag(params={"gate": "/nowhere"})
def short():
    container(
        "short",
        image="shell:1",
        command=["sh", "-c", "trap 'echo asked to end; exit 1' TERM; echo $$$$ > $0; while true; do sleep 0.05; done"],
        args=["{{ params.gate }}"],
        execution_timeout=timedelta(seconds=5),
        retries=0,
    )


@dag()
def many():
    container.partial("each", image="shell:1", command=["sh", "-c", "echo got $0"]).expand(args=[["a"], ["b"], ["c"]])

    @task
    def days() -> list[dict[str, str]]:
        return [{"day": "monday"}, {"day": "tuesday"}]

    container.partial("read", image="shell:1", command=["sh", "-c", "cat $HEADWAY_FILES/day"]).expand(files=days())


@dag()
def long():
    container("long", image="shell:1", command=["seq", "-f", "line %092.0f", "LINES"])


@dag(params={"gate": "/nowhere"})
def drip():
    container(
        "drip",
        image="shell:1",
        command=["sh", "-c", "seq 1 500; until test -e $0; do sleep 0.05; done; seq 501 1000; seq 1001 1500 >&2"],
        args=["{{ params.gate }}"],
    )
""".replace("LINES", str(LINES))

Run = str


class Home:
    def __init__(self, folder: Path, cluster: FakeCluster, process: subprocess.Popen[str]) -> None:
        self.folder, self.cluster, self.process = folder, cluster, process
        self.client = connected(folder / ".headway")

    def trigger(self, dag_id: str, **params: str) -> Run:
        return self.client.trigger(dag_id, wire.TriggerRequest(params=params)).run_id

    def end_of(self, run_id: Run) -> str:
        deadline = clock.monotonic() + PATIENCE_S
        while clock.monotonic() < deadline:
            run = self.client.run(run_id, wait_s=5.0)
            if run.state in ("success", "failed", "cancelled"):
                return run.state
        raise AssertionError(f"{run_id} did not end: {self.client.diagnosis(run_id)}")

    def attempts(self, run_id: Run, task_id: str, map_index: int | None = None) -> list[Any]:
        return list(self.client.instance(run_id, task_id, map_index).history)

    def log(self, run_id: Run, task_id: str, *more: str) -> list[str]:
        """The lines of a log, without their times."""
        said = headway("logs", run_id, task_id, *more, cwd=self.folder)
        assert said.returncode == 0, said.stderr
        return [re.sub(r"^\S+Z ", "", line) for line in said.stdout.splitlines()]

    def pods(self) -> list[Object]:
        return self.cluster.pods(NAMESPACE)

    def pod(self, task_id: str) -> Object:
        (found,) = [
            p for p in self.pods() if p["metadata"]["labels"]["headway.dev/task"] == task_id
        ]
        return found

    def last(self, task_id: str) -> Object:
        """The last pod of a task, as it was, though it is gone."""
        for _, _, kind, pod, _ in reversed(self.cluster.server.store.history):
            if kind is POD and pod["metadata"]["labels"].get("headway.dev/task") == task_id:
                return pod
        raise AssertionError(f"{task_id} had no pod")

    def process_of(self, name: str, container: str) -> subprocess.Popen[bytes]:
        pods = self.cluster.node.running.values()
        return next(p.containers[container].process for p in pods if p.name == name)

    def until_begun(self, task_id: str) -> Object:
        wait_until(lambda: self.has_begun(task_id), f"the container of {task_id} did not begin")
        return self.pod(task_id)

    def has_begun(self, task_id: str) -> bool:
        mine = [p for p in self.pods() if p["metadata"]["labels"]["headway.dev/task"] == task_id]
        return any("running" in states.state_of(p, "task") for p in mine)


def gate_in(folder: Path) -> str:
    """Return the path of a file, which the container and the test see: below /tmp a container has files of its own."""
    return f"/{folder}/gate"


def say(folder: Path, *words: str, text: str) -> None:
    """The command with something on its standard input."""
    command = [sys.executable, "-m", "headway", *words]
    subprocess.run(command, cwd=folder, input=text, text=True, check=True, timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("containers")
    (folder / "dags").mkdir()
    (folder / "dags" / "demo.py").write_text(DAGS)
    copy_data(data, folder)
    with fake_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        process = start(folder, "--kubernetes", str(cluster.settings()))
        try:
            wait_for_dag(folder / ".headway", "long")
            say(folder, "conn", "set", "warehouse", "--uri", "-", text=SECRET_URI)
            home = Home(folder, cluster, process)
            yield home
            home.client.close()
        finally:
            stop(process)


def test_a_container_runs_with_what_it_was_given(home: Home) -> None:
    run_id = home.trigger("load", mode="some $(HOME) $$")
    assert home.end_of(run_id) == "success"
    lines = home.log(run_id, "load")
    today = clock.now().date().isoformat()
    assert lines[0] == f"day {today} mode some $(HOME) $$ try 1"
    assert lines[1] == '{"n":[1,2]}***'
    environment = dict(each.partition("=")[::2] for each in lines[2:])
    assert environment["PRICE"] == "5$"
    assert environment["HEADWAY_RUN_ID"] == run_id
    assert SECRET not in "".join(lines)
    wait_until(lambda: home.pods() == [], "the pod was not removed")


def test_nothing_of_headway_and_no_secret_is_in_the_container(home: Home) -> None:
    """Its pod as the API server had it; its environment as it saw it is in its log."""
    run_id = home.trigger("load", mode="full")
    assert home.end_of(run_id) == "success"
    assert "HEADWAY_POD" not in "".join(home.log(run_id, "load"))
    pod = home.last("load")
    assert SECRET not in str(pod)
    (mine,) = pod["spec"]["containers"]
    assert mine["image"] == "ghcr.io/acme/load:2.1"
    mounts = {each["name"]: each.get("readOnly", False) for each in mine["volumeMounts"]}
    assert mounts == {"headway-files": True, "headway-task-tmp": False}
    names = {each["name"] for each in mine["env"]}
    assert not [each for each in names if each.startswith("HEADWAY_POD")]
    assert "token" not in str(mine).lower()
    assert mine["resources"]["limits"] == {"cpu": "2", "memory": "1Gi"}


def test_exit_codes_decide(home: Home) -> None:
    run_id = home.trigger("codes")
    assert home.end_of(run_id) == "failed"
    second, first = home.attempts(run_id, "sometimes")
    assert (first.state, first.cause, first.exit_code) == ("failed", "exit_code", 75)
    assert second.state == "success"
    (never,) = home.attempts(run_id, "never")
    assert (never.state, never.cause, never.exit_code) == ("failed", "exit_code", 3)
    assert never.detail == "the container ended with exit code 3"
    assert home.log(run_id, "never")[0] == "no"
    assert home.log(run_id, "sometimes") == ["try 2"]


def test_a_lack_of_memory_is_told_as_such(home: Home, tmp_path: Path) -> None:
    run_id = home.trigger("held", gate=gate_in(tmp_path))
    pod = home.until_begun("held")
    home.cluster.node.kill_container(pod["metadata"]["name"], "task", "OOMKilled")
    assert home.end_of(run_id) == "failed"
    (attempt,) = home.attempts(run_id, "held")
    assert (attempt.cause, attempt.exit_code) == ("memory", 137)
    assert attempt.detail == "OOMKilled: it used more than its limit of 512Mi"


def test_a_cancelled_container_has_ended_when_its_task_has(home: Home, tmp_path: Path) -> None:
    run_id = home.trigger("held", gate=gate_in(tmp_path))
    name = home.until_begun("held")["metadata"]["name"]
    process = home.process_of(name, "task")
    home.client.cancel(run_id)
    assert home.end_of(run_id) == "cancelled"
    assert process.poll() is not None
    wait_until(lambda: home.pods() == [], "the pod was not removed")


def test_a_container_is_asked_to_end_when_its_time_is_over(home: Home, tmp_path: Path) -> None:
    run_id = home.trigger("short", gate=gate_in(tmp_path))
    assert home.end_of(run_id) == "failed"
    (attempt,) = home.attempts(run_id, "short")
    assert attempt.cause == "timeout"
    assert "asked to end" in home.log(run_id, "short")
    assert not Path(f"/proc/{(tmp_path / 'gate').read_text().strip()}").exists()


def test_a_log_that_breaks_is_neither_lost_nor_doubled(home: Home, tmp_path: Path) -> None:
    server = home.cluster.server
    run_id = home.trigger("drip", gate=gate_in(tmp_path))
    home.until_begun("drip")
    wait_until(lambda: "500" in home.log(run_id, "drip"), "the first part did not come")
    reads = len(server.log_reads)
    server.log_breaks += 1
    wait_until(lambda: len(server.log_reads) > reads, "the log was not asked for again")
    (tmp_path / "gate").touch()
    assert home.end_of(run_id) == "success"
    assert home.log(run_id, "drip") == [str(number) for number in range(1, 1501)]
    assert any("sinceTime" in each for each in server.log_reads[reads:])


def test_a_long_log_comes_whole(home: Home) -> None:
    run_id = home.trigger("long")
    assert home.end_of(run_id) == "success"
    assert home.log(run_id, "long") == [f"line {number:092d}" for number in range(1, LINES + 1)]


def test_each_item_has_a_container(home: Home) -> None:
    run_id = home.trigger("many")
    assert home.end_of(run_id) == "success"
    for index, word in enumerate("abc"):
        assert home.log(run_id, "each", "--index", str(index)) == [f"got {word}"]
    assert home.log(run_id, "read", "--index", "1") == ["tuesday"]


def test_a_container_goes_on_while_the_agent_beside_it_is_started_again(
    home: Home, tmp_path: Path
) -> None:
    node = home.cluster.node
    node.patience = 20.0  # this machine may be slow
    run_id = home.trigger("held", gate=gate_in(tmp_path))
    pod = home.until_begun("held")
    name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
    wait_until(lambda: "one" in home.log(run_id, "held"), "nothing was read")
    reads = len(home.cluster.server.log_reads)
    node.kill_container(name, "headway-agent")
    wait_until(lambda: len(home.cluster.server.log_reads) > reads, "it was not started again")
    assert node.restarts[f"{uid}/headway-agent"] == 1
    (tmp_path / "gate").write_text("3")
    assert home.end_of(run_id) == "failed"
    node.patience = 1.0
    (attempt,) = home.attempts(run_id, "held")
    assert (attempt.cause, attempt.exit_code) == ("exit_code", 3)
    said = home.log(run_id, "held")
    assert said[0] == "one"  # the last seconds may be told again
    assert said.count("two") == 1


def test_a_pod_that_is_refused_runs_nothing(home: Home, tmp_path: Path) -> None:
    """Somebody makes a second pod of the attempt: its agent is not let in, so its container waits until it goes."""
    server = home.cluster.server
    run_id = home.trigger("held", gate=gate_in(tmp_path))
    pod = home.until_begun("held")
    meta = {k: pod["metadata"][k] for k in ("labels", "annotations", "namespace")}
    spec = {k: v for k, v in pod["spec"].items() if k != "nodeName"}
    server.faults.refuse(
        "DELETE", "/pods/second$", 503, times=10_000
    )  # so that it stays for a while
    copy = server.create(POD, {"metadata": {**meta, "name": "second"}, "spec": spec})
    uid = copy["metadata"]["uid"]

    def said() -> str:
        log = server.logs.get(uid, {}).get("headway-agent")
        return "" if log is None else log.path.read_text()

    wait_until(lambda: "refused the agent" in said(), "it was not refused")
    assert "task" not in server.logs[uid]
    server.faults.clear()
    wait_until(lambda: "second" not in [p["metadata"]["name"] for p in home.pods()], "it stayed")
    assert "task" not in server.logs[uid]
    (tmp_path / "gate").write_text("0")
    assert home.end_of(run_id) == "success"


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_container_does_not_outlive_the_lease_of_its_attempt(
    home: Home, tmp_path: Path, *, is_killed: bool
) -> None:
    """No scheduler answers: the kubelet ends the container, also if the agent beside it was started again meanwhile."""
    run_id = home.trigger("held", gate=gate_in(tmp_path))
    name = home.until_begun("held")["metadata"]["name"]
    process = home.process_of(name, "task")
    (scheduler,) = [
        pid for pid, said in children_of(home.process.pid).items() if "engine.scheduler" in said
    ]
    os.kill(scheduler, signal.SIGSTOP)
    try:
        if is_killed:
            home.cluster.node.kill_container(name, "headway-agent")
        wait_until(lambda: process.poll() is not None, "the container went on without a lease")
    finally:
        os.kill(scheduler, signal.SIGCONT)
    (tmp_path / "gate").write_text("0")
    assert home.end_of(run_id) == "success"
    second, first = home.attempts(run_id, "held")
    assert (first.state, second.state) == ("lost", "success")
