"""Runs on partitions: clicks come by the hour and region, are summed up by the day, and days by the week and month."""

from headway import (
    Asset,
    DayWindow,
    MonthWindow,
    PartitionedAssets,
    PartitionedCron,
    RollupMapper,
    Run,
    StartOfDayMapper,
    StartOfMonthMapper,
    StartOfWeekMapper,
    WeekWindow,
    dag,
    task,
)

clicks = Asset("hourly_clicks", uri="s3://shop/clicks/hourly")
days = Asset("daily_clicks", uri="s3://shop/clicks/daily")


@dag(schedule=PartitionedCron("@hourly"))
def load_clicks() -> None:
    """Each run is of the hour before its logical date."""

    @task(outlets=[clicks])
    def load(run: Run) -> str:
        return f"clicks of {run.partition}"

    load()


@dag(schedule=PartitionedAssets(clicks, RollupMapper(StartOfDayMapper(), DayWindow())))
def sum_up_day() -> None:
    """Runs when all hours of a day are there."""

    @task(outlets=[days])
    def sum_up(run: Run) -> str:
        hours = len(run.triggering_asset_events.get("hourly_clicks", []))
        return f"{run.partition}: {hours} hours"

    sum_up()


@dag(schedule=PartitionedAssets(days, RollupMapper(StartOfWeekMapper(), WeekWindow())))
def report_week() -> None:
    @task
    def report(run: Run) -> str:
        return f"the week of {run.partition}"

    report()


@dag(
    schedule=PartitionedAssets(
        days, RollupMapper(StartOfMonthMapper(), MonthWindow(), at_least=-1), late="run"
    )
)
def report_month() -> None:
    """Runs when at most one day is missing, and again for each day that comes later."""

    @task
    def report(run: Run) -> str:
        return f"the month {run.partition}"

    report()
