"""Two releases side by side with live runs, as in a rolling upgrade: processes of an earlier one, then of both, then of
this one, on one database, one data directory and one DAG folder.
"""

import re
import signal
import subprocess
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from headway import clock
from headway.pg import Server
from headway.store.transact import connect
from tests.apart.balancer import balanced
from tests.apart.install import Install, meanwhile
from tests.cli.conftest import PATIENCE_S, wait_until
from tests.ports import free_port
from tests.postgres import FORGETFUL
from tests.simulation import invariants
from tests.tidy.tree import ROOT

pytestmark = pytest.mark.long

BEFORE: Final = (
    "3722089743af39e416ce80c90d59c5b82a14d52d"  # migrations up to 0071, protocol version 6
)
RUNS_BESIDE: Final = 120  # while both releases run
PACE_S: Final = 0.25  # between two runs that are triggered
REFUSED: Final = "refused an agent: the agent uses protocol version 7, this scheduler 6"
ODD: Final = re.compile(r"Traceback|\b(WARNING|ERROR|CRITICAL)\b")
DAGS: Final = """
import os
import time
from datetime import timedelta
from pathlib import Path

from headway import Run, dag, task, variable


def note(run: Run, what: str) -> None:
    file = os.open(run.params["ledger"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, f"{run.run_id} {what} {run.try_number}\\n".encode())
    os.close(file)


@dag(max_active_runs=50)
def work(ledger: str = ""):
    @task
    def items() -> list[int]:
        return [1, 2, 3]

    @task(retries=0)
    def write(item: int, run: Run) -> int:
        note(run, f"write-{item}")
        return item

    @task(retries=0)
    def ask(run: Run) -> str:
        note(run, "ask")
        return variable("region")

    @task(retries=0)
    def count(region: str, run: Run) -> list[int]:
        note(run, "count")
        return list(range(100))

    @task
    def total(written: list[int], numbers: list[int]) -> int:
        return sum(written) + len(numbers)

    total(write.expand(item=items()), count(ask()))


@dag(max_active_runs=50)
def long(ledger: str = "", gate: str = ""):
    @task(retries=0)
    def hold(run: Run) -> str:
        note(run, "hold")
        while not Path(run.params["gate"]).exists():
            time.sleep(0.01)
        return variable("region")

    @task(retries=0)
    def after(region: str, run: Run) -> str:
        note(run, "after")
        return region

    after(hold())
"""


class Upgrade(Install):
    """``before``: the components of the earlier release, by name; all others are of this one."""

    before: tuple[str, ...] = ("api-1", "scheduler-1", "loader-1", "agent-1")

    def __init__(self, folder: Path, dsn: str, earlier: Path) -> None:
        super().__init__(folder, dsn, {"HEADWAY_CANARY_S": "0"}, slots=4)
        self.earlier = earlier
        (self.dags / "work.py").write_text(DAGS)
        self.health |= {name: free_port() for name in ("loader-1", "loader-2")}
        self.options = {"agent-1": ("--drain", "600"), "agent-2": ("--drain", "600")}
        self.ended_well: list[str] = []

    def variables(self, name: str = "") -> Mapping[str, str]:
        found = dict(super().variables(name))
        if name in self.before:
            found["PYTHONPATH"] = str(self.earlier)
        return found

    def stop(self, name: str) -> None:
        """End a component as its Deployment does, and wait for it."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM), (name, self.said(name)[-3000:])
        self.ended_well.append(name)

    def at(self, name: str, *command: str) -> str:
        """Run a command at an API server, of the same release."""
        told = {"HEADWAY_URL": self.url(name), "HEADWAY_TOKEN": self.token}
        done = self.run(*command, name=name, **told)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, name: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.get(f"{self.url(name)}/api/v1/{path}", headers=headers, timeout=30.0)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_for_dags(self, name: str) -> None:
        wait_until(lambda: self.answers(name) or self.is_over(name), f"{name} does not answer")
        wait_until(
            lambda: {"work", "long"} <= set(re.findall(r"work|long", str(self.ask(name, "dags")))),
            "no DAGs",
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.dsn) as conn:
            conn.execute("SET ROLE NONE")
            return conn.execute(query.encode()).fetchall()

    def state(self, run_id: str) -> str:
        (found,) = self.rows(f"SELECT state FROM run WHERE run_id = '{run_id}'")
        return str(found[0])

    def live(self, run_ids: list[str]) -> list[str]:
        live = {run_id for (run_id,) in self.rows("SELECT run_id FROM run WHERE ended_at IS NULL")}
        return [run_id for run_id in run_ids if run_id in live]

    def check(self, ledger: Path, run_ids: list[str]) -> None:
        """Each task ran once, and the database is sound."""
        assert len(set(run_ids)) == len(run_ids)
        starts = Counter(ledger.read_text().splitlines())
        assert [line for line, count in starts.items() if count > 1] == []
        tasks = Counter(line.split()[0] for line in starts)
        assert tasks == dict.fromkeys(run_ids[:-1], 5) | {run_ids[-1]: 2}
        with connect(self.dsn) as conn:
            conn.execute("SET ROLE NONE")
            assert invariants.check(conn) == []

    def versions(self) -> dict[str, int]:
        return dict(self.rows("SELECT dag_id, max(version) FROM dag_version GROUP BY 1"))

    def deploy(self, number: int) -> None:
        """Change the file, and wait until a loader has made the version of that number."""
        text = DAGS.replace("max_active_runs=50", f"max_active_runs={50 + number}")
        (self.dags / "work.py").write_text(text)
        wait_until(lambda: set(self.versions().values()) >= {number}, f"no version {number}")

    def check_logs(self) -> None:
        """Nothing went wrong but what is expected: the earlier scheduler lets in no agent of a later release."""
        for file in self.folder.glob("*.log"):
            lines = file.read_text().splitlines()
            assert [line for line in lines if is_odd(line)] == [], file.name

    def begin(self, dag_id: str, key: str, **params: str) -> str:
        """Trigger at any API server that answers."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        deadline = clock.monotonic() + PATIENCE_S
        while clock.monotonic() < deadline:
            for name in [each for each in list(self.running) if each.startswith("api")]:
                try:
                    answer = httpx.post(
                        f"{self.url(name)}/api/v1/dags/{dag_id}/runs",
                        json={"params": params},
                        headers=headers,
                        timeout=30.0,
                    )
                except httpx.TransportError:
                    continue
                assert answer.status_code in (200, 201), (name, answer.text)
                return str(answer.json()["run_id"])
        raise AssertionError("no API server answers")


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of the earlier release."""
    git = ["git", "-C", str(ROOT)]
    known = subprocess.run(
        [*git, "cat-file", "-e", f"{BEFORE}^{{commit}}"], capture_output=True, check=False
    )
    if known.returncode != 0:
        pytest.skip(
            "the earlier release is not here: it needs the history of this repository (git fetch --unshallow)"
        )
    archive = subprocess.run(
        [*git, "archive", BEFORE, "src"], capture_output=True, check=True
    ).stdout
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder / "src"


def is_odd(line: str) -> bool:
    return bool(ODD.search(line)) and REFUSED not in line


@contextmanager
def triggering(here: Upgrade, ledger: Path) -> Iterator[list[str]]:
    """Trigger runs all the time, until the block ends."""
    found: list[str] = []

    def trigger() -> None:
        found.append(here.begin("work", f"key-{len(found)}", ledger=str(ledger)))

    with meanwhile(trigger, PACE_S):
        yield found


def more(found: list[str], count: int) -> Callable[[], bool]:
    before = len(found)
    return lambda: len(found) >= before + count


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server on which nothing was ever migrated."""
    with Server(tmp_path / "server", FORGETFUL).running() as dsn:
        yield dsn


def test_runs_go_on_while_one_release_takes_the_place_of_another(
    server: str, tmp_path: Path, earlier: Path
) -> None:
    here = Upgrade(tmp_path, server, earlier)
    here.ports |= {"api-2": free_port(), "scheduler-2": free_port()}
    ledger, gate = tmp_path / "ledger", tmp_path / "gate"
    with balanced([here.ports["scheduler-1"], here.ports["scheduler-2"]]) as here.gateway:
        here.prepare(here.before[0])  # by the earlier release
        try:
            for name in here.before:
                here.start(name)
            here.wait_for_dags("api-1")
            here.at("api-1", "var", "set", "region", "eu")
            held = here.begin("long", "held", ledger=str(ledger), gate=str(gate))
            wait_until(lambda: ledger.exists() and "hold" in ledger.read_text(), "nothing starts")
            with triggering(here, ledger) as runs:
                wait_until(more(runs, 8), "no runs before")
                upgrade(here, runs)
                wait_until(more(runs, 8), "no runs on the later release alone")
                gate.touch()
                wait_until(lambda: here.state(held) == "success", "the held run does not go on")
                here.stop("agent-1")
                wait_until(more(runs, 8), "no runs after")
            wait_until(lambda: not here.live([*runs, held]), "not all runs end")
            assert Counter(map(here.state, runs)) == {"success": len(runs)}
            here.check(ledger, [*runs, held])
        finally:
            here.end()
        here.check_logs()


def upgrade(here: Upgrade, runs: list[str]) -> None:
    """Put this release beside the earlier one, component by component, and end the earlier one."""
    done = here.run("migrate", "--prepare")
    assert done.returncode == 0, done.stderr
    for name in ("scheduler-2", "api-2", "agent-2", "loader-2"):
        here.start(name)
    wait_until(lambda: here.answers("api-2"), "the later API does not answer")
    wait_until(more(runs, RUNS_BESIDE), "no runs beside")
    here.deploy(2)
    wait_until(more(runs, 8), "no runs after a deploy beside")
    here.stop("loader-1")
    here.deploy(3)
    wait_until(more(runs, 8), "no runs with the later loader")
    assert here.versions() == {"work": 3, "long": 3}, "the loaders do not agree"
    here.stop("scheduler-1")
    wait_until(more(runs, 8), "no runs without the earlier scheduler")
    here.stop("api-1")
