"""Prefect 3.9.1: a local server on its default store (SQLite) and flow runs.

`warm`: the flow is called in a process that is already warm; its tasks run in threads of it.
`served`: the flow is served and triggered through the server's API; each run is a process of its
own. Asked for work every second (stock 10): PREFECT_RUNNER_POLL_FREQUENCY.
W5 and W8 need a trigger from outside: only `served` has them.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

from bench.peers.common import (
    DEFINITIONS,
    PeerError,
    Session,
    call,
    environment,
    from_trigger_to_end,
    keeping,
    until_up,
    variables,
)
from bench.postgres import free_port
from bench.processes import die_with_parent, running, stop_tree

NAME: Final = "prefect"
MODES: Final = ("warm", "served")
WORKLOADS: Final = ("W1", "W2", "W3", "W4", "W5", "W7", "W8")
FLOWS: Final = DEFINITIONS / "prefect"
TRIGGERED: Final = ("W5", "W8")
BACKLOG: Final = 20
FAILED: Final = ("FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Warm:
    """A driver process inside the environment: one line in, one line out."""

    commands: IO[bytes]
    answers: IO[bytes]

    def perform(self, workload: str, timeout_s: float) -> dict[str, float]:
        if workload == "W7":
            return {}
        if workload in TRIGGERED:
            raise PeerError(f"{workload} starts with a trigger from outside: use --mode served")
        self.commands.write(f"{workload}\n".encode())
        self.commands.flush()
        ready, _, _ = select([self.answers], [], [], timeout_s)
        if not ready:
            raise PeerError(f"{workload} took longer than {timeout_s:.0f} s")
        answer = json.loads(self.answers.readline() or b'{"error": "the driver ended"}')
        if "error" in answer:
            raise PeerError(f"{workload}: {answer['error']}")
        return {"wall_s": answer["seconds"]}


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    home: Path

    def deployment(self, workload: str) -> str:
        name: str = call("GET", f"{self.url}/deployments/name/{workload.lower()}/bench")["id"]
        return name

    def trigger(self, deployment: str, parameters: dict[str, str]) -> str:
        path = f"{self.url}/deployments/{deployment}/create_flow_run"
        flow_run: str = call("POST", path, {"parameters": parameters})["id"]
        return flow_run

    def ended(self, flow_run: str) -> bool | None:
        state = call("GET", f"{self.url}/flow_runs/{flow_run}")["state_type"]
        if state in FAILED:
            raise PeerError(f"flow run {flow_run}: {state}")
        return True if state == "COMPLETED" else None

    def perform(self, workload: str, timeout_s: float) -> dict[str, float]:
        if workload == "W7":
            return {}
        mark = self.home / "mark" if workload == "W5" else None
        deployment = self.deployment(workload)
        return from_trigger_to_end(
            lambda: self.trigger(deployment, {"mark": str(mark)} if mark else {}),
            self.ended,
            workload,
            timeout_s,
            count=BACKLOG if workload == "W8" else 1,
            mark=mark,
        )


def settings(home: Path, port: int) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    }


@contextmanager
def session(mode: str) -> Iterator[Session]:
    binaries = environment(NAME)
    with TemporaryDirectory(prefix="headway-bench-prefect-") as name:
        home, port = Path(name), free_port()
        env = variables(home, binaries, FLOWS, **settings(home, port))
        url, log = f"http://127.0.0.1:{port}/api", home / "server.log"
        begun = time.monotonic()
        command = [str(binaries / "prefect"), "server", "start"]
        with running(command, log, env, cwd=home) as process, keeping(log, NAME):
            until_up(lambda: call("GET", f"{url}/health"), log, lambda: process.poll() is None)
            startup = {"start_to_healthy_s": time.monotonic() - begun}
            runner = served if mode == "served" else warm
            with runner(binaries, home, url, env) as perform:
                yield Session(perform, startup)


@contextmanager
def warm(binaries: Path, home: Path, url: str, env: dict[str, str]) -> Iterator[Any]:
    with (home / "driver.log").open("ab") as log:
        driver = subprocess.Popen(
            [str(binaries / "python"), str(FLOWS / "prefect_driver.py")],
            env=env,
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        assert driver.stdin is not None
        assert driver.stdout is not None
        yield Warm(driver.stdin, driver.stdout).perform
    finally:
        stop_tree(driver)


@contextmanager
def served(binaries: Path, home: Path, url: str, env: dict[str, str]) -> Iterator[Any]:
    command, log = [str(binaries / "python"), str(FLOWS / "prefect_flows.py")], home / "serve.log"
    peer = Served(url, home)
    with running(command, log, env, cwd=home) as process, keeping(log, NAME):
        until_up(lambda: peer.deployment("W8"), log, lambda: process.poll() is None)
        yield peer.perform
