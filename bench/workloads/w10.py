"""W10: 10,000 tasks in a grid, a hundred deep; and one task mapped over 10,000 items."""

import loads

from headway import chain, dag, task


@dag
def w10_deep() -> None:
    @task
    def nothing() -> None:
        loads.nothing(0)

    for column in range(loads.WIDE // loads.DEEP):
        names = (f"nothing_{column}_{layer}" for layer in range(loads.DEEP))
        chain(*(nothing.override(task_id=name)() for name in names))


@dag
def w10_wide() -> None:
    @task
    def items() -> list[int]:
        return loads.items(loads.WIDE)

    @task
    def nothing(item: int) -> int:
        return loads.nothing(item)

    nothing.expand(item=items())
