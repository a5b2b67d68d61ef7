"""W2 as an Airflow DAG, alone in its file: each task reads its whole file again."""

import loads
from airflow.sdk import chain, dag, task


@dag(schedule=None)
def w2() -> None:
    @task
    def link() -> int:
        return loads.fib(loads.HEAVY)

    nodes = [link.override(task_id=f"link_{place}")() for place in range(loads.HEAVY_CHAIN)]
    chain(*nodes)


w2()
