"""W1: 40 light tasks in a chain."""

from loads import CHAIN, LIGHT, fib

from headway import chain, dag, task


@dag
def w1() -> None:
    @task
    def link() -> int:
        return fib(LIGHT)

    chain(*(link.override(task_id=f"link_{place}")() for place in range(CHAIN)))
