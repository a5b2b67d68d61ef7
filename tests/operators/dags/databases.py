"""SQL on PostgreSQL, and dbt on the same database."""

import os

from airflow.providers.common.sql.operators.generic_transfer import GenericTransfer
from airflow.providers.common.sql.operators.sql import (
    BranchSQLOperator,
    SQLCheckOperator,
    SQLColumnCheckOperator,
    SQLExecuteQueryOperator,
    SQLInsertRowsOperator,
    SQLTableCheckOperator,
    SQLValueCheckOperator,
)
from airflow.providers.common.sql.sensors.sql import SqlSensor
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

DB = "warehouse"
DBT = os.environ["OPERATORS_DBT"]
PROJECT = os.environ["OPERATORS_PLACE"] + "/project"

with DAG("SQLExecuteQueryOperator", schedule=None):
    SQLExecuteQueryOperator(
        task_id="it",
        conn_id=DB,
        sql="SELECT id, name FROM orders WHERE day <= '{{ ds }}' ORDER BY id",
    )

with DAG("SqlSensor", schedule=None):
    SqlSensor(task_id="it", conn_id=DB, sql="SELECT count(*) FROM orders", mode="reschedule")

with DAG("SQLCheckOperator", schedule=None):
    SQLCheckOperator(task_id="it", conn_id=DB, sql="SELECT count(*) = 0 FROM orders")

with DAG("SQLValueCheckOperator", schedule=None):
    SQLValueCheckOperator(task_id="it", conn_id=DB, sql="SELECT sum(id) FROM orders", pass_value=3)

with DAG("SQLColumnCheckOperator", schedule=None):
    SQLColumnCheckOperator(
        task_id="it",
        conn_id=DB,
        table="orders",
        column_mapping={"id": {"null_check": {"equal_to": 0}, "max": {"leq_to": 9}}},
    )

with DAG("SQLTableCheckOperator", schedule=None):
    SQLTableCheckOperator(
        task_id="it",
        conn_id=DB,
        table="orders",
        checks={"rows": {"check_statement": "count(*) > 1"}},
    )

with DAG("BranchSQLOperator", schedule=None):
    BranchSQLOperator(
        task_id="it",
        conn_id=DB,
        sql="SELECT true",
        follow_task_ids_if_true="yes",
        follow_task_ids_if_false="no",
    ) >> [EmptyOperator(task_id="yes"), EmptyOperator(task_id="no")]

with DAG("SQLInsertRowsOperator", schedule=None):
    SQLInsertRowsOperator(
        task_id="it",
        conn_id=DB,
        table_name="copies",
        columns=["id", "name"],
        rows=[[7, "pears"]],
    )

with DAG("GenericTransfer", schedule=None):
    GenericTransfer(
        task_id="it",
        source_conn_id=DB,
        destination_conn_id=DB,
        sql="SELECT id, name FROM orders",
        destination_table="transferred",
    )

with DAG("dbt", schedule=None):
    BashOperator(
        task_id="it",
        bash_command=f"{DBT}/dbt build --project-dir {PROJECT} --profiles-dir {PROJECT}",
        append_env=True,
        env={"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
