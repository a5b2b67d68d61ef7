"""Retry policies, as Airflow 3.3 has them: its own one of rules, and one that a team wrote."""

import time
from datetime import timedelta

from airflow.sdk import DAG, task

try:
    from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
    from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
    from airflow.sdk.exceptions import AirflowTaskTimeout
except ImportError:  # before Airflow 3.3
    ExceptionRetryPolicy = None


if ExceptionRetryPolicy is not None:
    RULES = ExceptionRetryPolicy(
        rules=[
            RetryRule(ConnectionError, RetryAction.RETRY, timedelta(seconds=0), "rate limit"),
            RetryRule("builtins.ValueError", RetryAction.FAIL, reason="no use"),
        ]
    )

    TIMES = ExceptionRetryPolicy(
        rules=[RetryRule(AirflowTaskTimeout, RetryAction.FAIL, reason="it hangs")]
    )

    class Own(RetryPolicy):
        def evaluate(self, exception, try_number, max_tries, context=None):
            if try_number == 2:
                return RetryDecision.fail("enough")
            return RetryDecision.retry(timedelta(seconds=0.2), f"{context['ti'].task_id} again")

    class Broken(RetryPolicy):
        def evaluate(self, exception, try_number, max_tries, context=None):
            raise KeyError("policy")

    class Later(RetryPolicy):
        def evaluate(self, exception, try_number, max_tries, context=None):
            return RetryDecision.retry(timedelta(days=2), "the quota is used up")

    with DAG(
        "policies", schedule=None, default_args={"retries": 3, "retry_delay": timedelta(days=9)}
    ):

        @task(retry_policy=RULES)
        def recovers(ti):
            if ti.try_number < 3:
                raise ConnectionResetError("busy")

        @task(retry_policy=RULES)
        def fails_at_once():
            raise ValueError("wrong")

        @task(retry_policy=RULES)
        def gives_up():
            raise ConnectionError("down")

        @task(retry_policy=Own())
        def decides():
            raise KeyError("x")

        @task(retry_policy=Broken(), retry_delay=timedelta(0), retries=1)
        def falls_back():
            raise KeyError("x")

        @task(retry_policy=TIMES, execution_timeout=timedelta(seconds=0.5))
        def takes_too_long():
            time.sleep(600)

        recovers(), fails_at_once(), gives_up(), decides(), falls_back(), takes_too_long()

    with DAG(
        "policy_waits", schedule=None, default_args={"retries": 3, "retry_delay": timedelta(0)}
    ):

        @task(retry_policy=Later())
        def waits():
            raise ConnectionError("429")

        waits()
