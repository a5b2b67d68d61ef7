"""The states of other nodes as one task instance sees them.

An instance of a mapped group or a loop sees of the other nodes of the group only the instance with its own index. Of
a loop that it is not in, it sees whether and how the loop has ended; of all other nodes it sees everything.
"""

from collections.abc import Mapping
from typing import NamedTuple

from headway.core import loops
from headway.core.graph import Node
from headway.core.run import Instance, Run
from headway.core.states import FINAL, State


class Sight(NamedTuple):
    run: Run
    node: Node
    map_index: int

    def peer(self, other: int) -> Instance | None:
        """Return the instance of a peer that it sees. None: the group is about to get it."""
        return self.run.instances[other].get(self.map_index)

    def counts(self, other: int) -> Mapping[State, int]:
        """Return how many instances of the node are in which state."""
        if other not in self.node.peers:
            above = self.run.graph.nodes[other]
            return loops.ends(self.run, above) if above.is_gate else self.run.counts[other]
        peer = self.peer(other)
        return {} if peer is None else {peer.state: 1}

    def has_ended(self, other: int) -> bool:
        if other not in self.node.peers:
            above = self.run.graph.nodes[other]
            return loops.is_over(self.run, above) if above.is_gate else self.run.has_ended(other)
        peer = self.peer(other)
        return peer is not None and peer.state in FINAL

    def above(self) -> tuple[int, Mapping[State, int]]:
        """Return how many instances are directly upstream, and how many of them ended how."""
        above = self.run.above_of(self.node)
        if not self.node.apart:
            return above.total, above.ended
        total, ended = above.total, dict(above.ended)
        for other in self.node.apart:
            counts = self.counts(other)
            total += sum(counts.values()) or 1  # of an index that it is about to get
            for state, count in counts.items():
                if state in FINAL:
                    ended[state] += count
        return total, ended
