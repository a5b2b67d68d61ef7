"""W5 as an Airflow DAG, alone in its file: each task reads its whole file again."""

import loads
from airflow.sdk import dag, get_current_context, task


@dag(schedule=None, max_active_runs=loads.SLOTS)
def w5() -> None:
    @task
    def first_line() -> None:
        loads.mark_first_line(get_current_context()["dag_run"].conf.get("mark", ""))

    first_line()


w5()
