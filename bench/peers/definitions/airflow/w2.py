"""W2 as an Airflow DAG, alone in its file: each task reads its whole file again."""

from airflow.sdk import chain, dag, task

import work


@dag(schedule=None)
def w2() -> None:
    @task
    def link() -> int:
        return work.fib(work.HEAVY)

    nodes = [link.override(task_id=f"link_{place}")() for place in range(work.HEAVY_CHAIN)]
    chain(*nodes)


w2()
