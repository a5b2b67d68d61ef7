"""W1 as an Airflow DAG, alone in its file: each task reads its whole file again."""

from airflow.sdk import chain, dag, task

import work


@dag(schedule=None)
def w1() -> None:
    @task
    def link() -> int:
        return work.fib(work.LIGHT)

    nodes = [link.override(task_id=f"link_{place}")() for place in range(work.CHAIN)]
    chain(*nodes)


w1()
