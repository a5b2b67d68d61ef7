"""W4 as an Airflow DAG, alone in its file: each task reads its whole file again."""

from typing import Any

from airflow.sdk import dag, task

import work


@dag(schedule=None, max_active_tasks=work.SLOTS)
def w4() -> None:
    @task
    def nap() -> None:
        work.nap()

    above: list[Any] = []
    for layer in range(work.LAYERS):
        row = [nap.override(task_id=f"nap_{layer}_{place}")() for place in range(work.WIDTH)]
        for place, node in enumerate(row):
            if above:
                [above[parent] for parent in work.parents(place)] >> node
        above = row


w4()
