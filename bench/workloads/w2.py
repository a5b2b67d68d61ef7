"""W2: 10 heavy tasks in a chain: what does orchestration add to pure compute?."""

from loads import HEAVY, HEAVY_CHAIN, fib

from headway import chain, dag, task


@dag
def w2() -> None:
    @task
    def link() -> int:
        return fib(HEAVY)

    chain(*(link.override(task_id=f"link_{place}")() for place in range(HEAVY_CHAIN)))
