"""Record whether Airflow lets a task run, after what has become of earlier runs (``past_cases``).

Run with the Python of an environment in which Airflow is installed, with AIRFLOW_HOME an empty folder:

    python bench/airflow/record_past.py bench/airflow/past.json
"""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.airflow import record
from bench.airflow.past_cases import Case, cases


def main(out: Path) -> None:
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "True"
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL)
    import airflow
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    file = Path(os.environ["AIRFLOW_HOME"], "past.py")
    file.write_text(FILE.format(root=Path(__file__).parents[2]))
    bag: Any = DagBag(file, safe_mode=False)
    assert not bag.import_errors, bag.import_errors
    bag.bundle_name = record.BUNDLE
    sync_bag_to_db(bag, record.BUNDLE, None)
    found = [may_run(bag.dags[f"case_{number}"], case) for number, case in enumerate(cases())]
    record_of = {"airflow": airflow.__version__, "may_run": found}
    out.write_text(json.dumps(record_of) + "\n")


FILE = """import sys
sys.path.insert(0, "{root}")
from bench.airflow.record_past import dags
globals().update(dags())
"""


def dags() -> dict[str, Any]:
    from airflow.sdk import DAG, task

    made = {}
    for number, case in enumerate(cases()):
        start = record.DATE - timedelta(days=100)
        name = f"case_{number}"
        with DAG(name, start_date=start, schedule="@daily", catchup=case.catchup) as dag:

            @task(  # type: ignore[untyped-decorator]
                depends_on_past=True,
                wait_for_downstream=case.wait_for_downstream,
                ignore_first_depends_on_past=case.ignore_first,
            )
            def a() -> None: ...

            @task
            def b() -> None: ...

            @task
            def c() -> None: ...

            a() >> b() >> c()
        made[name] = dag
    return made


def may_run(dag: Any, case: Case) -> bool:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.models.taskinstance import TaskInstance
    from airflow.ti_deps.dep_context import DepContext
    from airflow.ti_deps.deps.prev_dagrun_dep import PrevDagrunDep
    from airflow.utils.session import create_session

    with create_session() as session:
        known: Any = SerializedDagModel.get(dag.dag_id, session=session)
        serialized = known.dag
        for before in case.before:
            run = made_run(serialized, before.kind, before.days, session)
            for each in run.get_task_instances(session=session):
                if each.task_id not in before.states:
                    session.delete(each)
                else:
                    state = before.states[each.task_id]
                    each.state = None if state == "none" else state
        asking = made_run(serialized, case.kind, 0, session)
        session.flush()
        (one,) = session.query(TaskInstance).filter_by(
            dag_id=dag.dag_id, run_id=asking.run_id, task_id="a"
        )
        one.task = serialized.get_task("a")
        statuses = PrevDagrunDep().get_dep_statuses(one, DepContext(), session=session)
        return all(status.passed for status in statuses)


def made_run(serialized: Any, kind: str, days: int, session: Any) -> Any:
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    date = record.DATE - timedelta(days=days)
    return serialized.create_dagrun(
        run_id=f"{kind}_{days}",
        logical_date=date,
        data_interval=(date, date),
        run_after=date,
        run_type=DagRunType(kind),
        triggered_by=DagRunTriggeredByType.TEST,
        state=DagRunState.RUNNING,
        session=session,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
