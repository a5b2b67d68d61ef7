"""W3: fan out over the result of a task, fan in over the stored results. W9 runs it as well."""

import work
from headway import dag, task


@dag
def w3() -> None:
    @task
    def items() -> list[int]:
        return work.items()

    @task
    def nothing(item: int) -> int:
        return work.nothing(item)

    @task
    def total(results: list[int]) -> int:
        return work.total(results)

    total(nothing.expand(item=items()))
