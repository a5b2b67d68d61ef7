"""W2: 10 heavy tasks in a chain: what does orchestration add to pure compute?."""

from headway import chain, dag, task
from work import HEAVY, HEAVY_CHAIN, fib


@dag
def w2() -> None:
    @task
    def link() -> int:
        return fib(HEAVY)

    chain(*(link.override(task_id=f"link_{place}")() for place in range(HEAVY_CHAIN)))
