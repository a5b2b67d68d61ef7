"""The first rule that names what ended an attempt decides on its retry."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product

import pytest

from headway.core import wording
from headway.core.reasons import AttemptFailed, GivenUp
from headway.core.reports import Outcome
from headway.core.retry import (
    DELAY_MAX_S,
    LOSSES_MAX,
    SPACING_S,
    Cause,
    Ending,
    GiveUp,
    Retry,
    RetryPolicy,
    Rule,
    Ruled,
    next_step,
)
from headway.core.waits.deferral import Awaited, Deferral, Overdue
from headway.spec.model import RetryRule
from tests.core.build import Story, task

OWN = RetryPolicy(2, 10.0, exponential=False, max_delay_s=3_600, jitter=0.0)
CONNECTION = (
    "requests.exceptions.ConnectTimeout", "requests.exceptions.ConnectionError",
    "builtins.OSError", "builtins.Exception",
)  # fmt: skip


def rule(retries: int, delay_s: float = 10.0, **named: frozenset[object]) -> Rule:
    return Rule(replace(OWN, retries=retries, delay_s=delay_s), **named)  # type: ignore[arg-type]


def step(policy: RetryPolicy, cause: Cause, failures: int = 1) -> Retry | GiveUp:
    return next_step(policy, cause, failures, 0, LOSSES_MAX, Ending.FAILED, 0.0)


OS_ERROR = rule(5, 60.0, exceptions=frozenset({"builtins.OSError"}))
CODES = rule(4, 1.0, exit_codes=frozenset({75, 137}))
TIMEOUT = rule(0, causes=frozenset({"timeout"}))
MEMORY = rule(1, causes=frozenset({"memory"}))
RULES = (OS_ERROR, CODES, TIMEOUT, MEMORY)


@pytest.mark.parametrize(
    ("cause", "decides", "on", "exit_code"),
    [
        (Cause("exception", ("builtins.OSError", "builtins.Exception")), OS_ERROR, "builtins.OSError", None),
        (Cause("exception", CONNECTION), OS_ERROR, "builtins.OSError", None),
        (Cause("exit_code", (), 75), CODES, "", 75),
        (Cause("exception", ("headway.CommandFailed",), 75), CODES, "", 75),
        (Cause("signal", (), -9), CODES, "", 137),
        (Cause("exit_code", (), 137), CODES, "", 137),
        (Cause("timeout"), TIMEOUT, "timeout", None),
        (Cause("memory"), MEMORY, "memory", None),
        (Cause("memory", (), -9), MEMORY, "memory", None),
    ],
)  # fmt: skip
def test_a_rule_decides_what_it_names_wherever_it_stands(
    cause: Cause, decides: Rule, on: str, exit_code: int | None
) -> None:
    others = [each for each in RULES if not (cause.word == "memory" and each is CODES)]
    for order in permutations(others):
        policy = replace(OWN, rules=order)
        by = Ruled(order.index(decides) + 1, on, exit_code)
        for failures in range(1, 8):
            found = step(policy, cause, failures)
            if failures > decides.policy.retries:
                assert found == GiveUp(decides.policy.retries, by)
            else:
                assert found == Retry(decides.policy.delay_s, decides.policy.retries, by)


@pytest.mark.parametrize(
    "cause",
    [
        Cause(),
        Cause("exception", ("builtins.ValueError", "builtins.Exception")),
        Cause("exception", ("OSError",)),  # of the DAG file
        Cause("exit_code", (), 1),
        Cause("signal", (), -15),
        Cause("signal", (), -75),
        Cause("result"),
        Cause("wait_failed"),
    ],
)
def test_what_no_rule_names_is_as_without_rules(cause: Cause) -> None:
    for failures in range(1, 5):
        assert step(replace(OWN, rules=RULES), cause, failures) == step(OWN, cause, failures)
        assert step(OWN, cause, failures).by is None


def test_the_first_rule_that_names_the_end_decides() -> None:
    special = rule(0, exceptions=frozenset({CONNECTION[0]}))
    general = rule(9, exceptions=frozenset({"builtins.Exception"}))
    assert step(replace(OWN, rules=(special, general)), Cause("exception", CONNECTION)) == GiveUp(
        0, Ruled(1, CONNECTION[0])
    )
    found = step(replace(OWN, rules=(general, special)), Cause("exception", CONNECTION))
    assert found == Retry(10.0, 9, Ruled(1, "builtins.Exception"))


def test_a_rule_of_several_causes_tells_the_one_that_it_was() -> None:
    both = rule(3, exceptions=frozenset({"builtins.OSError"}), exit_codes=frozenset({75}))
    policy = replace(OWN, rules=(both,))
    assert step(policy, Cause("exit_code", (), 75)).by == Ruled(1, "", 75)
    assert step(policy, Cause("exception", CONNECTION, 75)).by == Ruled(1, "builtins.OSError")


def test_a_loss_is_free_whatever_the_rules_say() -> None:
    named = rule(0, causes=frozenset({"lost", "no_heartbeat"}), exit_codes=frozenset({137}))
    policy = replace(OWN, rules=(named,))
    for losses in range(1, LOSSES_MAX + 2):
        for cause in (Cause("lost"), Cause("no_heartbeat", (), -9)):
            with_rules = next_step(policy, cause, 9, losses, LOSSES_MAX, Ending.LOST, 0.0)
            assert with_rules == next_step(OWN, Cause(), 0, losses, LOSSES_MAX, Ending.LOST, 0.0)


def test_no_signal_is_no_signal() -> None:
    policy = replace(OWN, rules=(rule(9, exit_codes=frozenset({128})),))
    assert step(policy, Cause("exit_code", (), 0)).by is None
    assert step(policy, Cause("exit_code", (), 128)).by == Ruled(1, "", 128)


def test_the_count_of_failures_is_one_for_all_rules() -> None:
    """Whatever ends a task, it fails at most once more often than the greatest number of retries."""
    policy = replace(OWN, rules=RULES)
    assert policy.most == 5
    ends = [Cause("exception", CONNECTION), Cause("exit_code", (), 75), Cause("timeout"), Cause()]
    for order in product(ends, repeat=policy.most + 1):
        steps = [step(policy, cause, number) for number, cause in enumerate(order, 1)]
        assert any(isinstance(each, GiveUp) for each in steps), order


def test_an_exponential_delay_of_a_rule_grows_with_the_failures() -> None:
    doubled = Rule(replace(OWN, retries=9, exponential=True), causes=frozenset({"timeout"}))
    policy = replace(OWN, rules=(doubled,))
    waits = [step(policy, Cause("timeout"), number) for number in (1, 2, 3)]
    assert [each.delay_s for each in waits if isinstance(each, Retry)] == [10, 20, 40]


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(0.0, SPACING_S), (7.5, 7.5), (1e12, DELAY_MAX_S), (86_400.0, 86_400.0)],
)
def test_the_delay_that_a_policy_in_the_task_asks_for_comes_first(
    asked: float, waits: float
) -> None:
    cause = Cause("exception", (), None, asked, "rate limit")
    assert step(OWN, cause) == Retry(waits, 2, Ruled(reason="rate limit"))
    assert step(OWN, cause, 3) == GiveUp(2, Ruled(reason="rate limit"))
    assert step(OWN, replace(cause, delay_s=None)) == Retry(10.0, 2, Ruled(reason="rate limit"))


# -- in a run


POLICY = (
    RetryRule(exceptions=("builtins.OSError",), retries=3, retry_delay_s=7, reason="the API naps"),
    RetryRule(exceptions=("builtins.ValueError",), retries=0),
    RetryRule(exit_codes=(75,), retries=2),
    RetryRule(causes=("timeout",), retries=1, retry_delay_s=1),
    RetryRule(causes=("oom",), retries=2, retry_delay_s=2),
)
RULED = task("a", retries=1, retry_delay_s=10, retry_policy=POLICY, execution_timeout_s=30)


def words(story: Story) -> str:
    reason = story.at("a").reason
    assert reason is not None
    return wording.said(reason)


def test_a_run_waits_and_ends_as_the_rules_say() -> None:
    story = Story(RULED).begin()
    for number in (1, 2, 3):
        story.fail("a", cause="exception", exceptions=CONNECTION, detail="ConnectTimeout: no")
        assert story.run.due_at == story.run.now + timedelta(seconds=7)
        by = Ruled(1, "builtins.OSError", None, "the API naps")
        why = story.at("a").reason
        assert why == AttemptFailed("exception", "ConnectTimeout: no", number, 3, by)
        said = f"ConnectTimeout: no (retry {number} of 3 by retry rule 1 for OSError: the API naps)"
        assert words(story) == said
        story.pass_time(7)
    story.fail("a", cause="exception", exceptions=CONNECTION, detail="ConnectTimeout: no")
    assert story.state("a") == "failed"
    assert words(story) == (
        "ConnectTimeout: no (failed 4 times: retry rule 1 for OSError allows 3 retries: the API naps)"
    )


@pytest.mark.parametrize(
    ("end", "state", "waits_s", "said"),
    [
        ({"cause": "exception", "exceptions": ("builtins.ValueError",)}, "failed", 0,
         "no (retry rule 2 for ValueError allows no retry)"),
        ({"cause": "exit_code", "exit_code": 75}, "up_for_retry", 10,
         "no (retry 1 of 2 by retry rule 3 for exit code 75)"),
        ({"cause": "memory"}, "up_for_retry", 2, "no (retry 1 of 2 by retry rule 5 for out of memory)"),
        ({"cause": "exit_code", "exit_code": 1}, "up_for_retry", 10, "no"),
        ({"cause": "exception", "retry_delay_s": 4.0}, "up_for_retry", 4, "no (retry 1 of 1 by its retry policy)"),
    ],
)  # fmt: skip
def test_each_end_has_its_rule(end: dict[str, object], state: str, waits_s: int, said: str) -> None:
    story = Story(RULED).begin().fail("a", detail="no", **end)
    assert story.state("a") == state
    assert words(story) == said
    if waits_s:
        assert story.run.due_at == story.run.now + timedelta(seconds=waits_s)


def test_fail_is_the_end_whatever_the_rules_say() -> None:
    story = Story(RULED).begin().fail("a", cause="exit_code", exit_code=75, retry=False)
    assert story.state("a") == "failed"
    assert story.at("a").failures == 1


def test_the_time_out_of_a_deferred_attempt_is_a_time_out() -> None:
    story = Story(RULED).begin()
    story.start("a")
    wait = Deferral(kind=Awaited.TRIGGER, facts={"what": "a file"}, overdue=Overdue.FAIL)
    story.end("a", Outcome.DEFERRED, deferral=wait)
    story.tick().pass_time(30)
    why = story.at("a").reason
    assert isinstance(why, AttemptFailed)
    assert why.by == Ruled(4, "timeout")
    assert (why.failures, why.retries) == (1, 1)
    story.pass_time(1)
    story.fail("a", cause="timeout")
    assert story.at("a").reason == GivenUp("timeout", "ValueError: no", 2, 1, Ruled(4, "timeout"))
