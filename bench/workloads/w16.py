"""W16: a task of an agent elsewhere."""

from loads import mark_first_line

from headway import Run, dag, task


@dag(params={"mark": ""}, max_active_runs=16)
def w16() -> None:
    @task(queue="far")
    def first_line(run: Run) -> None:
        mark_first_line(str(run.params["mark"]))

    first_line()
