"""Every way in which a task ends."""

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG, BaseOperator, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

with DAG("ends", schedule=None):

    @task
    def skips():
        raise AirflowSkipException("nothing to do")

    @task(retries=3)
    def fails_for_good():
        raise AirflowFailException("no use")

    @task
    def raises():
        {}["x"]

    @task
    def exits():
        raise SystemExit(3)

    stop = ShortCircuitOperator(task_id="stop", python_callable=lambda: False)
    after = BashOperator(task_id="after", bash_command="echo never")
    later = BashOperator(task_id="later", bash_command="echo never", trigger_rule="all_done")
    stop >> after >> later
    BashOperator(task_id="killed", bash_command="kill -9 $PPID")

    class Odd(BaseOperator):
        def execute(self, context):
            from airflow.sdk.execution_time import task_runner
            from airflow.sdk.execution_time.comms import GetHITLDetailResponse

            task_runner.SUPERVISOR_COMMS.send(GetHITLDetailResponse(ti_id=context["ti"].id))

    BashOperator(task_id="leaves_a_program", bash_command="sleep 600 >/dev/null 2>&1 &")

    @task
    def leaves_a_fork():
        import os
        import time

        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)

    leaves_a_fork()
    Odd(task_id="asks", retries=2)
    skips(), fails_for_good(), raises(), exits()
