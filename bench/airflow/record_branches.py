"""Record what Airflow makes of the DAGs of ``dags/branches.py``: the states of their runs and of all task instances.

Run with the Python of an environment in which Airflow is installed, with AIRFLOW_HOME an empty folder:

    python bench/airflow/record_branches.py bench/airflow/branches.json
    python bench/airflow/record_branches.py bench/airflow/branches.json --fixed

Airflow 3.2 and 3.3 run what a branch in a mapped group did not choose, and what a mapped ``@task.branch`` did not. The
second command records what they would do without these two mistakes, where that is something else.
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.airflow import record, record_drawn

FILE: Final = Path(__file__).parent / "dags" / "branches.py"
# As apache/airflow#70926 has it: an operator in a mapped group keeps its choice at its own index, too.
MISTAKE: Final = "ti.map_index if parent.is_mapped else -1"
FIX: Final = "ti.map_index if parent.is_mapped or parent.get_closest_mapped_task_group() else -1"


def main(out: Path, *, fixed: bool) -> None:
    record_drawn.prepare()
    import airflow
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    if fixed:
        fix()
    bag: Any = DagBag(FILE, safe_mode=False)
    assert not bag.import_errors, bag.import_errors
    bag.bundle_name = record_drawn.BUNDLE
    sync_bag_to_db(bag, record_drawn.BUNDLE, None)
    found = json.loads(out.read_text())["dags"] if out.exists() else {}
    for dag_id in bag.dags:
        bag.dags[dag_id].test(logical_date=record.DATE)
        now = record.outcome(dag_id)
        if not fixed:
            found[dag_id] = now
        elif now != {name: found[dag_id][name] for name in now}:
            found[dag_id]["fixed"] = now
    record_drawn.keep(out, airflow.__version__, found, sorted(found))


def fix() -> None:
    from airflow.sdk.definitions._internal.abstractoperator import AbstractOperator
    from airflow.ti_deps.deps import not_previously_skipped_dep as dep

    source = inspect.getsource(dep)
    assert MISTAKE in source
    fixed: dict[str, Any] = {}
    exec(compile(source.replace(MISTAKE, FIX), dep.__file__, "exec"), fixed)
    looks: Any = fixed["NotPreviouslySkippedDep"]._get_dep_statuses
    dep.NotPreviouslySkippedDep._get_dep_statuses = looks
    AbstractOperator.inherits_from_skipmixin = property(can_skip)


def can_skip(task: Any) -> bool:
    """Return whether it can, also if it was mapped by a decorator."""
    kind = task.operator_class if task.is_mapped else type(task)
    return any(each.__name__ == "SkipMixin" for each in kind.__mro__)


if __name__ == "__main__":
    main(Path(sys.argv[1]), fixed="--fixed" in sys.argv)
