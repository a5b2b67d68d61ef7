"""The ready task instances of a run: those with a rank in the queues of their pools, the others held back.

An entry of a heap is not taken out when its instance moves on; it is dropped when it comes first.
"""

import heapq
from collections.abc import Iterable, Sequence

from headway.core.graph import Need
from headway.core.reasons import DagPaused
from headway.core.run.instance import Instance
from headway.core.states import State


class Queues:
    """``instances`` by node and map index are those of the run, which changes them."""

    def __init__(self, instances: Sequence[dict[int, Instance]]) -> None:
        self.instances = instances
        self.ranked: list[int] = [0] * len(instances)  # those that may be granted, by node
        self.ranked_total = 0
        # Those that may not: map indexes by node, a heap each; and their nodes, the heaviest first.
        self.held: dict[int, list[int]] = {}
        self.held_order: list[tuple[int, int]] = []
        self.fresh: list[Instance] = []  # no reason is written yet why they do not run
        # Ranked, by pool and need: rank and key, a heap each.
        self.by_need: dict[tuple[str, Need], list[tuple[float, int, int]]] = {}
        self.pause_noted = False  # some of them are told that a pause holds them

    def count(self, node: int, by: int) -> None:
        """Note that so many more instances of the node have a rank."""
        self.ranked[node] += by
        self.ranked_total += by

    def offer(self, instance: Instance) -> None:
        """A ready instance: into its pool's queue when it has a rank, else among those held
        back.
        """
        node = instance.node.index
        if instance.rank is None:
            if node not in self.held:
                self.held[node] = []
                heapq.heappush(self.held_order, (-instance.node.weight, node))
            heapq.heappush(self.held[node], instance.map_index)
            self.pause_noted |= isinstance(instance.blocked_reason, DagPaused)
        else:
            self.count(node, +1)
            self.put_back(instance)
        if instance.blocked_reason is None:
            self.fresh.append(instance)

    def put_back(self, instance: Instance) -> None:
        """Put a ranked instance into the queue of its pool."""
        assert instance.rank is not None, f"{instance} has no rank"
        entry = (instance.rank, instance.node.index, instance.map_index)
        node = instance.node
        heapq.heappush(self.by_need.setdefault((node.pool, node.need), []), entry)

    def step_aside(self, instance: Instance) -> Instance:
        """Take the first of its pool's queue out; ``put_back`` puts it back."""
        heapq.heappop(self.by_need[instance.node.pool, instance.node.need])
        return instance

    def hold(self) -> list[Instance]:
        """Take the ranks back: a pause. Return whose; they are offered again when it is over."""
        found = [
            instance
            for by_index in self.instances
            for instance in by_index.values()
            if instance.state is State.READY and instance.rank is not None
        ]
        for instance in found:
            self.count(instance.node.index, -1)
            instance.rank = instance.blocked_reason = None
            self.offer(instance)
        return found

    def forget_pause(self, instances: Iterable[Instance]) -> None:
        """Forget the pause: instances that do not run yet have another reason, to be written anew."""
        self.pause_noted = False
        for instance in instances:
            if instance.state is State.READY and isinstance(instance.blocked_reason, DagPaused):
                instance.blocked_reason = None
                self.fresh.append(instance)

    def first(self, pool: str, need: Need) -> Instance | None:
        """The ready instance that is next in ``pool`` among those that need the same;

        entries of instances that have moved on are dropped.
        """
        queue = self.by_need.get((pool, need), [])
        while queue:
            rank, node, map_index = queue[0]
            instance = self.instances[node].get(map_index)
            if instance is not None and instance.state is State.READY and instance.rank == rank:
                return instance
            heapq.heappop(queue)
        return None

    def first_held(self, node: int) -> Instance | None:
        """The same among those that are held back; ``node`` is the first in their order. What is
        found is taken out.
        """
        assert self.held_order[0][1] == node, "not the first"
        heap = self.held[node]
        while heap:
            instance = self.instances[node].get(heapq.heappop(heap))
            if instance is not None and instance.state is State.READY and instance.rank is None:
                return instance
        del self.held[node]
        heapq.heappop(self.held_order)
        return None
