"""Can never run as things are: one pool is missing, another too small, and no agent serves a queue."""

from headway import dag, task


@dag(tags=["ml"])
def training():
    @task(pool="gpu")
    def train() -> None: ...

    @task(pool="small", pool_slots=4)
    def score() -> None: ...

    @task(queue="gpu")
    def evaluate() -> None: ...

    train()
    score()
    evaluate()


training()
