"""Runs that must not overlap: a copy that only has to be recent, and books that are closed day by day."""

from datetime import UTC, datetime

from headway import Fail, Run, dag, task


@dag(schedule="*/5 * * * *", start_date=datetime(2026, 1, 1, tzinfo=UTC), run_strategy="last_only")
def refresh() -> None:
    """Of the copies that wait behind a slow one only the newest is made."""

    @task
    def copy(run: Run) -> str:
        return f"copied at {run.ts}"

    copy()


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=True,
    run_strategy="strict_sequential",
)
def close_books(opening: int = 100) -> None:
    """Each day builds on the day before: a day that fails holds the next ones until it is repaired."""

    @task
    def close(opening: int) -> int:
        if opening < 0:
            raise Fail("the opening balance is negative")
        return opening + 1

    close(opening)
