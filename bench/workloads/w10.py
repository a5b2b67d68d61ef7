"""W10: 10,000 tasks in a grid, a hundred deep; and one task mapped over 10,000 items."""

import work
from headway import chain, dag, task


@dag
def w10_deep() -> None:
    @task
    def nothing() -> None:
        work.nothing(0)

    for column in range(work.WIDE // work.DEEP):
        names = (f"nothing_{column}_{layer}" for layer in range(work.DEEP))
        chain(*(nothing.override(task_id=name)() for name in names))


@dag
def w10_wide() -> None:
    @task
    def items() -> list[int]:
        return work.items(work.WIDE)

    @task
    def nothing(item: int) -> int:
        return work.nothing(item)

    nothing.expand(item=items())
