"""The process in which Airflow's task runner runs: what it has when it begins."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

DAG = """
from airflow.sdk import dag, task

@dag(schedule=None)
def letters():
    @task
    def count(word: str = "rain") -> int:
        return len(word)

    count()

letters()
"""

# Runs the task, and tells which modules its process imported, and what it derived or configured.
PROGRAM = """
import json, logging.config, sys
from datetime import UTC, datetime
from pathlib import Path
from headway.authoring.execute import Inputs
from headway.authoring.run import Run
from headway.frontends.airflow import loading, runner

run_task = runner.run
made = []

def noting(owner, name):
    function = getattr(owner, name)
    def noted(*args, **named):
        made.append(name)
        return function(*args, **named)
    setattr(owner, name, noted)

def told(*given):
    from pydantic import TypeAdapter
    noting(TypeAdapter, "_init_core_attrs")
    noting(logging.config, "dictConfig")
    before = set(sys.modules)
    code = run_task(*given)
    Path("imported.json").write_text(json.dumps(sorted(set(sys.modules) - before)))
    Path("made.json").write_text(json.dumps(made))
    return code

runner.run = told
now = datetime.now(UTC)
run = Run(run_id="r", dag_id="letters", task_id="count", logical_date=now, data_interval=(now, now), trigger="manual",
    params={})
workflow = loading.runnable(Path.cwd(), "letters.py")["letters"]
assert workflow.execute("count", run, Inputs()).xcoms == {"return_value": 4}
"""


def test_a_task_makes_nothing_that_its_fork_server_could_have(tmp_path: Path) -> None:
    """All that Airflow imports, derives and configures when a task begins is there before the fork."""
    (tmp_path / "letters.py").write_text(DAG)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "made.json").read_text()) == []
    imported = json.loads((tmp_path / "imported.json").read_text())
    assert [each for each in imported if not each.startswith("unusual_prefix_")] == []


EXECUTORS = """
from airflow.sdk import DAG, task

NAMES = ["", "LocalExecutor", "KubernetesExecutor", "spark", "acme.executors.Ours",
    "airflow.providers.cncf.kubernetes.executors.kubernetes_executor.KubernetesExecutor"]

with DAG("named", schedule=None):
    for number, name in enumerate(NAMES):
        @task(task_id=f"t{number}", executor=name or None)
        def said(text):
            return text
        said(name)
"""
RUN_ALL = """
from datetime import UTC, datetime
from pathlib import Path
from headway.authoring.execute import Inputs
from headway.authoring.run import Run
from headway.frontends.airflow import loading

now = datetime.now(UTC)
workflow = loading.runnable(Path.cwd(), "named.py")["named"]
for task_id, task in workflow.dag.task_dict.items():
    run = Run(run_id="r", dag_id="named", task_id=task_id, logical_date=now, data_interval=(now, now), trigger="manual",
        params={})
    assert workflow.execute(task_id, run, Inputs()).xcoms == {"return_value": task.executor or ""}
    print("ran", task_id)
"""


def test_a_task_runs_whatever_executor_it_names(tmp_path: Path) -> None:
    """Airflow's runner finds no task that names an executor which is not in its configuration."""
    (tmp_path / "named.py").write_text(EXECUTORS)
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ran t") == 6
