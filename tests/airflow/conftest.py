"""DAG files as people write them for Airflow, and one server that runs them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from headway import wire
from headway.client import client_of
from headway.config import Layout
from tests.cli.conftest import copy_data, headway, start, stop, wait_for_dag

CONNECTION: Final = wire.ConnectionRequest(
    uri="postgres://me:a-secret-word@db.example:5432/main?timeout=3"
)
DAGS: Final = Path(__file__).parent / "dags"


@dataclass(frozen=True)
class Ran:
    """A run that has ended: states of its instances by ``task_id`` or ``task_id[map_index]``."""

    folder: Path
    run_id: str
    state: str
    states: dict[str, str]
    attempts: dict[str, int]

    def log(self, task: str, *options: str) -> str:
        done = headway("logs", self.run_id, task, *options, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def why(self, task_id: str) -> str:
        shown = headway("show", self.run_id, "--output", "json", cwd=self.folder)
        tasks = json.loads(shown.stdout)["tasks"]
        return next(str(each["reason"]) for each in tasks if each["task_id"] == task_id)


@dataclass(frozen=True)
class Server:
    folder: Path
    pid: int

    def run(self, dag_id: str, *options: str) -> Ran:
        done = headway("run", dag_id, "--output", "json", *options, cwd=self.folder)
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        instances = {named(each): each for each in found["task_instances"]}
        return Ran(
            self.folder,
            found["run_id"],
            found["state"],
            {name: each["state"] for name, each in instances.items()},
            {name: each["attempts"] for name, each in instances.items()},
        )


def named(instance: dict[str, Any]) -> str:
    index = instance["map_index"]
    return instance["task_id"] if index < 0 else f"{instance['task_id']}[{index}]"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("airflow")
    copy_data(data, folder)
    shutil.copytree(DAGS, folder / "dags")
    process = start(folder)
    try:
        with closing(client_of(Layout(folder / ".headway"))) as client:
            client.set_connection("warehouse", CONNECTION)
            client.set_variable("colour", wire.VariableRequest(value="turquoise"))
        for dag_id in (
            "flow",
            "ends",
            "waits",
            "at_once",
            "secrets",
            "own",
            "starts",
            "senses",
            "target",
            "updates",
            "report",
            "grouped",
            "writes_variables",
        ):
            wait_for_dag(folder / ".headway", dag_id)
        yield Server(folder, process.pid)
    finally:
        stop(process)
