"""Decides on the waiting instances of a node, by everything directly upstream.

The first of these that holds decides, and none says anything before it is certain:
1. A branch left the node out: it is skipped. The other branches above are waited for.
2. A setup that serves it did not succeed: it fails or is skipped with it. All of them are waited for.
3. What it is mapped over ended badly and brought nothing: it fails with it.
4. Its trigger rule, by the ends of all upstream instances.
5. What it is mapped over was skipped: so is it.
6. A teardown waits for all between its setups and it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from headway.core import branches, mapping
from headway.core.graph import Node
from headway.core.reasons import (
    Reason,
    RuleMet,
    RuleNotMet,
    SetupNotSuccessful,
    SourceNotSuccessful,
)
from headway.core.run import Run
from headway.core.states import State
from headway.core.upstream import Counts, TriggerRule, Verdict, judge

Decision = tuple[Verdict, Reason | None]
WAIT: Final[Decision] = (Verdict.WAIT, None)
NAMED_MAX: Final = 3  # tasks in a reason
BADLY: Final = (State.FAILED, State.UPSTREAM_FAILED, State.CANCELLED)
SPOILERS: Final[Mapping[TriggerRule, tuple[State, ...]]] = {
    TriggerRule.ALL_FAILED: (State.SUCCESS, State.SKIPPED),
    TriggerRule.ALL_SKIPPED: (State.SUCCESS, *BADLY),
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: (State.SKIPPED, *BADLY),
    TriggerRule.ONE_FAILED: (),  # nobody's end decided it, but that all had ended
    TriggerRule.ONE_DONE: (),
}


def decide(run: Run, node: Node) -> Decision:
    """The verdict and its reason; one that waits has none."""
    if node.branches:
        if (branch := branches.against(run, node)) is not None:
            return Verdict.SKIP, branches.choice(run, branch)
        if branches.undecided(run, node):
            return WAIT
    if node.needs and (unready := by_setups(run, node)) is not None:
        return unready
    if node.axes and (source := mapping.broken_source(run, node)) is not None:
        return Verdict.UPSTREAM_FAILED, source_ended(run, source)
    counts = upstream_counts(run, node)
    verdict = judge(node.rule, counts)
    if verdict is Verdict.WAIT:
        return WAIT
    if node.axes and verdict is not Verdict.UPSTREAM_FAILED:
        if not mapping.lengths_known(run, node):
            return WAIT
        if verdict is Verdict.RUN and (skipped := mapping.skipped_source(run, node)) is not None:
            return Verdict.SKIP, source_ended(run, skipped)
    if verdict is Verdict.RUN:
        if node.scope and not all(run.has_ended(index) for index in node.scope):
            return WAIT
        return verdict, RuleMet(node.rule, counts.total, counts.ends)
    if node.rule is TriggerRule.ALL_DONE_SETUP_SUCCESS:
        return verdict, setup_ended(run, node, verdict)
    return verdict, not_met(run, node, verdict, counts)


def by_setups(run: Run, node: Node) -> Decision | None:
    """Return what setups further up decide; None: all of them succeeded."""
    if (why := unsuccessful(run, node.needs, BADLY)) is not None:
        return Verdict.UPSTREAM_FAILED, why
    if not all(run.has_ended(index) for index in node.needs):
        return WAIT
    if (why := unsuccessful(run, node.needs, (State.SKIPPED,))) is not None:
        return Verdict.SKIP, why
    return None


def unsuccessful(
    run: Run, setups: Iterable[int], states: Iterable[State]
) -> SetupNotSuccessful | None:
    """Return the first of the setups that ended in one of the states."""
    for index in setups:
        for state in states:
            if run.counts[index].get(state):
                return SetupNotSuccessful(run.graph.nodes[index].task_id, state)
    return None


def setup_ended(run: Run, node: Node, verdict: Verdict) -> SetupNotSuccessful:
    """Return which setup of a teardown did not succeed."""
    own = [index for index in node.upstream if run.graph.nodes[index].setup]
    states = (State.SKIPPED,) if verdict is Verdict.SKIP else (*BADLY, State.SKIPPED)
    why = unsuccessful(run, own, states)
    assert why is not None, f"{node.task_id} has a setup that succeeded, or none"
    return why


def source_ended(run: Run, source: Node) -> SourceNotSuccessful:
    ends = run.counts[source.index]
    return SourceNotSuccessful(
        source.task_id, next(state for state in (*BADLY, State.SKIPPED) if ends.get(state))
    )


def not_met(run: Run, node: Node, verdict: Verdict, counts: Counts) -> RuleNotMet:
    """Return the verdict with the first few upstream tasks whose end decided it."""
    default = BADLY if verdict is Verdict.UPSTREAM_FAILED else (State.SKIPPED,)
    states = SPOILERS.get(node.rule, default)
    ended = {
        index: [state for state in states if run.counts[index].get(state)]
        for index in node.upstream
    }
    culprits = [index for index, found in ended.items() if found]
    alike = {state for found in ended.values() for state in found}
    return RuleNotMet(
        rule=node.rule,
        total=counts.total,
        ends=counts.ends,
        tasks=tuple(run.graph.nodes[index].task_id for index in culprits[:NAMED_MAX]),
        more=max(0, len(culprits) - NAMED_MAX),
        state=alike.pop() if len(alike) == 1 else "",
    )


def upstream_counts(run: Run, node: Node) -> Counts:
    above = run.above_of(node)
    own = setup_counts(run, node) if node.rule is TriggerRule.ALL_DONE_SETUP_SUCCESS else (0, 0, 0)
    return Counts(
        total=above.total,
        success=above.ended[State.SUCCESS],
        skipped=above.ended[State.SKIPPED],
        failed=above.ended[State.FAILED],
        upstream_failed=above.ended[State.UPSTREAM_FAILED],
        cancelled=above.ended[State.CANCELLED],
        setups=own[0],
        setups_success=own[1],
        setups_skipped=own[2],
    )


def setup_counts(run: Run, node: Node) -> tuple[int, int, int]:
    """Return how many instances of setups are directly upstream, and how many succeeded and were skipped."""
    of_setups = [run.counts[index] for index in node.upstream if run.graph.nodes[index].setup]
    total = sum(sum(counts.values()) for counts in of_setups)
    success = sum(counts.get(State.SUCCESS, 0) for counts in of_setups)
    return total, success, sum(counts.get(State.SKIPPED, 0) for counts in of_setups)
