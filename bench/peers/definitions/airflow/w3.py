"""W3 as an Airflow DAG, alone in its file: each task reads its whole file again."""

from typing import Any

from airflow.sdk import dag, task

import work


@dag(schedule=None)
def w3() -> None:
    @task
    def items() -> list[int]:
        return work.items()

    @task
    def nothing(item: int) -> int:
        return work.nothing(item)

    @task
    def total(results: Any) -> int:
        return work.total(list(results))

    total(nothing.expand(item=items()))


w3()
