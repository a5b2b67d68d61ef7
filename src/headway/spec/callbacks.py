"""The companion of a DAG with callbacks (ADR 52): a DAG with one task, each of whose runs makes one call."""

from typing import Final

from headway.core.callbacks import CALL, SUFFIX
from headway.spec.model import Dag, Task

TIMEOUT_S: Final = 60.0
RETRIES: Final = 2
RETRY_DELAY_S: Final = 30.0
AT_ONCE: Final = 4  # calls of one DAG
WEIGHT: Final = 1000  # calls go before other tasks that wait for a slot


def has_callbacks(dag: Dag) -> bool:
    return bool(dag.callbacks) or any(task.callbacks for task in dag.tasks)


def companion(dag: Dag) -> Dag:
    """Return the companion. Its calls run where the first task with callbacks runs."""
    first = next((task for task in dag.tasks if task.callbacks), dag.tasks[0])
    call = Task(
        task_id=CALL,
        retries=RETRIES,
        retry_delay_s=RETRY_DELAY_S,
        execution_timeout_s=TIMEOUT_S,
        priority_weight=WEIGHT,
        queue=first.queue,
        executor=first.executor,
        image=first.image,
        do_xcom_push=False,
        arguments={},
        line=dag.line,
    )
    return Dag(
        dag_id=f"{dag.dag_id}{SUFFIX}",
        file=dag.file,
        tasks=(call,),
        max_active_runs=AT_ONCE,
        open_params=True,
        tags=("callbacks",),
        owner=dag.owner,
        description=f"Calls the callbacks of {dag.dag_id}",
        line=dag.line,
    )


def with_companions(dags: list[Dag]) -> list[Dag]:
    """Return the DAGs of a file, each with its companion behind it."""
    found = []
    for dag in dags:
        found += [dag, companion(dag)] if dag.tasks and has_callbacks(dag) else [dag]
    return found
