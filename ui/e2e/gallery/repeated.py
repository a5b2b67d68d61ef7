"""A task group that is mapped as a whole, one that is repeated, and a callback."""

from headway import LoopDecision, dag, task, task_group


@dag(tags=["shop"], owner="finance")
def shelves():
    @task
    def listed() -> list[str]:
        return ["bakery", "fruit", "dairy"]

    @task(map_index_template="{{ shelf }}")
    def fetch(shelf: str) -> str:
        return shelf

    @task(map_index_template="{{ shelf }}")
    def count(shelf: str) -> None:
        if shelf == "fruit":
            raise ValueError("shelf fruit is empty")

    @task_group
    def each(shelf: str) -> None:
        count(fetch(shelf))

    each.expand(shelf=listed())


@dag(
    tags=["ops"],
    doc_md="Halves an *estimate* until it is **good enough**.\n\n- three times\n- never more",
)
def refined():
    """Repeats a group."""

    @task
    def improve(*, loop) -> int:
        return 8 >> loop.index

    @task
    def measure(estimate: int) -> int:
        return estimate

    @task_group
    def refine():
        measure(improve())

    def good_enough(*, loop) -> LoopDecision:
        return LoopDecision(stop=loop.result <= 2, reason=f"estimate {loop.result}")

    @task
    def report(results: list[int]) -> int:
        return len(results)

    report(refine.loop(max_iterations=5, until=good_enough))


def tell(context) -> None:
    print("failed:", context["ds"])


@dag(tags=["ops"], on_failure_callback=tell)
def watched():
    @task
    def fail() -> None:
        raise ValueError("somebody must hear of this")

    fail()


shelves()
refined()
watched()
