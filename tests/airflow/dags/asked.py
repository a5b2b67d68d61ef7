"""Airflow's operators that ask people."""

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import (
    ApprovalOperator,
    HITLBranchOperator,
    HITLEntryOperator,
    HITLOperator,
)
from airflow.sdk import DAG, Param, task

with DAG("asked", schedule=None):
    sign = ApprovalOperator(task_id="sign", subject="Release {{ run_id }}?", body="It is *new*.")
    sign >> EmptyOperator(task_id="publish")

    branch = HITLBranchOperator(
        task_id="branch",
        subject="Where?",
        options=["here", "there"],
        options_mapping={"here": "go_here", "there": "go_there"},
    )
    branch >> [EmptyOperator(task_id="go_here"), EmptyOperator(task_id="go_there")]

    entry = HITLEntryOperator(
        task_id="entry",
        subject="How many?",
        params={"count": Param(3, type="integer", minimum=1)},
        assigned_users={"id": "admin", "name": "admin"},
    )

    @task
    def read(answer):
        print("counts", answer["params_input"]["count"], answer["responded_by_user"]["id"])

    read(entry.output)

    default = HITLOperator(
        task_id="default",
        subject="Which?",
        options=["a", "b"],
        defaults="b",
        response_timeout=timedelta(seconds=1),
    )

    @task
    def told(answer):
        print("chosen", answer["chosen_options"], answer["responded_by_user"])

    told(default.output)
    HITLOperator(
        task_id="late", subject="Which?", options=["a"], response_timeout=timedelta(seconds=1)
    )
