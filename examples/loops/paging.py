"""A loop: pages of an interface are read one after another until the last one, or until there are too many."""

from typing import TypedDict

from headway import Loop, LoopDecision, dag, task, task_group


class Page(TypedDict):
    rows: list[int]
    next: int | None


# What another system would answer, by the number of the page.
PAGES: dict[int, Page] = {
    1: {"rows": [3, 5], "next": 2},
    2: {"rows": [7], "next": 3},
    3: {"rows": [11, 13], "next": None},
}


@dag
def pages() -> None:
    @task(retries=3)
    def fetch(*, loop: Loop) -> Page:
        number = 1 if loop.index == 0 else loop.previous["next"]
        return PAGES[number]

    @task
    def store(page: Page) -> dict[str, int | None]:
        return {"stored": len(page["rows"]), "next": page["next"]}

    @task_group
    def page() -> None:
        """One page: a failed one is fetched again, without those before it."""
        store(fetch())

    def last_page(*, loop: Loop) -> LoopDecision:
        following = loop.result["next"]
        return LoopDecision(following is None, f"the next page is {following}")

    @task
    def report(results: list[dict[str, int]]) -> int:
        return sum(each["stored"] for each in results)

    report(page.loop(max_iterations=100, until=last_page))
