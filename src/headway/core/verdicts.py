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
from headway.core.mapping import BADLY
from headway.core.reasons import (
    Reason,
    RuleMet,
    RuleNotMet,
    SetupNotSuccessful,
)
from headway.core.run import Run
from headway.core.sight import Sight
from headway.core.states import State
from headway.core.upstream import Counts, TriggerRule, Verdict, judge

Decision = tuple[Verdict, Reason | None]
WAIT: Final[Decision] = (Verdict.WAIT, None)
NAMED_MAX: Final = 3  # tasks in a reason
SPOILERS: Final[Mapping[TriggerRule, tuple[State, ...]]] = {
    TriggerRule.ALL_FAILED: (State.SUCCESS, State.SKIPPED),
    TriggerRule.ALL_SKIPPED: (State.SUCCESS, *BADLY),
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: (State.SKIPPED, *BADLY),
    TriggerRule.ONE_FAILED: (),  # nobody's end decided it, but that all had ended
    TriggerRule.ONE_DONE: (),
}


def decide(run: Run, node: Node, map_index: int) -> Decision:
    """The verdict and its reason; one that waits has none. Only in a mapped group does it depend on the index."""
    sight = Sight(run, node, map_index)
    if node.branches:
        if (branch := branches.against(sight)) is not None:
            return Verdict.SKIP, branches.choice(sight, branch)
        if branches.undecided(sight):
            return WAIT
    if node.needs and (unready := by_setups(sight)) is not None:
        return unready
    if node.axes and (source := mapping.broken_source(run, node)) is not None:
        return Verdict.UPSTREAM_FAILED, mapping.source_ended(run, source)
    counts = upstream_counts(sight)
    verdict = judge(node.rule, counts)
    if verdict is Verdict.WAIT:
        return WAIT
    if node.axes and verdict is not Verdict.UPSTREAM_FAILED:
        if not mapping.lengths_known(run, node):
            return WAIT
        if verdict is Verdict.RUN and (skipped := mapping.skipped_source(run, node)) is not None:
            return Verdict.SKIP, mapping.source_ended(run, skipped)
    if verdict is Verdict.RUN:
        if node.scope and not all(sight.has_ended(index) for index in node.scope):
            return WAIT
        return verdict, RuleMet(node.rule, counts.total, counts.ends)
    if node.rule is TriggerRule.ALL_DONE_SETUP_SUCCESS:
        return verdict, setup_ended(sight, verdict)
    return verdict, not_met(sight, verdict, counts)


def by_setups(sight: Sight) -> Decision | None:
    """Return what setups further up decide; None: all of them succeeded."""
    needs = sight.node.needs
    if (why := unsuccessful(sight, needs, BADLY)) is not None:
        return Verdict.UPSTREAM_FAILED, why
    if not all(sight.has_ended(index) for index in needs):
        return WAIT
    if (why := unsuccessful(sight, needs, (State.SKIPPED,))) is not None:
        return Verdict.SKIP, why
    return None


def unsuccessful(
    sight: Sight, setups: Iterable[int], states: Iterable[State]
) -> SetupNotSuccessful | None:
    """Return the first of the setups that ended in one of the states."""
    for index in setups:
        for state in states:
            if sight.counts(index).get(state):
                return SetupNotSuccessful(sight.run.graph.nodes[index].task_id, state)
    return None


def setup_ended(sight: Sight, verdict: Verdict) -> SetupNotSuccessful:
    """Return which setup of a teardown did not succeed."""
    states = (State.SKIPPED,) if verdict is Verdict.SKIP else (*BADLY, State.SKIPPED)
    why = unsuccessful(sight, own_setups(sight), states)
    assert why is not None, f"{sight.node.task_id} has a setup that succeeded, or none"
    return why


def own_setups(sight: Sight) -> list[int]:
    return [index for index in sight.node.upstream if sight.run.graph.nodes[index].setup]


def not_met(sight: Sight, verdict: Verdict, counts: Counts) -> RuleNotMet:
    """Return the verdict with the first few upstream tasks whose end decided it."""
    run, node, *_ = sight
    default = BADLY if verdict is Verdict.UPSTREAM_FAILED else (State.SKIPPED,)
    states = SPOILERS.get(node.rule, default)
    ended = {
        index: [state for state in states if sight.counts(index).get(state)]
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


def upstream_counts(sight: Sight) -> Counts:
    total, ended = sight.above()
    asks = sight.node.rule is TriggerRule.ALL_DONE_SETUP_SUCCESS
    own = setup_counts(sight) if asks else (0, 0, 0)
    return Counts(
        total=total,
        success=ended[State.SUCCESS],
        skipped=ended[State.SKIPPED],
        failed=ended[State.FAILED],
        upstream_failed=ended[State.UPSTREAM_FAILED],
        cancelled=ended[State.CANCELLED],
        setups=own[0],
        setups_success=own[1],
        setups_skipped=own[2],
    )


def setup_counts(sight: Sight) -> tuple[int, int, int]:
    """Return how many instances of setups are directly upstream, and how many succeeded and were skipped."""
    of_setups = [sight.counts(index) for index in own_setups(sight)]
    total = sum(sum(counts.values()) for counts in of_setups)
    success = sum(counts.get(State.SUCCESS, 0) for counts in of_setups)
    return total, success, sum(counts.get(State.SKIPPED, 0) for counts in of_setups)
