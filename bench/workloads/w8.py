"""W8: a backlog of runs of one task each."""

import loads

from headway import dag, task


@dag(max_active_runs=loads.WIDE)
def w8() -> None:
    @task
    def nothing() -> int:
        return loads.nothing(0)

    nothing()
