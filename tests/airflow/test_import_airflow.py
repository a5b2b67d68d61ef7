"""``headway import-airflow``: what a folder of Airflow's is worth here, before anything runs."""

import json
from pathlib import Path

import pytest

from headway.frontends.airflow import idioms
from tests.airflow.conftest import DAGS
from tests.airflow.test_load import REFUSED
from tests.cli.conftest import headway

pytestmark = pytest.mark.long

EARLIER = """from airflow.operators.bash_operator import BashOperator
"""
PROVIDER = """import airflow
from airflow.providers.amazon.aws.operators.s3 import S3ListOperator
"""
STORES = """from airflow.sdk import dag, task

@dag(schedule=None)
def keeps():
    @task
    def one(task_state_store=None):
        task_state_store.set("a", 1)
    one()
keeps()
"""
REMARKED = """from airflow.sdk import DAG, task

with DAG("often", schedule=None, params={"a b": 1}):
    @task(pool="db", queue="gpu")
    def one(): ...
    one()
"""


def test_a_folder_is_judged_dag_by_dag(tmp_path: Path) -> None:
    files = {
        "flow.py": (DAGS / "flow.py").read_text(),
        "refused.py": REFUSED,
        "earlier.py": EARLIER,
        "provider.py": PROVIDER,
        "remarked.py": REMARKED,
        "helper.py": "x = 1\n",
        "sub/draft.py": "import airflow\n1 / 0\n",
        "sub/.airflowignore": "# not ready\n/draft.py\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = headway("import-airflow", ".", "--output", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    found = {(each["dag_id"], each["file"]): each for each in report["findings"]}
    assert {place: each["verdict"] for place, each in found.items()} == {
        ("flow", "flow.py"): "runs",
        ("fine", "refused.py"): "runs",
        ("account", "refused.py"): "does not",
        (None, "earlier.py"): "does not",
        (None, "provider.py"): "does not",
        ("often", "remarked.py"): "runs with a remark",
    }
    account = found["account", "refused.py"]
    assert account["line"] == 8
    assert account["reason"].startswith("admin has a pod_override whose spec.serviceAccountName")
    assert account["hint"]
    assert "ruff check" in found[None, "earlier.py"]["hint"]
    provider = found[None, "provider.py"]
    assert (provider["line"], provider["hint"]) == (
        2,
        "install the provider: pip install apache-airflow-providers-amazon",
    )
    assert (report["pools"], report["queues"]) == (["db"], ["gpu"])
    assert report["others"] == ["helper.py", "sub/draft.py"]
    assert "2 run as they are, 1 with a remark, 3 do not run" in done.stderr
    assert "headway pool set db SLOTS" in done.stderr


MANY = """
from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator

for number in range(30):
    with DAG(f"again_{number}", schedule=None, params={"a b": 1, "b c": 2}):
        EmptyOperator(task_id="one")
"""


def test_a_task_of_another_user_of_the_system_has_a_remark(tmp_path: Path) -> None:
    (tmp_path / "sudo.py").write_text(
        "from airflow.sdk import DAG, task\n"
        "with DAG('as_other', schedule=None, default_args={'run_as_user': 'etl'}):\n"
        "    @task\n"
        "    def one(): ...\n"
        "    one()\n"
    )
    done = headway("import-airflow", ".", "--output", "json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["findings"]
    assert found["verdict"] == "runs with a remark"
    assert "one runs as etl only if sudo is allowed" in found["reason"]
    assert "leave run_as_user out" in found["hint"]


def test_each_of_many_dags_has_its_remark(tmp_path: Path) -> None:
    (tmp_path / "many.py").write_text(MANY)
    done = headway("import-airflow", ".", "--output", "json", cwd=tmp_path)
    found = {each["dag_id"]: each["verdict"] for each in json.loads(done.stdout)["findings"]}
    assert len(found) == 30
    assert set(found.values()) == {"runs with a remark"}


OLD_WORDS = """
from datetime import timedelta
from airflow.sdk import DAG, task
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import PythonOperator

def work(execution_date=None, **context):
    return context["next_ds"], context.get("prev_ds")

def own(execution_date):
    return execution_date

with DAG("words", schedule=None, default_args={"sla": timedelta(hours=1)}):
    PythonOperator(task_id="a", python_callable=work)
    BashOperator(task_id="b", bash_command="echo {{ ds }} {{ tomorrow_ds }} {{ params.yesterday_ds }} prev_ds")
"""
SUBDAG = "from airflow.operators.subdag import SubDagOperator\n"


def test_words_of_an_earlier_airflow_are_told_with_what_stands_for_them(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text(OLD_WORDS)
    (tmp_path / "sub.py").write_text(SUBDAG)
    done = headway("import-airflow", ".", "--output", "json", cwd=tmp_path)
    *remarks, sub = sorted(
        json.loads(done.stdout)["findings"], key=lambda each: each["file"] == "sub.py"
    )
    assert {each["verdict"] for each in remarks} == {"runs with a remark"}
    assert {(each["line"], each["reason"].split(" ")[0], each["hint"]) for each in remarks} == {
        (7, "execution_date", "write logical_date"),
        (8, "next_ds", "write data_interval_end | ds"),
        (8, "prev_ds", "write prev_data_interval_start_success | ds"),
        (13, "sla", idioms.TIME_OUTS),
        (15, "tomorrow_ds", "write macros.ds_add(ds, 1)"),
    }
    assert sub["hint"].startswith("Airflow 3 has no SubDAGs, write a TaskGroup instead")


def test_a_task_that_keeps_state_runs(tmp_path: Path) -> None:
    (tmp_path / "keeps.py").write_text(STORES)
    done = headway("import-airflow", ".", "--output", "json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["findings"]
    assert found["verdict"] == "runs"
