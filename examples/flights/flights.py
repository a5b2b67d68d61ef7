"""The flights that left New York on a day: cleaned, joined with the weather, stored, reported.

The tasks only say what depends on what; the work is in ``work.py``, the pages in ``pages.py``.
They are imported at the top, so that DuckDB is warm in every task; it starts no thread before
it connects, so a fork is safe.
"""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pages
import work
from headway import Run, dag, task


def root(run: Run) -> Path:
    return Path(run.params["out"]).resolve()


def day(run: Run) -> date:
    """The day that the run is called after. (All of 2013 has been: a run need not wait for its day to end.)"""
    return run.logical_date.date()


def desk(run: Run) -> Path:
    """Where the tasks of one day put what only they need."""
    return root(run) / "work" / day(run).isoformat()


@dag(
    schedule="@daily",
    start_date=datetime(2013, 1, 1, tzinfo=UTC),
    end_date=datetime(2013, 12, 31, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,
    tags=["example", "flights"],
    # Absolute: each task works in a folder of its own, so a relative path would mean another one each time.
    params={"out": os.environ.get("FLIGHTS_OUT", str(Path.home() / "headway-flights"))},
)
def flights() -> None:
    @task(retries=2, retry_delay=timedelta(seconds=5), execution_timeout=timedelta(minutes=5))
    def extract(run: Run) -> str:
        target = desk(run) / "raw.csv"
        work.extract_flights(day(run), target)
        return str(target)

    @task(retries=2, retry_delay=timedelta(seconds=5))
    def weather(run: Run) -> str:
        target = desk(run) / "weather.csv"
        work.extract_weather(day(run), target)
        return str(target)

    @task
    def clean(raw: str, run: Run) -> dict[str, Any]:
        accepted = desk(run) / "accepted.parquet"
        rejected = root(run) / "rejected" / f"{day(run)}.csv"
        return {"path": str(accepted), **work.clean(Path(raw), accepted, rejected)}

    @task
    def groups(cleaned: dict[str, Any]) -> list[dict[str, str]]:
        return work.groups(Path(cleaned["path"]))

    @task(retries=1, priority_weight=2)
    def join(
        cleaned: dict[str, Any], weather: str, group: dict[str, str], run: Run
    ) -> dict[str, Any]:
        return work.join(Path(cleaned["path"]), Path(weather), group, desk(run) / "parts")

    @task(priority_weight=3)
    def combine(cleaned: dict[str, Any], parts: list[dict[str, Any]], run: Run) -> str:
        folder = f"year={day(run).year}/month={day(run).month}/day={day(run).day}"
        partition = root(run) / folder / "flights.parquet"
        work.combine([part["path"] for part in parts], partition, cleaned["accepted"])
        return str(partition)

    @task(trigger_rule="none_failed", priority_weight=4)
    def report(cleaned: dict[str, Any], partition: str, run: Run) -> str:
        figures = work.figures(Path(partition))
        return str(pages.publish(root(run), day(run), cleaned, figures))

    cleaned = clean(extract())
    parts = join.partial(cleaned=cleaned, weather=weather()).expand(group=groups(cleaned))
    report(cleaned, combine(cleaned, parts))


flights()
