"""W5 as an Airflow DAG, alone in its file: each task reads its whole file again."""

from airflow.sdk import dag, get_current_context, task

import work


@dag(schedule=None, max_active_runs=work.SLOTS)
def w5() -> None:
    @task
    def first_line() -> None:
        work.mark_first_line(get_current_context()["dag_run"].conf.get("mark", ""))

    first_line()


w5()
