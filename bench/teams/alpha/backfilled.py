"""W17, the loud team: a backfill of 10,000 short runs."""

import time
from datetime import UTC, datetime

from headway import dag, task

NAP_S = 0.5


@dag(schedule="0 0 * * *", start_date=datetime(2100, 1, 1, tzinfo=UTC))
def backfilled() -> None:
    @task
    def nap() -> None:
        time.sleep(NAP_S)

    nap()
