"""DAGs that wait for each other's data, by events and by partitions."""

from headway import (
    Asset,
    DayWindow,
    PartitionedAssets,
    RollupMapper,
    StartOfDayMapper,
    dag,
    task,
    wait_for_run,
)

sales = Asset("sales", uri="s3://shop/sales", extra={"format": "parquet"})
rates = Asset("feeds/rates")
clicks = Asset("clicks")


@dag(owner="ann")
def sells():
    @task(outlets=[sales])
    def sell() -> int:
        return 3

    sell()


@dag(schedule=[sales, rates], owner="bob")
def turnover():
    @task
    def sum_up() -> None: ...

    sum_up()


@dag(owner="carol")
def board_paper():
    wait_for_run("await_turnover", dag_id="turnover")


@dag(schedule=PartitionedAssets(clicks, RollupMapper(StartOfDayMapper(), DayWindow())))
def daily_clicks():
    @task
    def sum_up() -> None: ...

    sum_up()


sells()
turnover()
board_paper()
daily_clicks()
