"""Record what Airflow makes of the drawn DAGs (``drawn``): the states of their runs and of all task instances.

Run with the Python of an environment in which Airflow is installed, with AIRFLOW_HOME an empty folder:

    python bench/airflow/record_drawn.py bench/airflow/drawn.json [FIRST LAST]
    python bench/airflow/record_drawn.py bench/airflow/drawn_more.json 200 2000

Without numbers those of the test suite are recorded. A DAG takes about a second on a busy machine; two processes need
two folders. ``make drawn`` compares; with ``DRAWN=FILE`` also what another file holds.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from time import sleep
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.airflow import drawn, record

BUNDLE = "dags-folder"
SECONDS_MAX = 100


def main(out: Path, first: int, last: int) -> None:
    prepare()
    import airflow

    folder = Path(os.environ["AIRFLOW_HOME"], "drawn")
    folder.mkdir(exist_ok=True)
    found = json.loads(out.read_text())["dags"] if out.exists() else {}
    for number in range(first, last):
        found[str(number)] = outcome(folder, number)
        if number % 20 == 19 or number == last - 1:
            keep(out, airflow.__version__, found, sorted(found, key=int))


def prepare() -> None:
    """Make the database, and have DAGs run in this process without a pause."""
    # ``DAG.test`` reads the whole bundle of a DAG anew: that of an empty folder costs nothing.
    empty = Path(os.environ["AIRFLOW_HOME"], "empty")
    empty.mkdir(exist_ok=True)
    os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(empty)
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL)
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    logging.disable(logging.CRITICAL)
    # Nothing happens while it sleeps between two looks: all of it is in one process.
    time.sleep = lambda seconds: sleep(min(float(seconds), 0.001))
    signal.signal(signal.SIGALRM, give_up)
    DagBundlesManager().sync_bundles_to_db()


def outcome(folder: Path, number: int) -> dict[str, Any]:
    """Run the DAG once. Returns the state of its run and those of its instances, or why Airflow refuses it."""
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    name = f"drawn_{number}"
    file = folder / f"{name}.py"
    file.write_text(drawn.text(number, airflow=True))
    bag: Any = DagBag(file, safe_mode=False)
    if bag.import_errors:
        return {"refused": next(iter(bag.import_errors.values())).strip().splitlines()[-1]}
    bag.bundle_name = BUNDLE
    sync_bag_to_db(bag, BUNDLE, None)
    signal.alarm(SECONDS_MAX)
    try:
        bag.dags[name].test(logical_date=record.DATE)
    except Exception as error:
        return {"broken": f"{type(error).__name__}: {error}"}
    finally:
        signal.alarm(0)
    return record.outcome(name)


def give_up(*_: object) -> None:
    raise TimeoutError(f"it did not end in {SECONDS_MAX} s")


def keep(out: Path, version: str, found: dict[str, Any], order: Iterable[str]) -> None:
    """Write one line for each DAG."""
    lines = (
        f"{json.dumps(name)}: {json.dumps(found[name], sort_keys=True, separators=(',', ':'))}"
        for name in order
    )
    whole = ",\n".join(lines)
    out.write_text(f'{{"airflow": "{version}", "dags": {{\n{whole}\n}}}}\n')


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[2:]]
    main(Path(sys.argv[1]), *(numbers or [0, drawn.RECORDED]))
