"""A DAG that an enterprise scheduler starts, and of whose end it hears: see start.py and hear.py."""

from headway import Run, dag, task


@dag(params={"day": "2026-01-31"})
def nightly() -> None:
    @task
    def load(run: Run) -> str:
        return f"loaded {run.params['day']}"

    load()


nightly()
