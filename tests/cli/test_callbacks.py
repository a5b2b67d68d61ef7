"""Callbacks through a real server and its agent: called in a process of the team, also for what was killed."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import copy_data, headway, start, stop, wait_for_dag, wait_until

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).parents[2] / "examples"
DAGS = """
import os
import time
from pathlib import Path

from headway import Run, dag, task


def tell(run: Run, when: str, reason: str, key: str) -> None:
    print("telling", key)
    with Path(run.params.folder, "told").open("a") as file:
        print(when, run.task_id, run.run_id, reason, file=file)


def broken(context):
    raise ValueError("nobody hears me")


@dag(on_failure_callback=tell)
def killed(folder: str = "/nowhere"):
    @task(on_failure_callback=[broken, tell])
    def waits(folder: str):
        Path(folder, "pid").write_text(str(os.getpid()))
        time.sleep(600)

    waits(folder)
"""


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Iterator[Path]:
    copy_data(data, tmp_path)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "killed.py").write_text(DAGS)
    shutil.copy(EXAMPLES / "callbacks" / "alerts.py", tmp_path / "dags")
    process = start(tmp_path)
    try:
        for dag_id in ("killed.callbacks", "alerts.callbacks"):
            wait_for_dag(tmp_path / ".headway", dag_id)
        yield tmp_path
    finally:
        stop(process)


def runs_of(folder: Path, dag_id: str) -> list[dict[str, Any]]:
    done = headway("ls", "runs", "--dag", dag_id, "--output", "json", cwd=folder)
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found


def ended(folder: Path, dag_id: str) -> int:
    return sum(each["state"] == "success" for each in runs_of(folder, dag_id))


def test_what_is_killed_calls_its_callbacks_and_a_broken_one_is_seen(folder: Path) -> None:
    run = headway("run", "killed", "-p", f"folder={folder}", "--detach", cwd=folder)
    assert run.returncode == 0, run.stderr
    pid, told = folder / "pid", folder / "told"
    wait_until(lambda: pid.is_file() and bool(pid.read_text()), "the task did not begin")
    os.kill(int(pid.read_text()), signal.SIGKILL)
    wait_until(
        lambda: told.is_file() and len(told.read_text().splitlines()) == 2, "nobody was told"
    )
    (of_task,) = [line for line in told.read_text().splitlines() if " waits " in line]
    assert of_task.startswith("failure waits ")
    assert "ended by SIGKILL" in of_task
    wait_until(lambda: ended(folder, "killed.callbacks") == 2, "the calls did not end")
    # The broken one is called again, and shows its error meanwhile.
    (broken,) = [each for each in runs_of(folder, "killed.callbacks") if each["state"] == "running"]
    wait_until(
        lambda: (
            "ValueError: nobody hears me"
            in headway("show", broken["run_id"], "--output", "json", cwd=folder).stdout
        ),
        "the broken callback was not seen",
    )
    assert broken["note"].startswith("on_failure_callback of waits of run ")
    # The run that it is about tells of it, and not of those that are done.
    (about,) = runs_of(folder, "killed")
    why = headway("why", about["run_id"], cwd=folder).stdout
    call = f"on_failure_callback of waits is running; for more: headway why {broken['run_id'][:6]}"
    assert why.count("_callback") == 1, why
    assert call in why

    assert headway("run", "alerts", "--date", "2026-01-31", cwd=folder).returncode == 0
    wait_until(lambda: ended(folder, "alerts.callbacks") == 1, "the end was not told")
    (told_of,) = runs_of(folder, "alerts.callbacks")
    log = headway("logs", told_of["run_id"], "call", cwd=folder).stdout
    assert "of alerts for 2026-01-31 succeeded" in log
