"""The installed command, as a process; one server for all that only need one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from headway import clock, wire
from headway.client import Client, connect
from headway.config import Layout, read_server_file
from headway.frontends.airflow.ground import SETTINGS as AIRFLOW_SETTINGS
from tests.warm import Kitchen

PATIENCE_S = 120.0  # what takes seconds takes many on a busy machine

KITCHEN: Final = Kitchen()

Command = Callable[..., subprocess.CompletedProcess[str]]

DAGS = """
import time
from datetime import datetime
from pathlib import Path

from headway import Fail, Run, dag, task


@dag()
def hello(size: int = 3):
    @task
    def names() -> list[str]:
        return ["a", "b", "c"]

    @task(map_index_template="Ms. {{ name | upper }}")
    def greet(name: str) -> str:
        print("hello", name)
        return name

    greet.expand(name=names())


@dag()
def slow(gate: str = "/nowhere"):
    @task
    def wait(run: Run) -> None:
        print("before the gate")
        Path(run.params["gate"] + ".reached").touch()
        while not Path(run.params["gate"]).exists():
            time.sleep(0.01)
        print("behind the gate")

    wait()


@dag()
def naps():
    @task
    def nap() -> None:
        time.sleep(0.2)

    nap()


@dag()
def distant():
    @task(queue="gpu")
    def fit() -> None:
        pass

    fit()


@dag(schedule="0 0 * * *", start_date=datetime(2100, 1, 1))
def daily():
    @task
    def nothing() -> None:
        pass

    nothing()


@dag()
def sad():
    @task
    def weep() -> None:
        print("before the tears")
        raise ValueError("no flights today")

    weep()
"""


def headway(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Reading DAG files of Airflow in this process has set what is nobody's setting.
    own = {name: value for name, value in os.environ.items() if name not in AIRFLOW_SETTINGS}
    environment = {**own, "NO_COLOR": "1", "CI": "1"}
    return KITCHEN.run(list(arguments), cwd, environment, PATIENCE_S)


def fresh(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in a new interpreter, for tests that change what it imports."""
    return subprocess.run(
        [sys.executable, "-m", "headway", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def children_of(parent: int) -> dict[int, str]:
    """By process id, what they were started as. What ends meanwhile is not there, and has no children."""
    found = {}
    for name in of_process(f"{parent}/task/{parent}/children").decode().split():
        command = of_process(f"{name}/cmdline")
        found[int(name)] = command.replace(b"\0", b" ").decode()
    return found


def of_process(what: str) -> bytes:
    """Read a file of a process; nothing if the process has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path("/proc", what).read_bytes()
    return b""


def wait_for(file: Path) -> None:
    wait_until(file.exists, f"{file} did not appear")


def wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    while not condition():
        assert clock.monotonic() < deadline, otherwise
        clock.sleep(0.02)


def wait_for_dag(data: Path, dag_id: str) -> None:
    """Wait until the server has loaded it. It is asked directly: a command each time would take its processor."""
    with closing(connected(data)) as client:
        wait_until(
            lambda: any(dag.dag_id == dag_id for dag in client.dags()), f"{dag_id} was not loaded"
        )


def connected(data: Path) -> Client:
    """Return a client of the server that runs on a data directory."""
    server = read_server_file(Layout(data))
    assert server is not None
    return connect(server)


def to_success(client: Client, dag_id: str) -> str:
    """Trigger a DAG, and return its run when that has succeeded."""
    run_id = client.trigger(dag_id, wire.TriggerRequest()).run_id
    deadline = clock.monotonic() + PATIENCE_S
    while (found := client.run(run_id, wait_s=5.0)).ended_at is None:
        assert clock.monotonic() < deadline, client.diagnosis(run_id)
    assert found.state == "success", client.diagnosis(run_id)
    return run_id


def start(folder: Path, *arguments: str, within: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """``headway up``; returns when it says that it is up, or has ended. ``within``: a command that runs it."""
    process = subprocess.Popen(
        [*within, sys.executable, "-m", "headway", "up", "--port", "0", *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Ctrl-C stops it" in line:
            return process
    raise AssertionError(f"headway up ended with {process.wait()}")


def stop(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(PATIENCE_S) == 0
    return said


def copy_data(data: Path, folder: Path) -> None:
    """With its owners and rights, which are PostgreSQL's."""
    subprocess.run(["cp", "-a", data, folder], check=True)


@contextmanager
def served(folder: Path, data: Path, files: Mapping[str, str], dag_id: str) -> Iterator[Path]:
    """A server over a folder with these DAG files, which has loaded the DAG."""
    (folder / "dags").mkdir()
    for name, text in files.items():
        (folder / "dags" / name).write_text(text)
    copy_data(data, folder)
    process = start(folder)
    wait_for_dag(folder / ".headway", dag_id)
    yield folder
    stop(process)


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    """A client of the server over ``folder``, a fixture of the module."""
    with closing(connected(folder / ".headway")) as client:
        yield client


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    """A folder with DAGs and a server that has loaded them."""
    with served(tmp_path_factory.mktemp("home"), data, {"demo.py": DAGS}, "sad") as folder:
        yield folder
    assert read_server_file(Layout(folder / ".headway")) is None


@pytest.fixture
def cli(home: Path) -> Command:
    return lambda *arguments: headway(*arguments, cwd=home)
