"""Waiting without a slot: for a moment, for a file, for a condition of one's own."""

from datetime import timedelta
from pathlib import Path

from headway import FileExists, Run, dag, defer, sleep_until, task


@dag(params={"inbox": "inbox"})
def deliveries() -> None:
    night = sleep_until("night", at="{{ ds }}T23:00:00+00:00")

    @task
    def arrive(run: Run) -> str:
        path = Path(run.params.inbox, f"{run.ds}.csv")
        if run.found is None:
            defer(FileExists(str(path)), timeout=timedelta(hours=6))
        return str(path)

    @task.sensor(poke_interval=60, timeout=3600, soft_fail=True)
    def complete(path: str) -> bool:
        return Path(path).read_text(encoding="utf-8").endswith("END\n")

    @task
    def load(path: str) -> int:
        return len(Path(path).read_text(encoding="utf-8").splitlines()) - 1

    path = arrive()
    night >> path
    complete(path) >> load(path)
