"""The workloads as Dagster jobs, once in the run's process, once with a process per step."""

from collections.abc import Iterator
from typing import Any

import loads
from dagster import (
    Definitions,
    DynamicOut,
    DynamicOutput,
    GraphDefinition,
    In,
    Nothing,
    OpExecutionContext,
    graph,
    in_process_executor,
    multiprocess_executor,
    op,
)


@op(ins={"above": In(Nothing)})
def light() -> int:
    return loads.fib(loads.LIGHT)


@op(ins={"above": In(Nothing)})
def heavy() -> int:
    return loads.fib(loads.HEAVY)


@op(out=DynamicOut(int))
def items() -> Iterator[DynamicOutput[int]]:
    for item in loads.items():
        yield DynamicOutput(item, mapping_key=str(item))


@op
def nothing(item: int) -> int:
    return loads.nothing(item)


@op
def nothing_alone() -> int:
    return loads.nothing(0)


@op
def total(results: list[int]) -> int:
    return loads.total(results)


@op(ins={"above": In(Nothing)})
def nap() -> None:
    loads.nap()


@op(config_schema={"mark": str})
def first_line(context: OpExecutionContext) -> None:
    loads.mark_first_line(context.op_config["mark"])


# Above the graphs: Dagster composes a graph while its decorator runs.
def chained(link: Any, count: int) -> None:
    above: Any = []
    for place in range(count):
        above = link.alias(f"link_{place}")(above)


@graph
def w1() -> None:
    chained(light, loads.CHAIN)


@graph
def w2() -> None:
    chained(heavy, loads.HEAVY_CHAIN)


@graph
def w3() -> None:
    total(items().map(nothing).collect())


@graph
def w4() -> None:
    above: list[Any] = []
    for layer in range(loads.LAYERS):
        above = [
            nap.alias(f"nap_{layer}_{place}")(
                [above[parent] for parent in loads.parents(place)] if above else []
            )
            for place in range(loads.WIDTH)
        ]


@graph
def w5() -> None:
    first_line()


@graph
def w8() -> None:
    nothing_alone()


GRAPHS: tuple[GraphDefinition, ...] = (w1, w2, w3, w4, w5, w8)
EXECUTORS = {
    "inprocess": in_process_executor,
    "multiprocess": multiprocess_executor.configured({"max_concurrent": loads.SLOTS}),
}

defs = Definitions(
    jobs=[
        each.to_job(name=f"{each.name}_{mode}", executor_def=executor)
        for each in GRAPHS
        for mode, executor in EXECUTORS.items()
    ]
)
