"""What DAGs rely on around them: plugins with macros and listeners, operators of their own, policies, airflow.cfg."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.long

FILES: Final = {
    "home/airflow.cfg": "[core]\n",
    "home/plugins/acme_plugin.py": """
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

def shout(text):
    return text.upper() + "!"

class Listening:
    @hookimpl
    def on_task_instance_running(self, previous_state, task_instance):
        print("LISTENER running", task_instance.task_id)

    @hookimpl
    def on_task_instance_success(self, previous_state, task_instance):
        print("LISTENER success", task_instance.task_id)

class Acme(AirflowPlugin):
    name = "acme"
    macros = [shout]
    listeners = [Listening()]
""",
    "home/plugins/acme_operators.py": """
from airflow.sdk import BaseOperator

class Says(BaseOperator):
    template_fields = ("text",)

    def __init__(self, *, text, **kwargs):
        super().__init__(**kwargs)
        self.text = text

    def execute(self, context):
        print("says", self.text, self.execution_timeout)
""",
    "home/config/airflow_local_settings.py": """
from datetime import timedelta

def task_policy(task):
    task.execution_timeout = timedelta(hours=2)

def dag_policy(dag):
    dag.tags = {*dag.tags, "by-policy"}
""",
    "dags/shared/__init__.py": "",
    "dags/shared/words.py": "WORD = 'rain'\n",
    "dags/around.py": """
from acme_operators import Says
from airflow.sdk import DAG
from shared.words import WORD

with DAG("around", schedule=None, user_defined_macros={"unit": "EUR"}):
    Says(task_id="say", text="{{ macros.acme.shout('hi') }} {{ unit }} " + WORD)
""",
}


PROGRAM: Final = """
from datetime import UTC, datetime
from pathlib import Path
from headway.authoring.execute import Inputs
from headway.authoring.run import Run
from headway.frontends.airflow import loading

root, now = Path.cwd() / "dags", datetime.now(UTC)
print("tags", loading.load(root, "around.py").dags[0].tags)
run = Run(run_id="r", dag_id="around", task_id="say", logical_date=now, data_interval=(now, now), trigger="manual",
    params={})
loading.runnable(root, "around.py")["around"].execute("say", run, Inputs())
"""


def test_plugins_policies_and_shared_packages_are_there(tmp_path: Path) -> None:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "tags ('by-policy',)" in done.stdout
    assert "LISTENER running say" in done.stdout
    assert "says HI! EUR rain 2:00:00" in done.stdout
    assert "LISTENER success say" in done.stdout
