"""One run's life: reports and timers in, moves out."""

from datetime import timedelta

import pytest

from headway.core import plan, wording
from headway.core.reasons import (
    AgentsFull,
    AttemptFailed,
    DagPaused,
    GivenUp,
    LeavesFailed,
    LeavesSucceeded,
    LostTooOften,
    MaxActiveTasks,
    MaxActiveTis,
    RunTimedOut,
    SkippedItself,
)
from headway.core.reports import Outcome
from headway.core.retry import LOSSES_MAX
from tests.core.build import NOON, Story, chain, task

NEVER_STARTED = {"started": False, "cause": "never_started"}


def test_a_chain_runs_one_after_the_other() -> None:
    story = Story(*chain(3)).begin()
    assert story.states() == {"t0": "queued", "t1": "waiting", "t2": "waiting"}
    for name in ("t0", "t1", "t2"):
        assert story.start(name)
        assert story.state(name) == "running"
        story.succeed(name)
    assert (story.run.state, story.run.reason) == (
        "success",
        LeavesSucceeded(),
    )
    story.everything_counts()


def test_every_move_says_why() -> None:
    story = Story(*chain(2), max_active_tasks=1)
    plan.begin(story.run)
    plan.settle(story.run)
    assert all(move.reason is not None and move.actor for move in story.run.changes.moves)


def test_leaves_decide_the_outcome() -> None:
    story = Story(
        task("a"), task("b", "a", trigger_rule="all_done"), task("c", "a", trigger_rule="all_done")
    ).begin()
    story.fail("a").succeed("b", "c")
    assert story.run.state == "success"
    story = Story(task("a"), task("b", "a"), task("c", "a", trigger_rule="all_done")).begin()
    story.fail("a").succeed("c")
    assert (story.run.state, story.run.reason) == ("failed", LeavesFailed(("b",)))


def test_an_upstream_failure_goes_all_the_way_down() -> None:
    story = Story(*chain(4)).begin().fail("t0")
    assert set(story.states().values()) == {"failed", "upstream_failed"}


# -- results and stale reports


def test_a_report_with_an_old_token_or_number_changes_nothing() -> None:
    story = Story(task("a", retries=2)).begin()
    token = story.at("a").attempt.token  # type: ignore[union-attr]
    assert not story.end("a", token="guessed")
    assert not story.end("a", number=2)
    assert not story.start("a", token="guessed")
    assert not story.start("a", task_id="b")
    assert story.state("a") == "queued"
    story.fail("a").pass_time(400)
    assert not story.end("a", token=token, number=1)
    assert not story.end("a", token=token)
    assert not story.run.changes
    assert story.state("a") == "queued"


def test_what_was_seen_of_a_session_counts_while_the_attempt_is_bound_to_it() -> None:
    story = Story(task("a"), task("b", "a")).begin()
    attempt = story.at("a").attempt
    assert attempt is not None
    assert not story.end("a", session="that of the cluster")
    assert not story.run.changes
    assert story.end("a", session=attempt.session)


def test_an_end_is_taken_once() -> None:
    story = Story(task("a"), task("b", "a")).begin()
    attempt = story.at("a").attempt
    assert attempt is not None
    values = {"token": attempt.token, "number": 1}
    story.succeed("a")
    from headway.core.reports import Ended

    again = Ended(task_id="a", map_index=-1, outcome=Outcome.FAILED, **values)  # type: ignore[arg-type]
    assert not plan.absorb(story.run, again, lambda: 0.5)
    assert story.state("a") == "success"


def test_a_start_told_twice_or_late_is_harmless() -> None:
    story = Story(task("a")).begin()
    assert story.start("a", age_s=3600.0, pid=7)
    attempt = story.at("a").attempt
    assert attempt is not None
    assert attempt.started_at == attempt.queued_at == NOON  # clamped
    assert story.start("a")
    assert story.state("a") == "running"


def test_an_end_brings_its_start_with_it() -> None:
    story = Story(task("a")).begin()
    story.run.now += timedelta(seconds=60)
    assert story.end("a", run_s=20.0, age_s=5.0)
    (_, attempt) = story.run.changes.attempts[0, -1, 1]
    assert attempt.started_at == NOON + timedelta(seconds=35)
    assert [m.name for m in story.run.changes.moves] == ["start", "succeed"]


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.SKIPPED, Outcome.LOST])
def test_what_never_started_has_no_result(outcome: Outcome) -> None:
    story = Story(task("a")).begin()
    assert story.end("a", outcome, **NEVER_STARTED)
    story.run.changes.moves.clear()
    assert story.state("a") == "up_for_retry"
    assert (story.at("a").losses, story.at("a").failures) == (1, 0)
    assert story.run.changes.results == []


def test_an_alert_that_does_not_decide_hides_no_failure() -> None:
    alert = task("alert", "a", "b", trigger_rule="one_failed", decides_outcome=False)
    story = Story(task("a"), task("b"), alert).begin().fail("a").succeed("b").succeed("alert")
    assert story.run.state == "failed"
    assert story.run.reason == LeavesFailed(("a",))
    well = Story(task("a"), task("b"), alert).begin().succeed("a", "b")
    assert (well.state("alert"), well.run.state) == ("skipped", "success")


def test_a_success_names_the_failures_that_do_not_decide() -> None:
    alert = task("alert", "a", trigger_rule="all_done", decides_outcome=False)
    story = Story(task("a"), alert).begin().succeed("a").fail("alert")
    assert (story.run.state, story.run.reason) == ("success", LeavesSucceeded(("alert",)))
    well = Story(task("a"), alert).begin().succeed("a").succeed("alert")
    assert well.run.reason == LeavesSucceeded()


def test_what_stands_below_an_alert_decides() -> None:
    alert = task("alert", "a", trigger_rule="all_done", decides_outcome=False)
    last = task("last", "alert", trigger_rule="all_done")
    story = Story(task("a"), alert, last).begin().fail("a").fail("alert").succeed("last")
    assert story.run.state == "success"


def test_only_a_success_leaves_results() -> None:
    story = Story(task("a", retries=1)).begin()
    story.end("a", Outcome.FAILED, xcoms=("half",))
    assert story.run.changes.results == []
    story.tick().pass_time(400)
    story.end("a", xcoms=("whole",))
    assert [r.xcom for r in story.run.changes.results] == ["whole"]


# -- retries and losses


def test_the_users_retries_and_then_the_end() -> None:
    story = Story(task("a", retries=2, retry_delay_s=10)).begin()
    for number in (1, 2):
        story.fail("a")
        assert (story.state("a"), story.at("a").failures) == ("up_for_retry", number)
        assert story.run.due_at == story.run.now + timedelta(seconds=10)
        story.pass_time(9)
        assert story.state("a") == "up_for_retry"
        story.pass_time(1)
        assert story.state("a") == "queued"
        assert story.run.due_at is None
    story.fail("a")
    assert (story.state("a"), story.at("a").attempts, story.run.state) == ("failed", 3, "failed")
    assert story.at("a").reason == GivenUp("", "ValueError: no", failures=3, retries=2)


def test_losses_use_no_retry_and_have_their_own_bound() -> None:
    story = Story(task("a", retries=1)).begin()
    for number in range(1, LOSSES_MAX + 1):
        story.end("a", Outcome.LOST)
        story.tick()
        assert (story.state("a"), story.at("a").losses) == ("up_for_retry", number)
        story.pass_time(60)
    assert story.at("a").failures == 0
    story.fail("a").pass_time(400)
    assert story.state("a") == "queued"
    story.end("a", Outcome.LOST)
    story.tick()
    assert story.state("a") == "failed"
    assert story.at("a").reason == LostTooOften("", "", losses=LOSSES_MAX + 1)


def test_a_task_that_says_no_is_not_tried_again() -> None:
    story = Story(task("a", retries=5)).begin().fail("a", retry=False)
    assert (story.state("a"), story.at("a").attempts) == ("failed", 1)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"detail": "ValueError: no", "cause": "exception"}, "ValueError: no"),
        ({"detail": "", "cause": "timeout"}, "timeout"),
    ],
)
def test_what_failed_for_good_says_why_or_at_least_how(said: dict[str, str], reason: str) -> None:
    story = Story(task("a", retries=5)).begin().fail("a", retry=False, **said)
    why = story.at("a").reason
    assert why == AttemptFailed(said["cause"], said["detail"])
    assert wording.said(why) == reason


def test_a_task_may_skip_itself() -> None:
    story = Story(task("a"), task("b", "a")).begin()
    story.end("a", Outcome.SKIPPED, detail="no flights")
    story.tick()
    assert story.states() == {"a": "skipped", "b": "skipped"}
    assert (story.at("a").reason, story.run.state) == (SkippedItself("no flights"), "success")


def test_the_attempts_of_a_dead_session_are_taken_back() -> None:
    story = Story(task("a"), task("b")).begin()
    story.start("a")
    plan.rescue(story.run, {"another"}, lambda: 0.5)
    assert story.states() == {"a": "running", "b": "queued"}
    plan.rescue(story.run, {"s1"}, lambda: 0.5)
    assert story.states() == {"a": "up_for_retry", "b": "up_for_retry"}
    assert {a.cause for _, a in story.run.changes.attempts.values()} == {"no_heartbeat"}
    story.tick()
    assert story.run.live == story.pools["default"].used == 0


# -- timers of the run


def test_a_timer_that_is_set_or_taken_back_is_written() -> None:
    """Though nothing else changes: whoever looks for runs that are due reads it there."""
    story = Story(task("a"), dagrun_timeout_s=60).begin()
    story.run.due_at = None
    assert not story.run.changes
    plan.settle(story.run)
    assert story.run.due_at == NOON + timedelta(seconds=60)
    assert story.run.changes


def test_dagrun_timeout_cancels_what_is_open_and_fails_the_run() -> None:
    story = Story(task("a"), task("b", "a"), task("c", retries=1), dagrun_timeout_s=60).begin()
    story.fail("c")
    assert story.run.due_at == NOON + timedelta(seconds=60)
    story.pass_time(60)
    assert story.states() == {"a": "queued", "b": "cancelled", "c": "cancelled"}
    assert (story.at("a").intent, story.run.state) == ("cancel", "running")
    assert story.run.due_at is None
    story.end("a", Outcome.CANCELLED)
    story.tick()
    assert (story.state("a"), story.run.state) == ("cancelled", "failed")
    assert story.run.reason == RunTimedOut(60)


def test_dagrun_timeout_begins_anew_after_a_clear() -> None:
    from headway.core import commands
    from headway.core.commands import Selection

    story = Story(task("a"), dagrun_timeout_s=60).begin().succeed("a")
    story.run.now += timedelta(hours=5)
    commands.clear(story.run, commands.select(story.run, Selection()), "user:ann")
    story.write().begin()
    assert story.states() == {"a": "queued"}
    assert story.run.due_at == story.run.now + timedelta(seconds=60)


# -- pauses and caps


def test_a_pause_takes_the_ranks_back_and_its_end_gives_them_again() -> None:
    story = Story(task("a"), task("b"), task("c", "a"))
    story.places = 1
    story.begin()
    assert story.states() == {"a": "queued", "b": "ready", "c": "waiting"}
    story.run.paused_by = "ann"
    story.run.hold()
    assert story.at("b").key in story.run.changes.touched  # or its pool's order would still have it
    story.tick()
    assert (story.at("b").rank, story.at("b").blocked_reason) == (None, DagPaused("ann"))
    story.succeed("a")
    assert story.states() == {"a": "success", "b": "ready", "c": "ready"}
    assert story.at("c").blocked_reason == DagPaused("ann")
    story.everything_counts()
    assert story.run.queues.pause_noted
    story.run.paused_by = None
    story.tick()
    assert not story.run.queues.pause_noted  # or it would be looked for in each turn
    assert sorted(story.states().values()) == ["queued", "ready", "success"]
    (left,) = [i for i in story.run.all() if i.state == "ready"]
    assert left.blocked_reason == AgentsFull(("local",))
    story.everything_counts()


def test_max_active_tasks_of_a_run() -> None:
    story = Story(*(task(f"t{n}", priority_weight=n + 1) for n in range(4)), max_active_tasks=2)
    story.begin()
    assert story.states() == {"t0": "ready", "t1": "ready", "t2": "queued", "t3": "queued"}
    assert story.at("t0").blocked_reason == MaxActiveTasks(2)
    story.succeed("t3")
    assert (story.state("t1"), story.state("t0")) == ("queued", "ready")
    story.everything_counts()


def test_max_active_tis_per_dagrun_of_a_task() -> None:
    story = Story(task("m", over=[5], max_active_tis_per_dagrun=2), task("other")).begin()
    assert [story.state(f"m[{n}]") for n in range(5)] == ["queued"] * 2 + ["ready"] * 3
    assert story.state("other") == "queued"
    assert story.at("m[4]").blocked_reason == MaxActiveTis(2)
    story.succeed("m[0]")
    assert (story.state("m[2]"), story.state("m[3]")) == ("queued", "ready")
    story.everything_counts()


def test_a_cap_is_named_again_after_a_pause() -> None:
    story = Story(task("a"), task("b"), max_active_tasks=1)
    story.run.paused_by = "ann"
    story.begin()
    assert story.at("b").blocked_reason == DagPaused("ann")
    story.run.paused_by = None
    plan.settle(story.run)
    assert story.at("b").blocked_reason == MaxActiveTasks(1)
    assert story.at("b").key in story.run.changes.touched  # and written
