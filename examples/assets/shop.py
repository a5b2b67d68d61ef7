"""Runs on data: two DAGs bring orders and rates, a third one runs when both are new."""

from headway import Asset, Run, dag, task

orders = Asset("shop_orders", uri="s3://shop/orders")
rates = Asset("shop_rates", uri="https://rates.example/eur")


@dag(schedule=None)
def shop_orders(rows: int = 7) -> None:
    @task(outlets=[orders])
    def load(run: Run, rows: int) -> None:
        run.outlet_events[orders].extra["rows"] = rows

    load(rows=rows)


@dag(schedule=None)
def shop_rates() -> None:
    @task(outlets=[rates])
    def load() -> None:
        print("one rate for each currency")

    load()


@dag(schedule=orders & rates)
def shop_report() -> None:
    @task(inlets=[orders, rates])
    def report(run: Run) -> int:
        return sum(event.extra["rows"] for event in run.triggering_asset_events[orders])

    report()
