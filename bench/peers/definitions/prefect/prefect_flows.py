"""The workloads as Prefect flows. `python prefect_flows.py` serves them; a driver imports them."""

from typing import Any

import loads
from prefect import flow, serve, task
from prefect.task_runners import ThreadPoolTaskRunner


@task
def light() -> int:
    return loads.fib(loads.LIGHT)


@task
def heavy() -> int:
    return loads.fib(loads.HEAVY)


@task
def items() -> list[int]:
    return loads.items()


@task
def nothing(item: int) -> int:
    return loads.nothing(item)


@task
def total(results: list[int]) -> int:
    return loads.total(results)


@task
def nap() -> None:
    loads.nap()


@task
def first_line(mark: str) -> None:
    loads.mark_first_line(mark)


@flow
def w1() -> None:
    chained(light, loads.CHAIN)


@flow
def w2() -> None:
    chained(heavy, loads.HEAVY_CHAIN)


@flow(task_runner=ThreadPoolTaskRunner(max_workers=loads.SLOTS))
def w3() -> int:
    results = nothing.map(items())
    return total(results.result())


@flow(task_runner=ThreadPoolTaskRunner(max_workers=loads.SLOTS))
def w4() -> None:
    above: list[Any] = []
    for _ in range(loads.LAYERS):
        above = [
            nap.submit(
                wait_for=[above[parent] for parent in loads.parents(place)] if above else None
            )
            for place in range(loads.WIDTH)
        ]
    for future in above:
        future.result()


@flow
def w5(mark: str = "") -> None:
    first_line(mark)


@flow
def w8() -> None:
    nothing(0)


def chained(link: Any, count: int) -> None:
    """A plain call waits for its task: one after the other."""
    for _ in range(count):
        link()


FLOWS = {"W1": w1, "W2": w2, "W3": w3, "W4": w4, "W5": w5, "W8": w8}

if __name__ == "__main__":
    serve(*(flow.to_deployment(name="bench") for flow in FLOWS.values()), limit=loads.SLOTS)
