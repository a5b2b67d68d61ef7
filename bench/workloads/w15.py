"""W15: tasks that want a pod each."""

from loads import mark_first_line

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


@dag(params={"mark": ""}, max_active_runs=16)
def w15_start() -> None:
    @task(executor="kubernetes")
    def first_line(run: Run) -> None:
        mark_first_line(str(run.params["mark"]))

    first_line()
