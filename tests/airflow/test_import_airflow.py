"""``headway import-airflow``: what a folder of Airflow's is worth here, before anything runs."""

import json
from pathlib import Path

from tests.airflow.conftest import DAGS
from tests.airflow.test_load import REFUSED
from tests.cli.conftest import headway

EARLIER = """from airflow.operators.bash_operator import BashOperator
"""
PROVIDER = """import airflow
from airflow.providers.amazon.aws.operators.s3 import S3ListOperator
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
        ("past", "refused.py"): "does not",
        ("groups", "refused.py"): "does not",
        (None, "earlier.py"): "does not",
        (None, "provider.py"): "does not",
        ("often", "remarked.py"): "runs with a remark",
    }
    past = found["past", "refused.py"]
    assert (past["line"], past["reason"]) == (
        6,
        "again waits for the run before (depends_on_past)",
    )
    assert "max_active_runs=1" in past["hint"]
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
