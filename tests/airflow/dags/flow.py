"""Mapping, a branch, retries, templates and XComs, as in many a team's folder."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, TaskGroup, get_current_context, task

with DAG(
    "flow",
    schedule="0 5 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    tags=["b", "a"],
    doc_md="# What it does",
    max_active_runs=3,
    params={
        "size": Param(3, type="integer", minimum=1, description="how many"),
        "note": Param("a", type=["string", "null"], maxLength=5),
    },
    default_args={"owner": "etl", "retry_delay": timedelta(seconds=0)},
) as dag:

    @task
    def numbers():
        return list(range(1, get_current_context()["params"]["size"] + 1))

    @task(retries=1, map_index_template="{{ task.op_kwargs['x'] }}, {{ word }}")
    def double(x, ti=None):
        get_current_context()["word"] = f"twice {x}"
        if x == 2 and ti.try_number == 1:
            raise ValueError("not yet")
        return x * 2

    @task(multiple_outputs=True)
    def add(xs):
        print("adding", list(xs))
        return {"total": sum(xs), "day": datetime(2026, 1, 2)}

    @task.branch
    def choose(total):
        return "many.say" if total > 10 else "few"

    with TaskGroup("many"):
        say = BashOperator(
            task_id="say",
            bash_command="echo {{ params.size }} numbers of {{ ds }}: {{ params.note }} "
            "{{ ti.xcom_pull(task_ids='add')['total'] }} {{ ti.xcom_pull(task_ids='add', key='day') }}",
            pool_slots=2,
            priority_weight=5,
            weight_rule="absolute",
        )
    few = EmptyOperator(task_id="few")
    end = EmptyOperator(task_id="end", trigger_rule="none_failed_min_one_success")

    added = add(double.expand(x=numbers()))
    choose(added["total"]) >> [say, few] >> end
