"""Callbacks: who wants to hear of what happened is told by functions of the file, after it is stored."""

from typing import Any

from headway import Run, dag, task


def tell(run: Run, reason: str, key: str) -> None:
    """Tell of a failure. ``key`` is the same if the call is repeated: who receives it can drop the second."""
    print(f"[{key}] {run.task_id} of run {run.run_id} failed: {reason}")


def finished(context: dict[str, Any]) -> None:
    """Take the context, as callbacks of Airflow do."""
    print(f"run {context['run_id']} of {context['dag_id']} for {context['ds']} succeeded")


@dag(on_success_callback=finished, default_args={"on_failure_callback": tell})
def alerts() -> None:
    @task(retries=1, on_retry_callback=lambda context: print("again", context["try_number"]))
    def load() -> int:
        return 7

    @task(on_execute_callback=lambda context: print("reports", context["ds"]))
    def report(rows: int) -> None:
        print(rows)

    report(load())


alerts()
