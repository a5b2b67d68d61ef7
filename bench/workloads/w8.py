"""W8: a backlog of runs of one task each."""

import work
from headway import dag, task


@dag(max_active_runs=work.WIDE)
def w8() -> None:
    @task
    def nothing() -> int:
        return work.nothing(0)

    nothing()
