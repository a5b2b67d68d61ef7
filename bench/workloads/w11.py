"""W11: attempts that end at once, by an agent without processes (``bench.instant``)."""

import loads

from headway import dag, task


@dag(max_active_runs=loads.DEEP)
def w11() -> None:
    @task(queue="instant")
    def nothing(item: int) -> int:
        return loads.nothing(item)

    nothing.expand(item=loads.items(loads.WIDE // loads.DEEP))
