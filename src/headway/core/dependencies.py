"""Dependencies between DAGs, and who is affected by one that is late. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """``downstream`` waits for ``upstream``: for an asset that it updates, or its task ``name`` for a run of it."""

    upstream: str
    downstream: str
    kind: str
    name: str


Below = Mapping[str, Sequence[str]]
"""The DAGs that wait for a DAG directly, sorted."""


def directly_below(links: Iterable[Link]) -> Below:
    below: dict[str, set[str]] = {}
    for link in links:
        below.setdefault(link.upstream, set()).add(link.downstream)
    return {upper: sorted(lower) for upper, lower in below.items()}


def affected(below: Below, dag_id: str) -> list[tuple[str, str]]:
    """Return every DAG below ``dag_id``, the nearest first, each with the DAG through which it is reached.

    DAGs may wait for each other in a circle: each is named once, and ``dag_id`` never.
    """
    through: dict[str, str] = {}
    ahead = deque([dag_id])
    while ahead:
        upper = ahead.popleft()
        for lower in below.get(upper, ()):
            if lower != dag_id and lower not in through:
                through[lower] = upper
                ahead.append(lower)
    return list(through.items())
