"""The workload: chains, mapped tasks, retries. Each execution leaves one line in a common file."""

import os
import time

from headway import Run, dag, task


def note(run: Run) -> None:
    line = f"{run.run_id} {run.task_id} {run.map_index} {run.try_number}\n"
    handle = os.open(str(run.params["witness"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, line.encode())
    os.close(handle)


@dag
def work(witness: str = "", items: int = 8, seconds: float = 0.05, stumbles: bool = True) -> None:
    @task
    def listed(run: Run) -> list[int]:
        note(run)
        return list(range(int(run.params["items"])))

    @task(retries=2, retry_delay=0.2)
    def each(item: int, run: Run) -> int:
        note(run)
        time.sleep(float(run.params["seconds"]))
        if run.params["stumbles"] and item % 5 == 0 and run.try_number == 1:
            raise ValueError("the first time it fails")
        return item

    @task
    def total(found: list[int], run: Run) -> int:
        note(run)
        return sum(found)

    total(each.expand(item=listed()))
