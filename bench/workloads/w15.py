"""W15: tasks that want a pod each."""

from headway import Run, dag, task


@dag(params={"count": 1}, max_active_runs=100, max_active_tasks=100_000)
def w15() -> None:
    @task
    def items(run: Run) -> list[int]:
        return list(range(int(run.params["count"])))

    @task(executor="kubernetes")
    def hold(item: int) -> int:
        return item

    hold.expand(item=items())
