"""A well-behaved DAG: groups of tasks, one mapped over a list, quick to its end."""

from datetime import UTC, datetime

from headway import Param, Run, dag, task


@dag(
    schedule="0 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["shop", "daily"],
    owner="data-platform",
    description="Orders of the day, cleaned and summed up",
    params={
        "country": Param("FR", type="string", enum=["FR", "DE", "IT"], description="Which shop."),
        "limit": Param(100, type="integer", description="At most so many orders."),
        "full": Param(False, type="boolean", description="All of them, not only the new ones."),
        "options": Param({"retry": True}, type="object"),
    },
)
def orders():
    @task
    def extract(run: Run) -> list[int]:
        print("orders of", run.ds, "in", run.params["country"])
        return list(range(8))

    @task
    def clean(order: int) -> int:
        return order * 2

    @task
    def summarise(cleaned: list[int]) -> int:
        return sum(cleaned)

    summarise(clean.expand(order=extract()))


orders()
