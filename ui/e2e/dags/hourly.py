"""Many small tasks in groups and layers: what the graph and the grid have to show."""

from datetime import UTC, datetime

from headway import dag, task, task_group


@dag(
    schedule="0 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["warehouse"],
    owner="data-platform",
    description="From four sources into the warehouse",
)
def hourly_warehouse():
    @task
    def publish(*parts: str) -> str:
        return ", ".join(parts)

    def table(name: str):
        @task_group(group_id=name)
        def load_table():
            @task
            def extract() -> str:
                return name

            @task
            def check(source: str) -> str:
                return source

            @task
            def load(source: str) -> str:
                return source

            return load(check(extract()))

        return load_table()

    done = [table(name) for name in ("users", "orders", "events", "refunds")]
    publish(*done)


hourly_warehouse()
