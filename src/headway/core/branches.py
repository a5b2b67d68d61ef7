"""Branches: what their choices leave out.

A choice is a fact of the run: it is kept with the branch's task instance and holds until the branch
runs again, whatever else is cleared meanwhile. What any instance of a mapped branch chose goes on,
unless the branch decides by index: then an instance of it concerns those with its own index.
"""

from collections.abc import Collection, Iterable, Mapping

from headway.core.graph import Graph, Node
from headway.core.reasons import NotChosen
from headway.core.run import Run
from headway.core.sight import Sight
from headway.core.states import State

Follow = frozenset[str] | None  # the task ids chosen; None: it left nothing out


def left_out(graph: Graph, branch: Node, follows: Collection[Follow]) -> frozenset[int]:
    """The downstream tasks that no successful instance chose and no chosen one leads to, however far down those are.

    Only direct ones, unless the branch skips all below, but for teardowns: what was set up is cleaned up. Further down,
    trigger rules decide.
    """
    if not follows or None in follows:
        return frozenset()
    chosen = {graph.by_id[name] for name in united(follows) if name in graph.by_id}
    return frozenset(below(graph, branch)) - chosen - graph.descendants(chosen)


def below(graph: Graph, branch: Node) -> Iterable[int]:
    """Return the tasks that the branch can leave out."""
    if not branch.skips_all_below:
        return branch.downstream
    return (index for index in graph.descendants({branch.index}) if not graph.nodes[index].teardown)


def covers(graph: Graph, branch: Node, follow: frozenset[str]) -> bool:
    """Return whether the choice skips nothing."""
    return all(graph.nodes[index].task_id in follow for index in branch.downstream)


def united(follows: Iterable[Follow]) -> frozenset[str]:
    return frozenset().union(*(follow for follow in follows if follow is not None))


def follows_of(run: Run, branch: Node) -> list[Follow]:
    instances = run.instances[branch.index].values()
    return [each.follow for each in instances if each.state is State.SUCCESS]


def left_out_by(run: Run, branch: Node) -> frozenset[int]:
    """Nothing until the branch has ended, and nothing as a whole if it decides by index."""
    if branch.decides_by_index:
        return frozenset()
    found = run.left_out.get(branch.index)
    if found is None:
        if not run.has_ended(branch.index):
            return frozenset()
        found = left_out(run.graph, branch, follows_of(run, branch))
        run.left_out[branch.index] = found
    return found


def left_out_for(sight: Sight, branch: Node) -> frozenset[int]:
    """Return what the branch left out as the instance sees it: in a mapped group, by the choice of its own index."""
    if not is_by_index(sight, branch):
        return left_out_by(sight.run, branch)
    if not sight.has_ended(branch.index):
        return frozenset()
    return left_out(sight.run.graph, branch, follows_seen(sight, branch))


def is_by_index(sight: Sight, branch: Node) -> bool:
    return branch.decides_by_index or branch.index in sight.node.peers


def follows_seen(sight: Sight, branch: Node) -> list[Follow]:
    if not is_by_index(sight, branch):
        return follows_of(sight.run, branch)
    peer = sight.peer(branch.index)
    return [peer.follow] if peer is not None and peer.state is State.SUCCESS else []


def against(sight: Sight) -> Node | None:
    """Return the first of the branches above that left the node out."""
    above = (sight.run.graph.nodes[index] for index in sight.node.branches)
    return next((each for each in above if sight.node.index in left_out_for(sight, each)), None)


def by_index(run: Run, node: Node) -> list[Node]:
    """Return the branches that decide for each instance of the node, which is directly below them."""
    above = (run.graph.nodes[index] for index in node.branches)
    return [each for each in above if each.decides_by_index]


def against_index(sight: Sight, given: Iterable[Node], leading: Collection[int]) -> Node | None:
    """Return the first of the branches of ``by_index`` that left the instance out.

    ``leading``: the node and all above it. As ``against``, but no instance of many looks at the whole graph.
    """
    by_id = sight.run.graph.by_id
    for branch in given:
        follows = follows_seen(sight, branch)
        if follows and None not in follows:
            chosen = (by_id[name] for name in united(follows) if name in by_id)
            if not any(index in leading for index in chosen):
                return branch
    return None


def undecided(sight: Sight) -> bool:
    return not all(sight.has_ended(index) for index in sight.node.branches)


def choice(sight: Sight, branch: Node) -> NotChosen:
    """Return why the branch left a task out, with the ids of the tasks that it follows, in order."""
    chosen = tuple(sorted(united(follows_seen(sight, branch))))
    return NotChosen(branch.task_id, chosen, branch.skips_all_below)


def again(
    graph: Graph, roots: Collection[int], out: Mapping[int, Collection[int]], *, downstream: bool
) -> tuple[set[int], set[int]]:
    """Return what runs again with ``roots``, and which of it is downstream of another part.

    Without what branches leave ``out`` that do not run again themselves, and what only that leads to.
    """
    found: set[int] = set()
    below: set[int] = set()
    for node in graph.nodes:  # upstream first
        reached = downstream and not found.isdisjoint(node.upstream)
        if not reached and node.index not in roots:
            continue
        if any(b not in found and node.index in out.get(b, ()) for b in node.branches):
            continue
        found.add(node.index)
        if reached:
            below.add(node.index)
    return found, below
