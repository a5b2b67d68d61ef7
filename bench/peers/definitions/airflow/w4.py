"""W4 as an Airflow DAG, alone in its file: each task reads its whole file again."""

from typing import Any

import loads
from airflow.sdk import dag, task


@dag(schedule=None, max_active_tasks=loads.SLOTS)
def w4() -> None:
    @task
    def nap() -> None:
        loads.nap()

    above: list[Any] = []
    for layer in range(loads.LAYERS):
        row = [nap.override(task_id=f"nap_{layer}_{place}")() for place in range(loads.WIDTH)]
        for place, node in enumerate(row):
            if above:
                [above[parent] for parent in loads.parents(place)] >> node
        above = row


w4()
