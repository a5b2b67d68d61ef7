"""What becomes of the waiting instances of a node, by all that is directly above it.

The first of these that holds decides, and none says anything before it is certain:
1. A branch left the node out: it is skipped. The other branches above are waited for.
2. What it is mapped over ended badly and brought nothing: it fails with it.
3. Its trigger rule, by the ends of all upstream instances.
4. What it is mapped over was skipped: so is it.
"""

from headway.core import branches, mapping
from headway.core.graph import Node
from headway.core.run import Run
from headway.core.states import State
from headway.core.upstream import Counts, Verdict, explain, judge

WAIT = (Verdict.WAIT, "")


def decide(run: Run, node: Node) -> tuple[Verdict, str]:
    """With the reason, for a person; of one that waits there is none."""
    if node.branches:
        if (branch := branches.against(run, node)) is not None:
            return Verdict.SKIP, branches.chose(run, branch)
        if branches.undecided(run, node):
            return WAIT
    if node.axes and (source := mapping.broken_source(run, node)) is not None:
        return Verdict.UPSTREAM_FAILED, f"it is mapped over `{source.task_id}`, which failed"
    counts = upstream_counts(run, node)
    verdict = judge(node.rule, counts)
    if verdict is Verdict.WAIT:
        return WAIT
    if node.axes and verdict is not Verdict.UPSTREAM_FAILED:
        if not mapping.lengths_known(run, node):
            return WAIT
        if verdict is Verdict.RUN and (skipped := mapping.skipped_source(run, node)) is not None:
            return Verdict.SKIP, f"it is mapped over `{skipped.task_id}`, which was skipped"
    return verdict, explain(node.rule, counts)


def upstream_counts(run: Run, node: Node) -> Counts:
    above = run.above_of(node)
    return Counts(
        total=above.total,
        success=above.ended[State.SUCCESS],
        skipped=above.ended[State.SKIPPED],
        failed=above.ended[State.FAILED],
        upstream_failed=above.ended[State.UPSTREAM_FAILED],
        cancelled=above.ended[State.CANCELLED],
    )
