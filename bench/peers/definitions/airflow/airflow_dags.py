"""The workloads as Airflow DAGs."""

from typing import Any

import work
from airflow.sdk import dag, get_current_context, task


@dag(schedule=None)
def w1() -> None:
    @task
    def link() -> int:
        return work.fib(work.LIGHT)

    chained(link, work.CHAIN)


@dag(schedule=None)
def w2() -> None:
    @task
    def link() -> int:
        return work.fib(work.HEAVY)

    chained(link, work.HEAVY_CHAIN)


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


@dag(schedule=None, max_active_runs=work.SLOTS)
def w5() -> None:
    @task
    def first_line() -> None:
        work.mark_first_line(get_current_context()["dag_run"].conf.get("mark", ""))

    first_line()


@dag(schedule=None, max_active_runs=work.SLOTS)
def w8() -> None:
    @task
    def nothing() -> int:
        return work.nothing(0)

    nothing()


def chained(link: Any, count: int) -> None:
    above = None
    for place in range(count):
        node = link.override(task_id=f"link_{place}")()
        if above is not None:
            above >> node
        above = node


for workload in (w1, w2, w3, w4, w5, w8):
    workload()
