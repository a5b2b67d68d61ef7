"""Loops: groups of tasks that are repeated, one iteration after another, until their gate says stop.

Each task of a loop has one instance for each iteration, whose map index is the number of the iteration. The gate is the
last task of an iteration; its choice (``Instance.follow``) names the tasks that go on, or none. So the state of the
gates is all that decides how many iterations there are:
1. The first iteration is always there. Iteration n + 1 is there if the gate of n succeeded and leads on.
2. A gate that does not lead on any more, because it was cleared, marked or has decided anew, takes all later
   iterations away. Their attempts belong to the run and stay.
3. No gate leads beyond ``max_iterations``: it fails instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from headway.core.graph import Node
from headway.core.reasons import IterationGone
from headway.core.reports import Ended, Outcome
from headway.core.run import Instance, Run
from headway.core.states import FINAL, LIVE, State

FIRST: Final = 0
LIMIT: Final = "max_iterations"  # the cause of a gate's failure
TOO_MANY: Final = "too_many_tasks"


def members(node: Node) -> list[int]:
    """Return the nodes of its loop, upstream first."""
    return sorted({node.index, *node.peers})


def fit(run: Run, gate: Node, since: int) -> list[Instance]:
    """Make the iterations that are missing and remove those that are too many. Returns those that are live and must
    end first.

    ``since``: the first iteration whose gate has changed.
    """
    while since > FIRST and not run.leads_on(gate.index, since - 1):
        since -= 1
    last = since
    while run.leads_on(gate.index, last):
        last += 1
    return [instance for index in members(gate) for instance in fit_node(run, index, since, last)]


def fit_node(run: Run, index: int, since: int, last: int) -> Iterator[Instance]:
    node, existing = run.graph.nodes[index], run.instances[index]
    for iteration in range(since, last + 1):
        if iteration not in existing:
            attempts = run.former.pop((index, iteration), 0)
            run.add(Instance(node, iteration, attempts=attempts))
            run.stale_items.setdefault(index, set()).add(iteration)
    if len(existing) <= last + 1:
        return
    for instance in [each for each in existing.values() if each.map_index > last]:
        if instance.state not in LIVE:
            run.end_item(instance, IterationGone(last + 1))
        elif instance.intent is None:
            yield instance


def gone(run: Run, node: Node) -> IterationGone:
    """Return how many iterations are left."""
    assert node.loop is not None
    count = 1
    while run.leads_on(node.loop.gate, count - 1):
        count += 1
    return IterationGone(count)


def later(run: Run, gate: Instance) -> list[Instance]:
    """Return the instances of the iterations after that of the gate, which depend on what it decides."""
    return [
        instance
        for index in members(gate.node)
        for instance in run.instances[index].values()
        if instance.map_index > gate.map_index
    ]


def bounded(run: Run, instance: Instance, report: Ended) -> Ended:
    """Return the end of a gate as a failure, if another iteration would be one too many."""
    loop = instance.node.loop
    if loop is None or loop.gate != instance.node.index or not report.follow:
        return report
    if report.outcome is not Outcome.SUCCESS:
        return report
    if instance.map_index + 1 >= loop.max_iterations:
        said = f"its condition did not hold after {loop.max_iterations} iterations (max_iterations)"
        return failed(report, LIMIT, f"{said}: {report.detail}" if report.detail else said)
    more, total = len(members(instance.node)), sum(map(len, run.instances))
    if run.tasks_max is not None and total + more > run.tasks_max:
        told = f"the next iteration would give the run {total + more:,} task instances"
        return failed(report, TOO_MANY, f"{told}; the limit of this team is {run.tasks_max:,}")
    return report


def failed(report: Ended, cause: str, detail: str) -> Ended:
    """Return the end of a gate that cannot lead on. Another attempt would be of no use."""
    return replace(
        report,
        outcome=Outcome.FAILED,
        cause=cause,
        detail=detail,
        retry=False,
        follow=None,
        xcoms=(),
        length=None,
        told=(),
    )


def is_over(run: Run, gate: Node) -> bool:
    """Return whether no iteration is going on and none follows."""
    return run.has_ended(gate.index) and not run.leads_on(gate.index, last_of(run, gate))


def ends(run: Run, gate: Node) -> Mapping[State, int]:
    """Return the states of its gates as those see them who wait for the loop: of one that led on, nothing."""
    if not is_over(run, gate):
        open_ones = {s: n for s, n in run.counts[gate.index].items() if n and s not in FINAL}
        return open_ones or {State.WAITING: 1}
    counts = dict(run.counts[gate.index])
    is_last = run.instances[gate.index][last_of(run, gate)].state is State.SUCCESS
    counts[State.SUCCESS] = 1 if is_last else 0
    return counts


def last_of(run: Run, gate: Node) -> int:
    return max(run.instances[gate.index])
