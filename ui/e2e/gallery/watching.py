"""An asset that is watched from outside, one watcher of which fails, and a task with rules for its retries."""

from headway import Asset, FilesArrive, RetryRule, Watcher, dag, task


async def queue() -> None:
    """Looks into a queue that does not answer."""
    raise ConnectionError("queue.example.org does not answer")


parcels = Asset("parcels", watchers=[FilesArrive("/tmp/*.parcel"), Watcher(queue, every=3600)])


@dag(schedule=parcels, owner="ann")
def deliveries():
    @task
    def deliver() -> None: ...

    deliver()


@dag(owner="bob")
def ratings():
    @task(
        retry_policy=[
            RetryRule(ConnectionError, retries=3, retry_delay=86_400, reason="the shop is closed"),
            RetryRule(ValueError, retries=0, reason="a wrong row stays wrong"),
        ]
    )
    def fetch(shop: str) -> None:
        raise ConnectionError("no answer") if shop == "north" else ValueError("row 7 has no date")

    fetch.expand(shop=["north", "south"])


deliveries()
ratings()
