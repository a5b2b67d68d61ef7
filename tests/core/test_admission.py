"""Who gets the free slots, and what the others are told."""

from itertools import count

import pytest

from headway.core import admission, plan
from headway.core.admission import Pool, Session, Share
from headway.core.graph import Need
from headway.core.reasons import (
    AgentsFull,
    ExecutorUnknown,
    NoAgent,
    PoolEmpty,
    PoolFull,
    PoolMissing,
    PoolNotShared,
    PoolShared,
    PoolTooSmall,
    PoolTurn,
    QueueUnserved,
    QuotaFull,
    TeamSlots,
)
from tests.core.build import Story, task


def test_a_pool_that_does_not_exist_is_named() -> None:
    story = Story(task("a", pool="etl"), task("b")).begin()
    assert story.states() == {"a": "ready", "b": "queued"}
    assert story.at("a").blocked_reason == PoolMissing("etl")


@pytest.mark.parametrize("slots", [0, 1, 2])
def test_no_more_than_the_pool_has(slots: int) -> None:
    story = Story(*(task(f"t{n}", pool="etl") for n in range(3)))
    story.pools["etl"] = Pool("etl", slots, 0)
    story.begin()
    assert list(story.states().values()).count("queued") == slots
    why = PoolFull("etl", slots, slots) if slots else PoolEmpty("etl")
    assert story.at("t2").blocked_reason == why
    if slots:
        story.succeed("t0")
        assert story.pools["etl"].used == min(slots, 2)
    story.everything_counts()


def test_a_pool_below_what_is_in_use_starts_nothing() -> None:
    story = Story(*(task(f"t{n}") for n in range(4)))
    story.pools["default"].slots = 3
    story.begin()
    story.pools["default"].slots = 1
    story.succeed("t0")
    assert story.state("t3") == "ready"
    story.succeed("t1", "t2")
    assert story.state("t3") == "queued"


def test_slots_are_weighed() -> None:
    story = Story(task("big", pool_slots=3, priority_weight=5), task("small"), task("other"))
    story.pools["default"].slots = 4
    story.begin()
    assert story.states() == {"big": "queued", "small": "queued", "other": "ready"}
    assert story.pools["default"].used == 4
    story.succeed("big")
    assert story.pools["default"].used == 2


def test_a_big_one_that_is_next_is_not_overtaken() -> None:
    story = Story(
        task("a"), task("big", "a", pool_slots=2, priority_weight=9), task("b"), task("c")
    )
    story.pools["default"].slots = 2
    story.begin()
    story.succeed("a")
    assert story.states() == {"a": "success", "b": "queued", "big": "ready", "c": "ready"}
    story.succeed("b")
    assert (story.state("big"), story.state("c")) == ("queued", "ready")


def test_one_that_never_fits_does_not_stop_the_others() -> None:
    story = Story(task("huge", pool_slots=9, priority_weight=5), task("small"))
    story.pools["default"].slots = 4
    story.begin()
    assert story.states() == {"huge": "ready", "small": "queued"}
    assert story.at("huge").blocked_reason == PoolTooSmall("default", 9, 4)
    story.pools["default"].slots = 10
    story.tick()
    assert story.state("huge") == "queued"


def test_no_agent_and_no_place() -> None:
    story = Story(task("a"))
    story.run.now = story.run.now
    plan.begin(story.run)
    plan.settle(story.run)
    admission.grant([story.run], story.pools, [], lambda: "t")
    assert story.at("a").blocked_reason == NoAgent()
    admission.grant([story.run], story.pools, [Session("s", "local", 0)], lambda: "t")
    assert story.state("a") == "ready"


def test_the_agent_with_the_most_places_gets_the_next() -> None:
    story = Story(*(task(f"t{n}") for n in range(4)))
    plan.begin(story.run)
    plan.settle(story.run)
    sessions = [Session("s1", "one", 1), Session("s2", "two", 3)]
    tokens = count()
    admission.grant([story.run], story.pools, sessions, lambda: f"t{next(tokens)}")
    given = [attempt.session for _, attempt in story.run.changes.granted]
    assert sorted(given) == ["s1", "s2", "s2", "s2"]
    assert [s.free for s in sessions] == [0, 0]
    assert len({attempt.token for _, attempt in story.run.changes.granted}) == 4


def ordered(*stories: Story) -> list[str]:
    """The order in which one place at a time is given."""
    for number, story in enumerate(stories):
        story.run.run_id = f"r{number}"
        plan.begin(story.run)
        plan.settle(story.run)
    runs = [story.run for story in stories]
    pool = {"default": Pool("default", 1000, 0)}
    order = []
    while any(run.queues.first("default", Need()) for run in runs):
        before = {id(run): len(run.changes.granted) for run in runs}
        admission.grant(runs, pool, [Session("s", "local", 1)], lambda: "t")
        order += [
            f"{run.run_id}.{run.changes.granted[-1][0]}"
            for run in runs
            if len(run.changes.granted) > before[id(run)]
        ]
    return order


def test_priority_first_and_runs_take_turns() -> None:
    a = Story(task("x"), task("y"))
    b = Story(task("x", priority_weight=3), task("y"))
    assert ordered(a, b)[0] == "r1.x"
    assert sorted(ordered(Story(task("x"), task("y")), Story(task("x"), task("y")))[:2]) == [
        "r0.x",
        "r1.x",
    ]


def test_a_backfill_gives_way() -> None:
    assert ordered(Story(task("x"), backfill=True), Story(task("x"))) == ["r1.x", "r0.x"]


def test_a_grant_notes_when_it_was_given_and_forgets_the_start_before() -> None:
    story = Story(task("a", retries=1)).begin()
    story.start("a")
    story.fail("a").pass_time(400)
    granted = story.at("a")
    assert granted.attempt is not None
    assert granted.queued_at == granted.attempt.queued_at == story.run.now
    assert granted.started_at is None


def granted_to(story: Story, *sessions: Session, executors: tuple[str, ...] = ()) -> dict[str, str]:
    """The session of each task that was granted."""
    plan.begin(story.run)
    plan.settle(story.run)
    tokens = count()
    admission.grant(
        [story.run], story.pools, sessions, lambda: f"t{next(tokens)}", executors or ("agents",)
    )
    return {str(instance): attempt.session for instance, attempt in story.run.changes.granted}


def test_a_task_goes_only_where_its_queue_is_served() -> None:
    story = Story(task("a"), task("b", queue="gpu"), task("c", queue="tpu", priority_weight=9))
    cpu, gpu = Session("s1", "cpu", 4), Session("s2", "gpu", 4, ("gpu",))
    assert granted_to(story, cpu, gpu) == {"a": "s1", "b": "s2"}
    assert story.at("c").blocked_reason == QueueUnserved("tpu")


def test_places_of_the_versatile_are_left_for_what_only_they_can_run() -> None:
    story = Story(task("a"), task("b"), task("c", queue="gpu"))
    both, plain = Session("s1", "both", 9, ("default", "gpu")), Session("s2", "plain", 2)
    assert granted_to(story, both, plain) == {"a": "s2", "b": "s2", "c": "s1"}


def test_one_place_is_granted_once_whatever_it_serves() -> None:
    story = Story(task("a"), task("b", queue="gpu"), task("c"))
    assert len(granted_to(story, Session("s1", "both", 2, ("default", "gpu")))) == 2


def test_an_executor_is_asked_for_by_its_name() -> None:
    story = Story(task("a"), task("b", executor="pods"), task("c", executor="moon"))
    agents = Session("s1", "local", 4)
    pods = Session("s2", "cluster", 4, executor="pods", is_default=False)
    assert granted_to(story, agents, pods, executors=("agents", "pods")) == {"a": "s1", "b": "s2"}
    why = ExecutorUnknown("moon", ("agents", "pods"))
    assert story.at("c").blocked_reason == why


def test_a_full_queue_is_another_reason_than_one_that_nobody_serves() -> None:
    story = Story(task("a", queue="gpu"))
    assert granted_to(story, Session("s1", "one", 0, ("gpu",)), Session("s2", "two", 4)) == {}
    assert story.at("a").blocked_reason == AgentsFull(("one",))


def test_of_two_runs_the_more_urgent_goes_first_each_time() -> None:
    """However often one of them was first before."""
    stories = [
        Story(task("a", priority_weight=9), task("b", priority_weight=1)),
        Story(task("c", priority_weight=5)),
    ]
    for story in stories:
        plan.begin(story.run)
        plan.settle(story.run)
    tokens = count()
    admission.grant(
        [story.run for story in stories],
        {"default": Pool("default", 2, 0)},
        [Session("s1", "local", 9)],
        lambda: f"token{next(tokens)}",
    )
    assert [story.states() for story in stories] == [{"a": "queued", "b": "ready"}, {"c": "queued"}]


def test_who_fits_exactly_waits_for_an_agent_and_is_told_once() -> None:
    story = Story(task("a"))
    plan.begin(story.run)
    plan.settle(story.run)
    admission.grant([story.run], {"default": Pool("default", 1, 0)}, [], lambda: "token")
    assert story.at("a").blocked_reason == NoAgent()
    assert story.run.queues.fresh == []


def test_among_equals_the_one_with_the_most_places_is_first() -> None:
    sessions = [Session("s1", "small", 2), Session("s2", "large", 5)]
    assert granted_to(Story(task("a")), *sessions) == {"a": "s2"}


def test_agents_that_serve_another_queue_are_not_no_agents() -> None:
    story = Story(task("a"), task("b", queue="tpu"))
    assert granted_to(story, Session("s1", "gpu", 4, ("gpu",))) == {}
    assert isinstance(story.at("a").blocked_reason, QueueUnserved)
    story = Story(task("b", queue="tpu"))
    assert granted_to(story) == {}
    assert story.at("b").blocked_reason == QueueUnserved("tpu")


def test_a_team_starts_no_more_than_its_share() -> None:
    story = Story(*(task(f"t{n}") for n in range(3)))
    story.share = share = Share(team="shop", nominal=1, allotted=4, fair=2)
    story.begin()
    assert story.states() == {"t0": "queued", "t1": "queued", "t2": "ready"}
    assert (share.used, share.short) == (2, True)
    assert story.at("t2").blocked_reason == TeamSlots("shop", 2, 2, 1, 0)
    share.used -= 1
    story.succeed("t0")
    assert (story.state("t2"), share.used, share.short) == ("queued", 2, True)
    share.used -= 1
    story.succeed("t1")
    assert (share.used, share.short) == (1, False)


def test_what_nobody_else_wants_is_not_counted() -> None:
    story = Story(task("a"), task("b"))
    story.share = Share(team="shop", used=9)
    story.begin()
    assert story.states() == {"a": "queued", "b": "queued"}
    assert (story.share.used, story.share.is_full, story.share.slack) == (11, False, 0)


@pytest.mark.parametrize(
    ("share", "limit", "slack"),
    [
        (Share(team="t", allotted=6, fair=4, used=2), 4, 4),
        (Share(team="t", allotted=6, fair=4, used=2, short=True), 4, 2),
        (Share(team="t", allotted=6, fair=9, used=2, short=True), 6, 0),
        (Share(team="t", allotted=6, fair=4, kept=5), 4, 1),
        (Share(team="t", allotted=6, fair=0, used=7), 0, 0),
        (Share(team="t", allotted=6), None, 0),
        (Share(team="t", fair=6), None, 0),
    ],
)
def test_what_a_team_may_use_and_what_others_could_have(
    share: Share, limit: int | None, slack: int
) -> None:
    assert (share.limit, share.slack) == (limit, slack)
    assert share.is_full == (limit is not None and share.used >= limit)


def test_a_team_is_told_what_it_borrows_and_what_is_lent_of_its_own() -> None:
    assert Share(team="t", nominal=2, allotted=5, fair=5, used=5).why() == TeamSlots(
        "t", 5, 5, 3, 0
    )
    assert Share(team="t", nominal=5, allotted=2, fair=5, used=2).why() == TeamSlots(
        "t", 2, 2, 0, 3
    )
    assert Share(team="t", allotted=2, fair=5, used=2).why() == TeamSlots("t", 2, 2, 0, 0)


def test_of_a_shared_pool_a_team_uses_its_part() -> None:
    story = Story(*(task(f"t{n}", pool="etl") for n in range(3)))
    story.pools["etl"] = Pool("etl", 4, 0, allotted=2)
    story.begin()
    assert story.states() == {"t0": "queued", "t1": "queued", "t2": "ready"}
    assert story.at("t2").blocked_reason == PoolShared("etl", 2, 2, 4)
    assert Pool("etl", 4, 0, allotted=2).is_shared
    assert not Pool("etl", 4, 0).is_shared


def test_a_pool_that_is_lent_no_longer_starts_nothing() -> None:
    story = Story(task("a", pool="@shop/etl"))
    story.pools["@shop/etl"] = Pool("@shop/etl", 4, 0, allotted=0, is_open=False)
    story.begin()
    assert story.at("a").blocked_reason == PoolNotShared("etl", "shop")


def test_one_that_would_fit_behind_one_that_does_not_waits_for_its_turn() -> None:
    story = Story(task("big", pool_slots=3, priority_weight=5), task("small"))
    story.pools["default"].slots, story.pools["default"].used = 4, 2
    story.begin()
    assert story.states() == {"big": "ready", "small": "ready"}
    assert story.at("big").blocked_reason == PoolFull("default", 2, 4)
    assert story.at("small").blocked_reason == PoolTurn("default")


def test_an_executor_says_why_it_has_no_place() -> None:
    quota = QuotaFull("cpu", "64", "64", "2", {"etl": 3})
    full = [Session("s1", "one", 0), Session("s2", "cluster", 0, full=quota)]
    story = Story(task("a"))
    plan.begin(story.run)
    plan.settle(story.run)
    admission.grant([story.run], story.pools, full, story.token)
    assert story.at("a").blocked_reason == quota
