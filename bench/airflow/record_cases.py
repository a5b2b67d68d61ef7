"""Record what Airflow makes of the DAGs of ``setup_cases`` and ``fail_fast_cases``: edges, ends, what a clear resets.

Run with the Python of an environment in which Airflow is installed, with AIRFLOW_HOME an empty folder:

    python bench/airflow/record_cases.py bench/airflow/setups.json [CASE …]
    python bench/airflow/record_cases.py bench/airflow/fail_fast.json [CASE …]
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.airflow import fail_fast_cases, record, setup_cases
from bench.airflow.setup_cases import Steps

CASES = {"setups.json": setup_cases.cases, "fail_fast.json": fail_fast_cases.cases}

HOW = {
    "": {"include_upstream": False},
    "downstream": {"include_upstream": False, "include_downstream": True},
    "upstream": {"include_upstream": True},
}


def main(out: Path, wanted: list[str]) -> None:
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = (
        "True"  # the bundle to which the DAGs are said to belong
    )
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL)
    import airflow
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    found = json.loads(out.read_text())["dags"] if out.exists() else {}
    DagBundlesManager().sync_bundles_to_db()
    folder = Path(os.environ["AIRFLOW_HOME"], "cases")
    folder.mkdir(exist_ok=True)
    for name, _ in CASES[out.name]():
        if wanted and name not in wanted:
            continue
        file = folder / f"{name}.py"
        file.write_text(FILE.format(root=Path(__file__).parents[2], name=name, of=out.name))
        bag: Any = DagBag(file, safe_mode=False)
        assert not bag.import_errors, bag.import_errors
        bag.bundle_name = record.BUNDLE
        sync_bag_to_db(bag, record.BUNDLE, None)
        dag = bag.dags[name]
        dag.test(logical_date=record.DATE)
        found[name] = record.outcome(name) | {
            "upstream": {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks},
            "clears": clears(dag),
        }
    lines = (
        f"{json.dumps(name)}: {json.dumps(found[name], sort_keys=True)}" for name in sorted(found)
    )
    whole = ",\n".join(lines)
    out.write_text(f'{{"airflow": "{airflow.__version__}", "dags": {{\n{whole}\n}}}}\n')


def clears(dag: Any) -> dict[str, dict[str, list[str]]]:
    """What a clear of one task takes along, by how it is asked for and the task."""
    return {
        how: {
            task.task_id: sorted(dag.partial_subset(task_ids=[task.task_id], **given).task_ids)
            for task in dag.tasks
        }
        for how, given in HOW.items()
    }


FILE = """import sys
sys.path.insert(0, "{root}")
from bench.airflow.record_cases import define
dag = define({name!r}, {of!r})
"""


def define(name: str, of: str) -> Any:
    """The DAG of a case, as Airflow has it."""
    from airflow.sdk import DAG, setup, task, task_group, teardown
    from airflow.sdk.definitions.decorators.setup_teardown import context_wrapper
    from airflow.sdk.exceptions import AirflowSkipException

    words = SimpleNamespace(
        task=task,
        setup=setup,
        teardown=teardown,
        task_group=task_group,
        context_wrapper=context_wrapper,
        Skip=AirflowSkipException,
    )
    fail_fast = of == "fail_fast.json"
    with DAG(name, start_date=record.DATE, schedule=None, fail_fast=fail_fast) as dag:
        dict(CASES[of]())[name](words, Steps(words))
    return dag


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
