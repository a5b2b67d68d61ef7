"""Of the package ``standard``, which each Airflow has."""

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.latest_only import LatestOnlyOperator
from airflow.providers.standard.operators.python import (
    BranchPythonOperator,
    ExternalPythonOperator,
    PythonOperator,
    PythonVirtualenvOperator,
    ShortCircuitOperator,
)
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.bash import BashSensor
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.providers.standard.sensors.python import PythonSensor
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import DAG

PLACE = os.environ["OPERATORS_PLACE"]  # a folder of the test
WHEN = datetime(2026, 1, 5, tzinfo=UTC)


def told(**context):
    return f"{context['ds']} {context['params']}"


def other(word):
    import sys

    return f"{word} {sys.prefix}"


def with_requirement():
    import colorama

    return colorama.__version__


with DAG("BashOperator", schedule=None):
    BashOperator(task_id="it", bash_command="echo {{ ds }} $WORD", env={"WORD": "hello"})

with DAG("PythonOperator", schedule=None, params={"size": 3}):
    PythonOperator(task_id="it", python_callable=told)

with DAG("BranchPythonOperator", schedule=None):
    BranchPythonOperator(task_id="it", python_callable=lambda: "left") >> [
        EmptyOperator(task_id="left"),
        EmptyOperator(task_id="right"),
    ]

with DAG("ShortCircuitOperator", schedule=None):
    ShortCircuitOperator(task_id="it", python_callable=lambda: False) >> EmptyOperator(
        task_id="after"
    )

with DAG("EmptyOperator", schedule=None):
    EmptyOperator(task_id="it")

with DAG("LatestOnlyOperator", schedule=None):
    LatestOnlyOperator(task_id="it") >> EmptyOperator(task_id="after")

with DAG("PythonVirtualenvOperator", schedule=None):
    PythonVirtualenvOperator(
        task_id="it",
        python_callable=with_requirement,
        requirements=["colorama==0.4.6"],
        system_site_packages=False,
    )

with DAG("ExternalPythonOperator", schedule=None):
    ExternalPythonOperator(
        task_id="it",
        python=os.environ["OPERATORS_DBT"] + "/python",
        python_callable=other,
        op_args=["from"],
        expect_airflow=False,
    )

with DAG("TriggerDagRunOperator", schedule=None):
    TriggerDagRunOperator(
        task_id="it",
        trigger_dag_id="PythonOperator",
        conf={"size": 7},
        wait_for_completion=True,
        poke_interval=1,
    )

with DAG("awaited", schedule=None):
    EmptyOperator(task_id="it")

with DAG("ExternalTaskSensor", schedule=None):
    ExternalTaskSensor(
        task_id="it",
        external_dag_id="awaited",
        external_task_id="it",
        execution_date_fn=lambda _: WHEN,
        mode="reschedule",
        poke_interval=1,
    )

with DAG("FileSensor", schedule=None):
    FileSensor(task_id="it", filepath=f"{PLACE}/there", deferrable=True, poke_interval=1)

with DAG("BashSensor", schedule=None):
    BashSensor(task_id="it", bash_command=f"test -e {PLACE}/there", poke_interval=1)

with DAG("PythonSensor", schedule=None):
    PythonSensor(task_id="it", python_callable=lambda: True, mode="reschedule")

with DAG("TimeDeltaSensor", schedule=None):
    TimeDeltaSensor(task_id="it", delta=timedelta(seconds=1), mode="reschedule", poke_interval=1)

with DAG("DateTimeSensorAsync", schedule=None):
    DateTimeSensorAsync(task_id="it", target_time="{{ macros.datetime(2026, 1, 1) }}")
