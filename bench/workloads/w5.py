"""W5: how long from the request until the first line of a task, and until the run has ended."""

from loads import mark_first_line

from headway import Run, dag, task


@dag(params={"mark": ""}, max_active_runs=16)
def w5() -> None:
    @task
    def first_line(run: Run) -> None:
        mark_first_line(str(run.params["mark"]))

    first_line()
