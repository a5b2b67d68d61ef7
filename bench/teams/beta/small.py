"""W17, the other team: small runs, a burst of them at a time."""

import time

from headway import dag, task

NAP_S = 0.5


@dag(max_active_runs=1_000)
def small() -> None:
    @task
    def nap() -> None:
        time.sleep(NAP_S)

    nap()
