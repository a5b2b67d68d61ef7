"""Record what Airflow itself makes of its example DAGs: the states of runs and task instances, as data.

Run with the Python of an environment in which Airflow is installed, with AIRFLOW_HOME an empty folder:

    python bench/airflow/record.py bench/airflow/records.json [DAG_ID …]

Each DAG runs once by ``DAG.test``, in a process of its own, for one logical date and at most ``SECONDS_MAX``. Then its
states are read from Airflow's database.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

DATE: Final = datetime(2026, 1, 5, tzinfo=UTC)
SECONDS_MAX: Final = 600
BUNDLE: Final = "example_dags"


def main(out: Path, wanted: list[str]) -> None:
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "True"
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL)
    import airflow

    found = json.loads(out.read_text())["dags"] if out.exists() else {}
    files = registered()
    for dag_id in wanted or files:
        if dag_id not in files:
            sys.exit(f"there is no example DAG {dag_id}")
        child = os.fork()
        if child == 0:
            run(dag_id, files[dag_id])
        wait(child)
        found[dag_id] = outcome(dag_id)
        record = {"airflow": airflow.__version__, "date": DATE.isoformat(), "dags": found}
        out.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def registered() -> dict[str, str]:
    """Register all example DAGs, as tests of them need it. Returns their files by their ids."""
    from airflow import example_dags, settings
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.providers.standard import example_dags as standard

    DagBundlesManager().sync_bundles_to_db()
    files: dict[str, str] = {}
    for package in (example_dags, standard):
        bag: Any = DagBag(Path(package.__path__[0]), safe_mode=True)
        bag.bundle_name = BUNDLE
        sync_bag_to_db(bag, BUNDLE, None)
        files |= {dag_id: dag.fileloc for dag_id, dag in bag.dags.items()}
    engine: Any = settings.engine
    engine.dispose()  # none of its connections is for the processes that follow
    return dict(sorted(files.items()))


def run(dag_id: str, file: str) -> NoReturn:
    """Run the DAG once, with a log beside the database, and end."""
    code = 1
    try:
        os.setsid()
        place = Path(os.environ["AIRFLOW_HOME"], f"{dag_id}.log")
        log = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        from airflow.dag_processing.dagbag import DagBag

        DagBag(file, safe_mode=False).dags[dag_id].test(logical_date=DATE)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def wait(child: int) -> None:
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(SECONDS_MAX)
    os.waitpid(child, 0)
    signal.alarm(0)


def outcome(dag_id: str) -> dict[str, Any]:
    from airflow.models import DagRun, TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        runs = session.query(DagRun).filter(DagRun.dag_id == dag_id)
        last = runs.order_by(DagRun.id.desc()).first()
        if last is None:
            return {"state": "no run", "tasks": {}}
        rows = session.query(TaskInstance).filter(
            TaskInstance.dag_id == dag_id, TaskInstance.run_id == last.run_id
        )
        return {"state": text(last.state), "tasks": {name(each): text(each.state) for each in rows}}


def text(state: Any) -> str:
    return str(getattr(state, "value", state))


def name(instance: Any) -> str:
    index = instance.map_index
    return str(instance.task_id) if index < 0 else f"{instance.task_id}[{index}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
