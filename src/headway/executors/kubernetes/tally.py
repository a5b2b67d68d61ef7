"""A tally of what the live pods of a namespace hold, counted as they change: each tick asks for it. Pure."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Self, TypeVar

from headway.executors.kubernetes.pods import Pod

HOLDERS_MAX: Final = 3  # DAGs that are named

K = TypeVar("K")


class Tally:
    """A count of the pods that quotas count: those that are not over, and those that other containers hold.
    ``sizes``: by resource, how many of them ask for which amount.
    """

    def __init__(self) -> None:
        self.live = 0
        self.dags: Counter[str] = Counter()
        self.sizes: dict[str, Counter[Decimal]] = {}

    @classmethod
    def of(cls, pods: Iterable[Pod]) -> Self:
        tally = cls()
        for pod in pods:
            tally.change(None, pod)
        return tally

    def change(self, before: Pod | None, after: Pod | None) -> None:
        """Count a pod anew. None: it is new, or it is gone."""
        for pod, by in ((before, -1), (after, +1)):
            if pod is not None and (not pod.is_over or pod.is_held):
                self.count(pod, by)

    def count(self, pod: Pod, by: int) -> None:
        self.live += by
        if pod.dag:
            add(self.dags, pod.dag, by)
        for name, size in pod.asks.items():
            if size:
                add(self.sizes.setdefault(name, Counter()), size, by)

    def used(self, name: str) -> Decimal:
        """Return how much of a resource the pods ask for together."""
        return sum((size * n for size, n in self.sizes.get(name, {}).items()), Decimal(0))

    def smallest(self, name: str) -> Decimal | None:
        """Return the smallest amount that one of them asks for."""
        return min(self.sizes.get(name) or (), default=None)

    def holders(self) -> dict[str, int]:
        """Return the DAGs with the most pods, and how many each has."""
        return dict(self.dags.most_common(HOLDERS_MAX))


def add(counts: Counter[K], key: K, by: int) -> None:
    counts[key] += by
    if not counts[key]:
        del counts[key]
