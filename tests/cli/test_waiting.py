"""Tasks that wait without a process, through a real server: what is told of them, and what people can do."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.client import Client
from headway.config import Layout, read_server_file
from tests.cli.conftest import children_of, headway, served, wait_until

pytestmark = pytest.mark.long

DAGS = """
from datetime import timedelta
from pathlib import Path
from headway import FileExists, Run, TimeDelta, Trigger, dag, defer, sleep_until, task, wait_for_run

def collect(found, job):
    print("collects", job)
    return job

@dag()
def patient():
    @task
    def start():
        print("starts")
        defer(TimeDelta(seconds=1), then=collect, job=7)

    @task
    def after(job: int) -> int:
        return job

    after(start())

@dag()
def dependent():
    wait_for_run("flights", dag_id="flights", timeout=timedelta(days=1)) >> sleep_until("pause", delta=0.5)

@dag()
def watching(gate: str = "/nowhere"):
    @task.sensor(poke_interval=0.5)
    def arrived(gate: str) -> bool:
        return Path(gate).exists()
    arrived(gate)

async def files(path):
    return [str(one) for one in Path(path).parent.glob(Path(path).name)]

def names(found, of):
    print("found by", of)
    return found

@dag()
def triggered(gate: str = "/nowhere"):
    @task
    def ours(gate: str):
        defer(FileExists(gate, every=0.2), then=names, of="Headway")
    @task
    def mine(gate: str):
        defer(Trigger(files, every=0.2, what="my file", path=gate), then=names, of="the file")
    @task.sensor(poke_interval=0.2)
    async def sensed(gate: str):
        return await files(gate)
    @task
    def all_three(first: list[str], second: list[str], third: list[str]):
        assert first == second == third
    all_three(ours(gate), mine(gate), sensed(gate))

@dag()
def flights():
    @task
    def load():
        pass
    load()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("waiting"), data, {"waiting.py": DAGS}, "patient") as home:
        yield home


def triggered(folder: Path, dag_id: str, *more: str) -> str:
    done = headway("run", dag_id, "--detach", *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def in_state(client: Client, run_id: str, task_id: str, *states: str) -> None:
    def there() -> bool:
        """A run that has not begun has no instances."""
        return any(each.state in states for each in client.instances(run_id, task_id=task_id))

    wait_until(there, f"{task_id} did not become {states}")


def test_a_task_goes_on_in_another_process(folder: Path, client: Client) -> None:
    run_id = triggered(folder, "patient")
    in_state(client, run_id, "after", "success")
    first = client.instance(run_id, "start", None)
    assert (first.state, first.attempts, first.history[0].deferrals) == ("success", 1, 1)
    log = headway("logs", run_id, "start", cwd=folder).stdout
    assert ("starts" in log, "collects 7" in log) == (True, True)


def test_a_wait_for_a_run_says_so_and_outlives_agent_and_scheduler(
    folder: Path, client: Client
) -> None:
    run_id = triggered(folder, "dependent", "--date", "2026-01-01T00:00:00+00:00")
    in_state(client, run_id, "flights", "deferred")
    why = headway("why", run_id, "flights", cwd=folder).stdout
    assert "waits until the run of `flights` for 2026-01-01 00:00:00 UTC is success" in why
    assert "no process and no slot is in use" in why
    assert "flights is deferred" in headway("why", run_id, cwd=folder).stdout
    detail = client.instance(run_id, "flights", None)
    assert detail.wait is not None
    assert (detail.wait.kind, detail.wait.overdue) == ("run", "fail")
    server = read_server_file(Layout(folder / ".headway"))
    assert server is not None
    for pid, command in children_of(server.pid).items():
        if "headway.agent" in command or "headway.engine.scheduler" in command:
            os.kill(pid, signal.SIGKILL)
    triggered(folder, "flights", "--date", "2026-01-01T00:00:00+00:00")
    in_state(client, run_id, "pause", "success")
    assert client.instance(run_id, "flights", None).attempts == 1


def test_people_end_a_wait(folder: Path, client: Client) -> None:
    """With the rights of the API, which knows no token."""
    run_id = triggered(folder, "dependent", "--date", "2026-02-01T00:00:00+00:00")
    in_state(client, run_id, "flights", "deferred")
    assert headway("clear", run_id, "flights", cwd=folder).returncode == 0
    wait_until(
        lambda: client.instance(run_id, "flights", None).attempts == 2, "it did not start anew"
    )
    in_state(client, run_id, "flights", "deferred")
    history = client.instance(run_id, "flights", None).history
    assert [(each.number, each.state) for each in history] == [(2, "deferred"), (1, "cancelled")]
    assert headway("mark", run_id, "success", "flights", cwd=folder).returncode == 0
    in_state(client, run_id, "pause", "success")
    run_id = triggered(folder, "dependent", "--date", "2026-03-01T00:00:00+00:00")
    in_state(client, run_id, "flights", "deferred")
    assert headway("cancel", run_id, cwd=folder).returncode == 0
    in_state(client, run_id, "flights", "cancelled")


def test_a_sensor_tells_its_looks(folder: Path, client: Client) -> None:
    gate = folder / "arrived"
    run_id = triggered(folder, "watching", "-p", f"gate={gate}")
    key = (run_id, "arrived", None)
    in_state(client, run_id, "arrived", "up_for_reschedule")
    wait_until(lambda: looked(client, *key) >= 2, "it did not look twice")
    told = ""

    def tells() -> bool:
        nonlocal told
        told = headway("why", run_id, "arrived", cwd=folder).stdout
        return "is up_for_reschedule: looks again at" in told and "was at" in told

    wait_until(tells, "it was never between two looks")
    assert re.search(r"look \d+ was at 20", told)
    gate.touch()
    in_state(client, run_id, "arrived", "success")
    assert client.instance(*key).attempts == 1


def looked(client: Client, run_id: str, task_id: str, index: int | None) -> int:
    history = client.instance(run_id, task_id, index).history
    return history[0].deferrals if history else 0


def test_triggers_outlive_agent_scheduler_and_triggerer(folder: Path, client: Client) -> None:
    gate = folder / "gate"
    run_id = triggered(folder, "triggered", "-p", f"gate={gate}")
    wait_until(
        lambda: all(looks_after(client, run_id, one) for one in ("ours", "mine", "sensed")),
        "no agent looks after them",
    )
    why = headway("why", run_id, "mine", cwd=folder).stdout
    assert "mine is deferred: waits for my file" in why
    assert re.search(r"looks after it; (look \d+ was|it looked) at .*; the next one is at", why)
    server = read_server_file(Layout(folder / ".headway"))
    assert server is not None
    for pid, command in children_of(server.pid).items():
        if "headway.agent" in command or "headway.engine.scheduler" in command:
            os.kill(pid, signal.SIGKILL)
    gate.touch()
    in_state(client, run_id, "all_three", "success")
    assert client.instance(run_id, "ours", None).attempts == 1
    assert "found by the file" in headway("logs", run_id, "mine", cwd=folder).stdout


def looks_after(client: Client, run_id: str, task_id: str) -> bool:
    found = client.instances(run_id, task_id=task_id)
    if not found or found[0].state != "deferred":
        return False
    wait = client.instance(run_id, task_id, None).wait
    return wait is not None and wait.agent is not None and wait.looked_at is not None
