"""The companion of a DAG with callbacks (ADR 52): a DAG with one task, each of whose runs makes one call."""

from typing import Final

from headway.core.callbacks import CALL, FUNCTIONS_MAX, SUFFIX, When
from headway.spec.carried import ID_BYTES_MAX
from headway.spec.errors import BadSpec
from headway.spec.model import Dag, Task

TIMEOUT_S: Final = 60.0
RETRIES: Final = 2
RETRY_DELAY_S: Final = 30.0
AT_ONCE: Final = 4  # calls of one DAG
ID_SHOWN: Final = 40
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
    """Return the DAGs of a file, each with its companion behind it. Raises BadSpec where there can be none."""
    found = []
    for dag in dags:
        check(dag)
        found += [dag, companion(dag)] if dag.tasks and has_callbacks(dag) else [dag]
    return found


def expects_partitions(dag: Dag) -> bool:
    """Return whether partitions of a DAG are due by a time, as far as its schedule can be read."""
    partitions = dag.schedule.get("partitions") if isinstance(dag.schedule, dict) else None
    return isinstance(partitions, dict) and partitions.get("due_s") is not None


def check(dag: Dag) -> None:
    """Check the id of a DAG that its author wrote, and the numbers of its callbacks."""
    shown = dag.dag_id if len(dag.dag_id) <= ID_SHOWN else f"{dag.dag_id[:ID_SHOWN]}…"
    if dag.dag_id.endswith(SUFFIX):
        raise BadSpec(
            f'the dag_id "{shown}" ends with {SUFFIX}, as only DAGs that call the callbacks of another DAG do',
            file=dag.file,
            line=dag.line,
            hint=f'choose another id, for instance "{shown.removesuffix(SUFFIX)}_callbacks"',
        )
    if dag.callbacks.get(When.OVERDUE) and not expects_partitions(dag):
        raise BadSpec(
            "on_overdue_callback is called when a partition is overdue, and no partition of this DAG is due by a time",
            file=dag.file,
            line=dag.line,
            hint="say when partitions are due: PartitionedAssets(…, due=timedelta(hours=2))",
        )
    owners = [(dag.callbacks, dag.line), *((task.callbacks, task.line) for task in dag.tasks)]
    for counts, line in owners:
        for when, count in counts.items():
            if count > FUNCTIONS_MAX:
                raise BadSpec(
                    f"{count:,} functions of on_{when}_callback are more than the limit of {FUNCTIONS_MAX}",
                    file=dag.file,
                    line=line or dag.line,
                    hint="call several functions from one",
                )
    size = len(dag.dag_id.encode("utf-8", "surrogatepass"))
    if has_callbacks(dag) and size + len(SUFFIX) > ID_BYTES_MAX:
        raise BadSpec(
            f'the dag_id "{shown}" is {size} bytes long; with callbacks the limit is {ID_BYTES_MAX - len(SUFFIX)}',
            file=dag.file,
            line=dag.line,
            hint=f"choose a shorter id: the DAG that calls the callbacks is called like it, with {SUFFIX} at the end",
        )
