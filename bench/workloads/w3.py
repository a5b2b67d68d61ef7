"""W3: fan out over the result of a task, fan in over the stored results. W9 runs it as well."""

import loads

from headway import dag, task


@dag
def w3() -> None:
    @task
    def items() -> list[int]:
        return loads.items()

    @task
    def nothing(item: int) -> int:
        return loads.nothing(item)

    @task
    def total(results: list[int]) -> int:
        return loads.total(results)

    total(nothing.expand(item=items()))
