"""Callbacks: of tasks that end by themselves, of one that is killed, and of the DAG."""

import os
import signal

import pendulum
from airflow.sdk import DAG, Variable, task


def tell(context):
    ti = context.get("ti")
    colour = Variable.get("colour")
    print(
        "TOLD",
        ti.task_id,
        ti.try_number,
        context["ds"],
        context["params"]["n"],
        colour,
        context["exception"],
    )


def tell_of_run(context):
    print("ENDED", context["dag_run"].run_id, context["ds"], context["reason"])


with DAG(
    "called",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    schedule=None,
    params={"n": 3},
    on_failure_callback=tell_of_run,
    default_args={"on_failure_callback": tell},
):

    @task
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def raises():
        raise ValueError("no")

    killed()
    raises()
