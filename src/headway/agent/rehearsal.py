"""An order of our own that does nothing.

Running it touches what every attempt touches. The base server does so before it freezes its heap: the code is then
specialised, and children write to fewer pages. A spare does so while it has nothing else to do: of the 340 page
faults of a child (some 5 µs each) 50 are left for when its order comes.
"""

from datetime import UTC, datetime
from typing import Any, Final

from headway.agent.orders import ENCODER, Given, Opening, Order, Place
from headway.authoring.dag import dag
from headway.authoring.decorators import task

TIMES: Final = 16  # CPython specialises code that has run 8 times
DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dag
def rehearsal() -> None:
    @task
    def numbers() -> list[int]:
        return [0]

    @task
    def same(number: int) -> int:
        return number

    same.expand(number=numbers())


class Stage:
    """A substitute for a fork server."""

    def __init__(self) -> None:
        self.opening = Opening(root="", file="", scratch="", fence_at=0.0)
        self.dags: dict[str, Any] = {"rehearsal": rehearsal()}
        self.unforked = False

    def import_file(self) -> str:
        raise AssertionError("nothing to import")


STAGE: Final = Stage()
ORDER_BYTES: Final = ENCODER.encode(
    Order(
        run_id="",
        dag_id="rehearsal",
        task_id="same",
        map_index=0,
        try_number=1,
        max_tries=1,
        logical_date=DAY,
        interval_start=DAY,
        interval_end=DAY,
        trigger="",
        params=b"{}",
        whole=[],
        places=[Place(0, Given(b"0"))],
        xcom="",
        memory_limit_mb=None,
    )
)
