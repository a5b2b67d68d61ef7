"""W8 as an Airflow DAG, alone in its file: each task reads its whole file again."""

from airflow.sdk import dag, task

import work


@dag(schedule=None, max_active_runs=work.SLOTS)
def w8() -> None:
    @task
    def nothing() -> int:
        return work.nothing(0)

    nothing()


w8()
