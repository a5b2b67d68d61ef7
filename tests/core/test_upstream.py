"""Every trigger rule against every way that up to five upstream task instances can stand.

The reference is written by sets of states, on finished upstreams only; what an unfinished one may
still become is found by trying every way to finish it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations_with_replacement

import pytest

from headway.core.upstream import TABLE, Counts, TriggerRule, Verdict, judge

ENDS = ("success", "skipped", "failed", "upstream_failed", "cancelled")
BAD = {"failed", "upstream_failed", "cancelled"}
PENDING = "pending"
TOTAL_MAX = 5

R, V = TriggerRule, Verdict
States = frozenset[str]


def refuse_or_skip(states: States) -> Verdict:
    return V.UPSTREAM_FAILED if states & BAD else V.SKIP


FINAL: Mapping[TriggerRule, Callable[[States], Verdict]] = {
    R.ALL_SUCCESS: lambda s: V.RUN if s == {"success"} else refuse_or_skip(s),
    R.ALL_FAILED: lambda s: V.RUN if s <= BAD else V.SKIP,
    R.ALL_DONE: lambda s: V.RUN,
    R.ALL_DONE_MIN_ONE_SUCCESS: lambda s: (
        V.SKIP if "skipped" in s else V.RUN if "success" in s else V.UPSTREAM_FAILED
    ),
    R.ALL_DONE_SETUP_SUCCESS: lambda s: V.RUN,
    R.ONE_SUCCESS: lambda s: V.RUN if "success" in s else refuse_or_skip(s),
    R.ONE_FAILED: lambda s: V.RUN if s & BAD else V.SKIP,
    R.ONE_DONE: lambda s: V.RUN if s & {"success", "failed", "cancelled"} else V.SKIP,
    R.NONE_FAILED: lambda s: V.UPSTREAM_FAILED if s & BAD else V.RUN,
    R.NONE_FAILED_MIN_ONE_SUCCESS: lambda s: (
        refuse_or_skip(s) if s & BAD or s == {"skipped"} else V.RUN
    ),
    R.NONE_SKIPPED: lambda s: V.SKIP if "skipped" in s else V.RUN,
    R.ALL_SKIPPED: lambda s: V.RUN if s == {"skipped"} else V.SKIP,
    R.ALWAYS: lambda s: V.RUN,
}

# These wait for the end itself: that it cannot change the verdict is no reason to start.
BARRIERS = {R.ALL_DONE, R.ALL_DONE_SETUP_SUCCESS}


@cache
def reference(rule: TriggerRule, ended: States, pending: int) -> Verdict:
    if pending and rule in BARRIERS:
        return V.WAIT
    futures = {
        FINAL[rule](ended | set(rest)) for rest in combinations_with_replacement(ENDS, pending)
    }
    return futures.pop() if len(futures) == 1 else V.WAIT


def standings() -> Iterator[tuple[str, ...]]:
    for total in range(1, TOTAL_MAX + 1):
        yield from combinations_with_replacement((*ENDS, PENDING), total)


def count(standing: tuple[str, ...]) -> Counts:
    numbers = Counter(standing)
    return Counts(len(standing), **{end: numbers[end] for end in ENDS})


@pytest.mark.parametrize("rule", TriggerRule)
def test_every_standing_is_judged_as_the_reference_says(rule: TriggerRule) -> None:
    for standing in standings():
        ended = frozenset(standing) - {PENDING}
        expected = reference(rule, ended, standing.count(PENDING))
        assert judge(rule, count(standing)) is expected, (rule, standing)


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_verdict_never_changes_as_more_upstreams_end(rule: TriggerRule) -> None:
    for standing in standings():
        verdict = judge(rule, count(standing))
        if verdict is V.WAIT or PENDING not in standing:
            continue
        for end in ENDS:
            later = list(standing)
            later[later.index(PENDING)] = end
            assert judge(rule, count(tuple(later))) is verdict, (rule, standing, end)


@pytest.mark.parametrize("rule", TriggerRule)
def test_nothing_waits_once_every_upstream_has_ended(rule: TriggerRule) -> None:
    verdicts = {judge(rule, count(s)) for s in standings() if PENDING not in s}
    assert V.WAIT not in verdicts
    assert V.RUN in verdicts, "a rule that can never be met"


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_task_without_upstream_tasks_runs(rule: TriggerRule) -> None:
    assert judge(rule, Counts(0)) is V.RUN


def test_the_tables_are_closed() -> None:
    assert set(TABLE) == set(FINAL) == set(TriggerRule)
    assert len(TriggerRule) == 13


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_cancelled_upstream_is_judged_as_a_failed_one(rule: TriggerRule) -> None:
    for standing in standings():
        failed = tuple("failed" if state == "cancelled" else state for state in standing)
        assert judge(rule, count(standing)) is judge(rule, count(failed))


def test_more_ends_than_upstream_tasks_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="more upstream tasks ended"):
        judge(R.ALL_DONE, Counts(1, success=2))
