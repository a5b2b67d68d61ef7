"""A group that runs once for each month: what fails in one month does not hold up the others."""

from headway import dag, task, task_group


@dag
def monthly(year: int = 2026) -> None:
    @task
    def months(year: int) -> list[str]:
        return [f"{year}-{month:02}" for month in range(1, 4)]

    @task(map_index_template="{{ month }}")
    def extract(month: str) -> list[int]:
        first = int(month[-2:])
        return [first, first + 1]

    @task
    def add_up(rows: list[int], factor: int) -> int:
        return sum(rows) * factor

    @task_group
    def totals(month: str, factor: int) -> object:
        """The total of one month."""
        return add_up(extract(month), factor)

    @task
    def report(sums: list[int]) -> int:
        return sum(sums)

    report(totals.partial(factor=10).expand(month=months(year)))
