"""Airflow 3.3.2: `airflow standalone`, LocalExecutor, PostgreSQL with fsync on.

`stock` changes nothing that costs or gains time. `tuned` is what its documentation and its users
recommend for latency on one machine:
  scheduler_idle_sleep_time 0.02 s (stock 1): the pause of a loop that found nothing to do;
  max_tis_per_query 512 (stock 16), max_dagruns_per_loop_to_schedule 200 (stock 20),
  max_dagruns_to_create_per_loop 200 (stock 10): batches as large as a fan-out wants them;
  a plugin, loaded at once (lazy_load_plugins off), imports what every task needs before the
  workers are forked: the child of a task then starts its first line some 150 ms sooner.
Both: parallelism 32, a default pool of 128 (stock), max_map_length 10,000 as W3 maps over 1,500.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

import psycopg

from bench.peers.common import (
    DEFINITIONS,
    PeerBusy,
    PeerError,
    Session,
    call,
    environment,
    from_trigger_to_end,
    keeping,
    until,
    until_up,
    variables,
)
from bench.postgres import Database, free_port, private_server
from bench.processes import running

NAME: Final = "airflow"
MODES: Final = ("tuned", "stock")
WORKLOADS: Final = ("W1", "W2", "W3", "W4", "W5", "W7", "W8")
DAGS: Final = 6
KNOWN_TIMEOUT_S: Final = 1_200.0
BACKLOG: Final = 200
TUNED: Final = {
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.02",
    "AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY": "512",
    "AIRFLOW__SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": "200",
    "AIRFLOW__SCHEDULER__MAX_DAGRUNS_TO_CREATE_PER_LOOP": "200",
    "AIRFLOW__CORE__LAZY_LOAD_PLUGINS": "False",
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(DEFINITIONS / "airflow_plugins"),
}


def settings(home: Path, server: Database, port: int, mode: str, dags: Path) -> dict[str, str]:
    database = server.url("postgresql+psycopg2", "airflow")
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "32",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "32",
        "AIRFLOW__CORE__MAX_MAP_LENGTH": "10000",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        **(TUNED if mode == "tuned" else {}),
    }


@dataclass(frozen=True, slots=True)
class Airflow:
    url: str
    token: str
    home: Path
    server: Database

    def call(self, method: str, path: str, body: object = None) -> Any:
        bearer = {"Authorization": f"Bearer {self.token}"}
        return call(method, f"{self.url}/api/v2{path}", body, bearer)

    def trigger(self, dag_id: str, conf: Mapping[str, str]) -> str:
        body = {"logical_date": None, "dag_run_id": f"bench-{uuid4()}", "conf": conf}
        answer: str = self.call("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"]
        return answer

    def ended(self, dag_id: str, run_id: str) -> bool | None:
        try:
            state = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
        except PeerBusy:  # its server answers 500 when W4 takes all of its database connections
            return None
        if state == "failed":
            raise PeerError(f"run {run_id} of {dag_id} failed")
        return True if state == "success" else None

    def perform(self, workload: str, timeout_s: float) -> dict[str, float]:
        if workload == "W8":
            return self.backlog(timeout_s)
        if workload == "W7":
            return {"connections": connections(self.server)}
        mark = self.home / "mark" if workload == "W5" else None
        dag_id = workload.lower()
        return from_trigger_to_end(
            lambda: self.trigger(dag_id, {"mark": str(mark)} if mark else {}),
            lambda run_id: self.ended(dag_id, run_id),
            workload,
            timeout_s,
            mark=mark,
        )

    def backlog(self, timeout_s: float) -> dict[str, float]:
        """There is no request for many runs at once: one each. Drained when no run is active."""
        begun = time.monotonic()
        for _ in range(BACKLOG):
            self.trigger("w8", {})
        active = "/dags/w8/dagRuns?state=queued&state=running&limit=1"

        def drained() -> bool | None:
            return True if self.call("GET", active)["total_entries"] == 0 else None

        until(drained, f"W8 with {BACKLOG} runs", timeout_s)
        wall_s = time.monotonic() - begun
        return {"wall_s": wall_s, "runs_per_s": BACKLOG / wall_s}


def connections(server: Database) -> float:
    with psycopg.connect(server.owner_dsn) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    return float(row[0])


@contextmanager
def session(
    mode: str, dags: Path = DEFINITIONS / "airflow", count: int = DAGS
) -> Iterator[Session]:
    """Start Airflow over a folder with so many DAGs. ``startup``: seconds from the start until it is healthy, and until
    it knows all of them.
    """
    binaries = environment(NAME)
    with (
        TemporaryDirectory(prefix="headway-bench-airflow-") as name,
        private_server(max_connections=300) as server,
    ):
        home, port = Path(name), free_port()
        with psycopg.connect(server.owner_dsn, autocommit=True) as connection:
            connection.execute("CREATE DATABASE airflow")
        env = variables(home, binaries, dags, **settings(home, server, port, mode, dags))
        url, log = f"http://127.0.0.1:{port}", home / "standalone.log"
        begun = time.monotonic()
        command = [str(binaries / "python"), str(binaries / "airflow"), "standalone"]
        with running(command, log, env, cwd=home) as process, keeping(log, NAME):
            health = f"{url}/api/v2/monitor/health"
            until_up(lambda: healthy(call("GET", health)), log, lambda: process.poll() is None)
            start_s = time.monotonic() - begun
            token = call("GET", f"{url}/auth/token")["access_token"]
            airflow = Airflow(url, token, home, server)
            until(lambda: known(airflow, count), "reading the DAG files", KNOWN_TIMEOUT_S)
            known_s = time.monotonic() - begun
            yield Session(airflow.perform, {"start_to_healthy_s": start_s, "known_s": known_s})


def healthy(answer: Mapping[str, Mapping[str, str]]) -> None:
    for part in ("metadatabase", "scheduler", "dag_processor"):
        if answer[part]["status"] != "healthy":
            raise PeerError(f"{part} is {answer[part]['status']}")


def known(airflow: Airflow, count: int) -> bool | None:
    return True if airflow.call("GET", "/dags?limit=1")["total_entries"] == count else None
