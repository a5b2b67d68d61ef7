"""Runs of other DAGs: started, waited for, and looked at."""

from datetime import UTC, datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
from airflow.sdk import DAG, TaskGroup, chain, task

DAY = datetime(2026, 5, 4, tzinfo=UTC)
QUICK = {"poke_interval": 1, "retries": 0}

with DAG("target", schedule=None):

    @task(retries=0)
    def shows(dag_run=None):
        print("conf:", dag_run.conf)
        if dag_run.conf.get("fails"):
            raise ValueError("as asked")

    with TaskGroup("group"):
        EmptyOperator(task_id="one") >> EmptyOperator(task_id="two")
    shows()


def start(task_id, **options):
    return TriggerDagRunOperator(task_id=task_id, trigger_dag_id="target", **QUICK, **options)


with DAG("starts", schedule=None):
    fire = start(
        "fire", conf={"message": "hello"}, trigger_run_id="from {{ run_id }}", note="by starts"
    )
    again = start("again", trigger_run_id="from {{ run_id }}", skip_when_already_exists=True)
    reset = start(
        "reset", trigger_run_id="from {{ run_id }}", reset_dag_run=True, wait_for_completion=True
    )
    refused = start("refused", trigger_run_id="from {{ run_id }}")
    dated = start("dated", logical_date=DAY.isoformat(), trigger_run_id="{{ run_id }} dated")
    waits = start("waits", wait_for_completion=True, deferrable=True)
    fails = start("fails", conf={"fails": True}, wait_for_completion=True, deferrable=True)
    nobody = TriggerDagRunOperator(task_id="nobody", trigger_dag_id="nosuch", retries=0)
    chain(fire, again), chain(fire, reset), chain(fire, refused)

    @task
    def looks(ti=None, dag_run=None, params=None):
        given = f"from {dag_run.run_id}"
        print("count:", ti.get_dr_count(dag_id="target", run_ids=[given]))
        print("state:", ti.get_dagrun_state("target", given))
        states = ti.get_task_states(dag_id="target", run_ids=[given])
        print("states:", list(states) == [given], sorted(states[given].items()))
        print("group:", ti.get_ti_count(dag_id="target", task_group_id="group", run_ids=[given]))
        print("crumbs:", len(list(ti.get_task_breadcrumbs("target", given))))
        print("dag:", ti.get_dag("target").is_paused)
        print("none:", ti.get_dr_count(dag_id="nosuch", logical_dates=[DAY]))
        print("before:", ti.get_previous_dagrun() is None)

    reset >> looks()


def sense(task_id, dag_id="target", **options):
    return ExternalTaskSensor(
        task_id=task_id, external_dag_id=dag_id, timeout=60, **QUICK, **options
    )


with DAG("senses", schedule=None):
    sense("dag")
    sense("one_task", external_task_id="shows", mode="reschedule")
    sense("whole_group", external_task_group_id="group", deferrable=True)
    sense("deferred", external_task_ids=["shows", "group.two"], deferrable=True)
    sense("never", failed_states=["success"], allowed_states=["failed"])
    sense("skips", skipped_states=["success"], allowed_states=["failed"], deferrable=True)
    ExternalTaskSensor(
        task_id="gives_up", external_dag_id="nosuch", timeout=0.1, retries=0, deferrable=True
    )
    ExternalTaskMarker(task_id="marks", external_dag_id="target", external_task_id="shows")
