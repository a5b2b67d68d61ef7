"""Branches, conditions and the latest run only: what a run does not need is skipped, and says why."""

from headway import Run, dag, latest_only, task


@dag(schedule="0 3 * * *", catchup=True, params={"full": False})
def nightly() -> None:
    @task
    def count(run: Run) -> int:
        return 1_000 if run.params.full else 10

    @task.branch
    def how(rows: int) -> str:
        return "in_bulk" if rows > 100 else "row_by_row"

    @task
    def in_bulk() -> str:
        return "copied"

    @task
    def row_by_row() -> str:
        return "inserted"

    @task(trigger_rule="none_failed_min_one_success")
    def loaded() -> str:
        return "loaded"

    @task.run_if(lambda run: run.params["full"], skip_message="only after a full load")
    @task
    def vacuum() -> str:
        return "vacuumed"

    @task
    def tell_the_team(run: Run) -> str:
        return f"the data of {run.ds} is there"

    done = loaded()
    how(count()) >> [in_bulk(), row_by_row()] >> done >> vacuum()
    done >> latest_only(task_id="today_only") >> tell_the_team()  # nobody reads of last week's
