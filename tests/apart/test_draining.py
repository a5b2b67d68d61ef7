"""Agents outside of any cluster that are told to leave: ``headway agent --drain``."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import wire
from headway.client import Client
from tests.apart.install import Install
from tests.cli.conftest import PATIENCE_S, wait_until

pytestmark = pytest.mark.long

DAGS = """
import time
from pathlib import Path

from headway import Run, dag, task


@dag(max_active_runs=3)
def gated(gate: str = ""):
    @task
    def wait(run: Run) -> int:
        gate = run.params["gate"]
        with open(f"{gate}.starts", "a") as starts:
            starts.write("!")
        while not Path(gate).exists():
            time.sleep(0.01)
        return run.try_number

    wait()
"""


@pytest.fixture
def here(database: str, tmp_path: Path) -> Iterator[Install]:
    found = Install(tmp_path, database, {"HEADWAY_CANARY_S": "0"}, slots=4)
    found.gateway = found.ports["scheduler-1"]
    found.options = {"agent-1": ("--drain", "600"), "agent-2": ("--drain", "0.1")}
    (found.dags / "gated.py").write_text(DAGS)
    found.prepare()
    for name in ("api-1", "scheduler-1", "loader", "agent-1"):
        found.start(name)
    try:
        found.wait_until_ready()
        yield found
    finally:
        found.end()


def begin(client: Client, gate: Path) -> str:
    """Trigger a run, and wait until its task runs."""
    run_id = client.trigger("gated", wire.TriggerRequest(params={"gate": str(gate)})).run_id
    wait_until(lambda: starts(gate) == "!", "it does not start")
    return run_id


def starts(gate: Path) -> str:
    file = gate.with_name(f"{gate.name}.starts")
    return file.read_text() if file.exists() else ""


def tries(client: Client, run_id: str) -> int:
    wait_until(lambda: client.run(run_id, wait_s=5.0).state == "success", "it does not succeed")
    ((state, attempts),) = [(x.state, x.attempts) for x in client.instances(run_id)]
    assert state == "success"
    return attempts


def test_an_agent_that_is_told_to_leave_ends_what_it_has_within_its_time(
    here: Install, tmp_path: Path
) -> None:
    with here.client("api-1") as client:
        first, second, third = (tmp_path / name for name in ("first", "second", "third"))
        kept = begin(client, first)
        here.running["agent-1"].send_signal(signal.SIGTERM)
        here.start("agent-2")
        taken = begin(client, second)  # another agent takes what comes
        assert here.running["agent-1"].poll() is None
        first.touch()
        assert (tries(client, kept), starts(first)) == (1, "!")
        assert here.running["agent-1"].wait(PATIENCE_S) == 0
        second.touch()
        assert (tries(client, taken), starts(second)) == (1, "!")
        lost = begin(client, third)
        here.running["agent-2"].send_signal(signal.SIGTERM)
        here.start("agent-3")
        wait_until(lambda: starts(third) == "!!", "nobody repeats what was cut short")
        third.touch()
        assert tries(client, lost) == 2, "it has no retries, and needs none"
