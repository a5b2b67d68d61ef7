"""W3 as an Airflow DAG, alone in its file: each task reads its whole file again."""

from typing import Any

import loads
from airflow.sdk import dag, task


@dag(schedule=None)
def w3() -> None:
    @task
    def items() -> list[int]:
        return loads.items()

    @task
    def nothing(item: int) -> int:
        return loads.nothing(item)

    @task
    def total(results: Any) -> int:
        return loads.total(list(results))

    total(nothing.expand(item=items()))


w3()
