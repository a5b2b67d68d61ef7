"""W8 as an Airflow DAG, alone in its file: each task reads its whole file again."""

import loads
from airflow.sdk import dag, task


@dag(schedule=None, max_active_runs=loads.SLOTS)
def w8() -> None:
    @task
    def nothing() -> int:
        return loads.nothing(0)

    nothing()


w8()
