"""Assets that are known only while a task runs: each file of a day is one, and all are added through an alias."""

from headway import Asset, AssetAlias, Run, dag, task

daily_files = AssetAlias("daily_files")


@dag(schedule=None)
def receive_files() -> None:
    @task(outlets=[daily_files])
    def receive(run: Run) -> None:
        for region in ("eu", "us"):
            file = Asset(f"files/{region}", uri=f"s3://inbox/{region}.csv")
            run.outlet_events[daily_files].add(file, {"region": region})

    receive()


@dag(schedule=daily_files)
def use_files() -> None:
    @task(inlets=[daily_files])
    def use(run: Run) -> list[str]:
        through = run.triggering_asset_events.get(daily_files, [])
        return sorted(event.extra["region"] for event in through)

    use()
