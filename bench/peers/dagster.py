"""Dagster 1.13: `dagster dev` with persistent storage (SQLite under DAGSTER_HOME), runs by GraphQL.

`inprocess` runs the steps of a run in the run's own process, `multiprocess` each step in its own.
Runs are launched at once instead of through the queue, whose daemon looks every 5 s (tuned).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

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
from bench.processes import running

NAME: Final = "dagster"
MODES: Final = ("inprocess", "multiprocess")
WORKLOADS: Final = ("W1", "W2", "W3", "W4", "W5", "W7", "W8")
JOBS: Final = DEFINITIONS / "dagster"
BACKLOG: Final = 20
INSTANCE: Final = """
telemetry:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator
  class: DefaultRunCoordinator
"""
LOCATIONS: Final = """
query { repositoriesOrError { ... on RepositoryConnection {
  nodes { name location { name } } } } }
"""
LAUNCH: Final = """
mutation($job: String!, $repository: String!, $location: String!, $config: RunConfigData) {
  launchRun(executionParams: {runConfigData: $config, selector: {
    jobName: $job, repositoryName: $repository, repositoryLocationName: $location}}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
STATUS: Final = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@dataclass(frozen=True, slots=True)
class Dagster:
    url: str
    home: Path
    mode: str
    repository: str
    location: str

    def trigger(self, job: str, config: dict[str, Any]) -> str:
        variables = {
            "job": f"{job}_{self.mode}",
            "repository": self.repository,
            "location": self.location,
            "config": config,
        }
        answer = graphql(self.url, LAUNCH, variables)["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise PeerError(f"{job}: {answer}")
        run_id: str = answer["run"]["runId"]
        return run_id

    def ended(self, run_id: str) -> bool | None:
        status = graphql(self.url, STATUS, {"id": run_id})["runOrError"]["status"]
        if status in ("FAILURE", "CANCELED"):
            raise PeerError(f"run {run_id}: {status}")
        return True if status == "SUCCESS" else None

    def perform(self, workload: str, timeout_s: float) -> dict[str, float]:
        if workload == "W7":
            return {}
        mark = self.home / "mark" if workload == "W5" else None
        config = {"ops": {"first_line": {"config": {"mark": str(mark)}}}} if mark else {}
        return from_trigger_to_end(
            lambda: self.trigger(workload.lower(), config),
            self.ended,
            workload,
            timeout_s,
            count=BACKLOG if workload == "W8" else 1,
            mark=mark,
        )


def graphql(url: str, query: str, variables: dict[str, Any] | None = None) -> Any:
    answer = call("POST", f"{url}/graphql", {"query": query, "variables": variables or {}})
    if answer.get("errors"):
        raise PeerError(str(answer["errors"])[:500])
    return answer["data"]


def place(url: str) -> tuple[str, str]:
    nodes = graphql(url, LOCATIONS)["repositoriesOrError"].get("nodes")
    if not nodes:
        raise PeerError("no code location is loaded yet")
    return nodes[0]["name"], nodes[0]["location"]["name"]


@contextmanager
def session(mode: str) -> Iterator[Session]:
    binaries = environment(NAME)
    with TemporaryDirectory(prefix="headway-bench-dagster-") as name:
        home, port = Path(name), free_port()
        (home / "dagster.yaml").write_text(INSTANCE)
        env = variables(home, binaries, JOBS, DAGSTER_HOME=str(home))
        url, log = f"http://127.0.0.1:{port}", home / "dev.log"
        begun = time.monotonic()
        command = [str(binaries / "dagster"), "dev", "-h", "127.0.0.1", "-p", str(port)]
        command += ["-f", str(JOBS / "dagster_jobs.py"), "-d", str(home)]
        with running(command, log, env, cwd=home) as process, keeping(log, NAME):
            until_up(lambda: place(url), log, lambda: process.poll() is None)
            startup = {"start_to_healthy_s": time.monotonic() - begun}
            yield Session(Dagster(url, home, mode, *place(url)).perform, startup)
