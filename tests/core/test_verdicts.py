"""What a verdict says of itself: how many ended how, and whose end decided it."""

from headway.core import mapping, plan
from headway.core.mapping import MAP_LENGTH_MAX
from headway.core.reasons import Reason, RuleMet, RuleNotMet, TooManyItems
from headway.core.reports import Outcome
from headway.core.states import Event
from headway.core.upstream import TriggerRule
from tests.core.build import Story, task

ANN = "user:ann"


def said(story: Story, name: str) -> Reason | None:
    """The reason of its last move, when all follows that follows by itself."""
    plan.settle(story.run)
    instance = story.at(name)
    moves = [move for move in story.run.changes.moves if move.instance is instance]
    return moves[-1].reason


def test_a_rule_that_is_met_counts_every_kind_of_end() -> None:
    story = Story(
        *(task(name) for name in ("good", "bad", "left_out", "stopped")),
        task("below", "bad"),
        task("end", "good", "bad", "left_out", "stopped", "below", trigger_rule="all_done"),
    ).begin()
    story.end("good")
    story.end("bad", Outcome.FAILED)
    story.end("left_out", Outcome.SKIPPED)
    plan.intend(story.run, story.at("stopped"), Event.CANCEL, ANN)
    story.end("stopped", Outcome.CANCELLED)
    ends = {"success": 1, "skipped": 1, "failed": 1, "upstream_failed": 1, "cancelled": 1}
    assert said(story, "end") == RuleMet(TriggerRule.ALL_DONE, 5, ends)


def test_kinds_of_end_that_nobody_had_are_not_counted() -> None:
    story = Story(task("a"), task("b"), task("end", "a", "b")).begin()
    story.end("a")
    story.end("b")
    assert said(story, "end") == RuleMet(TriggerRule.ALL_SUCCESS, 2, {"success": 2})


def not_met(*outcomes: Outcome, rule: str = "all_success") -> Reason | None:
    names = [f"t{number}" for number in range(len(outcomes))]
    story = Story(*(task(name) for name in names), task("end", *names, trigger_rule=rule)).begin()
    for name, outcome in zip(names, outcomes, strict=True):
        if outcome is Outcome.CANCELLED:
            plan.intend(story.run, story.at(name), Event.CANCEL, ANN)
        story.end(name, outcome)
    return said(story, "end")


def test_the_first_few_who_decided_it_are_named() -> None:
    failed = Outcome.FAILED
    assert not_met(Outcome.SUCCESS, *[failed] * 5) == RuleNotMet(
        rule=TriggerRule.ALL_SUCCESS,
        total=6,
        ends={"success": 1, "failed": 5},
        tasks=("t1", "t2", "t3"),
        more=2,
        state="failed",
    )
    assert not_met(Outcome.SUCCESS, failed) == RuleNotMet(
        rule=TriggerRule.ALL_SUCCESS,
        total=2,
        ends={"success": 1, "failed": 1},
        tasks=("t1",),
        more=0,
        state="failed",
    )


def test_who_ended_in_different_ways_has_no_one_state() -> None:
    reason = not_met(Outcome.FAILED, Outcome.CANCELLED)
    assert isinstance(reason, RuleNotMet)
    assert (reason.tasks, reason.state) == (("t0", "t1"), "")


def test_a_skip_names_what_was_skipped() -> None:
    reason = not_met(Outcome.SUCCESS, Outcome.SKIPPED)
    assert isinstance(reason, RuleNotMet)
    assert (reason.tasks, reason.more, reason.state) == (("t1",), 0, "skipped")


def test_a_failure_beside_its_list_is_not_waited_with() -> None:
    story = Story(task("items"), task("other"), task("each", "other", over=["items"])).begin()
    story.fail("other")
    assert story.states() == {"items": "queued", "other": "failed", "each": "upstream_failed"}


# -- lists


def test_as_many_items_as_are_allowed_and_one_more() -> None:
    run = Story(task("items"), task("each", over=["items"])).run
    each = run.graph.nodes[run.graph.by_id["each"]]
    assert mapping.refusal(run, each, [MAP_LENGTH_MAX]) is None
    assert mapping.refusal(run, each, [MAP_LENGTH_MAX + 1]) == TooManyItems(
        MAP_LENGTH_MAX + 1, MAP_LENGTH_MAX
    )


def test_the_place_on_each_axis() -> None:
    story = Story(task("a"), task("b"), task("each", over=["a", 2, "b"])).begin()
    story.end("a", length=2)
    story.end("b", length=3)
    story.tick()
    assert story.indexes("each") == list(range(12))
    places = [mapping.positions(story.run, story.at(f"each[{n}]")) for n in (0, 4, 11)]
    assert places == [[0, 0, 0], [0, 1, 1], [1, 1, 2]]


def test_a_list_that_is_empty_by_now_leaves_the_last_place() -> None:
    story = Story(task("a"), task("b"), task("each", over=["a", "b"])).begin()
    story.end("a", length=3)
    story.end("b", length=2)
    story.tick()
    story.at("b").length = 0
    assert mapping.positions(story.run, story.at("each[2]")) == [2, 0]
