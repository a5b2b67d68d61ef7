"""Airflow's words, for files that import them from ``headway``: what to use instead. Read only when an import fails."""

from collections.abc import Iterable
from typing import Final

from headway.spec.errors import did_you_mean

INSTEAD: Final = {
    "AirflowFailException": "Fail",
    "AirflowSkipException": "Skip",
    "BaseHook": "connection",
    "BaseOperator": "Operator",
    "BaseSensorOperator": "Sensor",
    "BashOperator": "bash",
    "BranchPythonOperator": "task.branch",
    "Connection": "connection",
    "Context": "Run",
    "Dataset": "Asset",
    "DateTimeSensor": "sleep_until",
    "DummyOperator": "empty",
    "EmailOperator": "email",
    "EmptyOperator": "empty",
    "ExternalPythonOperator": "task.external_python",
    "ExternalTaskSensor": "wait_for_run",
    "HttpOperator": "http",
    "LatestOnlyOperator": "latest_only",
    "PythonOperator": "task",
    "PythonVirtualenvOperator": "task.virtualenv",
    "S3KeySensor": "wait_for_object",
    "SQLExecuteQueryOperator": "sql",
    "ShortCircuitOperator": "task.short_circuit",
    "SimpleHttpOperator": "http",
    "SqlSensor": "wait_for_row",
    "TimeDeltaSensor": "sleep_until",
    "TriggerDagRunOperator": "trigger_dag",
    "Variable": "variable",
}
ADVICE: Final = {
    "AirflowException": "raise any exception; to fail without a retry, raise Fail",
    "ExceptionRetryPolicy": "write a list of rules: retry_policy=[RetryRule(ConnectionError, retries=5)]",
    "FileSensor": "use defer(FileExists(path)) in a task: from headway import FileExists, defer",
    "HttpSensor": "use defer(HttpReady(url)) in a task: from headway import HttpReady, defer",
    "Label": "edges have no labels; name the tasks so that they say it, or write doc_md",
    "PokeReturnValue": "return the result from @task.sensor; something false means that it looks again",
    "RetryAction": "a rule with retries=0 fails the task at once: RetryRule(ValueError, retries=0)",
    "SubDagOperator": "use a TaskGroup, or trigger_dag for a DAG of its own",
    "TriggerRule": 'write the name of the rule: trigger_rule="all_done"',
    "XCom": "pass the result of a task as an argument: load(extract())",
    "days_ago": "write a date: start_date=datetime(2026, 1, 1)",
}


def hint(name: str, known: Iterable[str]) -> str | None:
    """Return what to import instead of ``name``; None: nothing is like it."""
    if (instead := INSTEAD.get(name)) is not None:
        return f"use {instead}: from headway import {instead.partition('.')[0]}"
    return ADVICE.get(name) or did_you_mean(name, known)
