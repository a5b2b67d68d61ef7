"""``headway import-airflow``: what a folder of Airflow's is worth here, before anything runs."""

import json
import zipfile
from pathlib import Path

from tests.airflow.conftest import DAGS
from tests.airflow.test_load import REFUSED
from tests.cli.conftest import headway

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
REMARKED = """from airflow.sdk import DAG, AssetAlias, task

with DAG("often", schedule=[AssetAlias("copies")]):
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
        ("choices", "refused.py"): "does not",
        ("groups", "refused.py"): "does not",
        (None, "earlier.py"): "does not",
        (None, "provider.py"): "does not",
        ("often", "remarked.py"): "runs with a remark",
    }
    choices = found["choices", "refused.py"]
    assert (choices["line"], choices["reason"]) == (6, "again is a mapped branch")
    assert "map over its result" in choices["hint"]
    assert "ruff check" in found[None, "earlier.py"]["hint"]
    provider = found[None, "provider.py"]
    assert (provider["line"], provider["hint"]) == (
        2,
        "install the provider: pip install apache-airflow-providers-amazon",
    )
    assert (report["pools"], report["queues"]) == (["db"], ["gpu"])
    assert report["others"] == ["helper.py", "sub/draft.py"]
    assert "2 run as they are, 1 with a remark, 4 do not run" in done.stderr
    assert "headway pool set db SLOTS" in done.stderr


def test_zipped_dags_are_named_file_by_file(tmp_path: Path) -> None:
    """Those that Airflow would read: at the root, and not named by .airflowignore."""
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        for name in ("one.py", "two.py", "draft.py", "lib/helper.py"):
            archive.writestr(name, "from airflow.sdk import DAG\n")
        archive.writestr("words.py", "x = 1\n")
        archive.writestr(".airflowignore", "draft.py\n")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("rows.csv", "1,2\n")
    (tmp_path / "broken.zip").write_bytes(b"PK")
    done = headway("import-airflow", ".", "--output", "json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["findings"]
    assert (found["file"], found["verdict"]) == ("pack.zip", "does not")
    assert found["reason"] == "the zipped DAG files are not read: one.py, two.py"
    assert found["hint"].endswith("unzip pack.zip -d pack")


def test_a_task_that_keeps_state_is_told_before_it_fails(tmp_path: Path) -> None:
    (tmp_path / "keeps.py").write_text(STORES)
    done = headway("import-airflow", ".", "--output", "json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["findings"]
    assert found["verdict"] == "runs with a remark"
    assert "one uses Airflow's store for the state of tasks" in found["reason"]
