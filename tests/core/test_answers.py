"""Answers to questions: what they make of a task, by a person or by the clock, and what is no answer any more."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from headway.core import answering, commands
from headway.core.questions import (
    Answer,
    Ask,
    Question,
    default_answer,
    flaw_of_options,
    followed,
    may_answer,
    question_of,
    result_of,
)
from headway.core.reasons import Answered, AnsweredByDefault, AwaitsAnswer, Rejected
from headway.core.reports import Outcome
from headway.core.run import Attempt, Given
from headway.core.states import AttemptState, Event
from headway.core.waits.deferral import Awaited, Deferral, Overdue
from headway.core.wording import said
from tests.core.build import NOON, Story, task

APPROVAL: Mapping[str, Any] = {
    "ask": "approve",
    "subject": "Release?",
    "options": ["Approve", "Reject"],
    "follows": {"Approve": ["b"], "Reject": []},
    "keys": ["return_value"],
}


def asking(*tasks: Any, wait: Mapping[str, Any] | None = None, **facts: Any) -> Story:
    """A run whose task ``a`` asks."""
    given = tasks or (task("a", branch=True), task("b", "a"))
    story = Story(*given).begin()
    options = {"finishes": True, **(wait or {})}
    deferral = Deferral(kind=Awaited.ANSWER, facts={**APPROVAL, **facts}, **options)
    story.end("a", Outcome.DEFERRED, deferral=deferral, run_s=1.0)
    return story.tick()


def take(story: Story, *chosen: str, **params: Any) -> Given:
    """Take an answer, and return what is to be stored of it."""
    given = Answer(chosen=chosen, params=params, by="user:ann", at=story.run.now)
    answering.take(story.run, story.at("a"), given)
    return story.run.changes.given[-1]


def answer(story: Story, *chosen: str, **params: Any) -> Story:
    take(story, *chosen, **params)
    return story.tick()


def attempt_of(story: Story) -> Attempt:
    attempt = story.at("a").attempt
    assert attempt is not None
    return attempt


def test_a_question_holds_no_slot_and_is_open_until_it_is_answered() -> None:
    story = asking()
    assert (story.state("a"), story.run.live, story.run.due_at) == ("deferred", 0, None)
    assert answering.open_question(story.at("a")) is not None
    answer(story, "Approve")
    assert story.states() == {"a": "success", "b": "queued"}
    assert answering.open_question(story.at("a")) is None
    story.everything_counts()


def test_a_rejection_leaves_out_what_is_downstream() -> None:
    story = answer(asking(), "Reject")
    assert story.states() == {"a": "success", "b": "skipped"}
    assert story.at("a").follow == frozenset()
    assert answer(asking(), "Approve").at("a").follow is None  # all of it goes on


def test_an_answer_updates_the_assets_of_its_task() -> None:
    story = asking(task("a", outlets=("data",)), follows=None)
    take(story, "Approve")
    assert [each.asset for each in story.run.changes.emitted] == ["data"]


def test_a_refusal_fails_the_task_for_good() -> None:
    story = asking(task("a", branch=True, retries=2), task("b", "a"), refusals=["Reject"])
    attempt = attempt_of(story)
    noted = take(story, "Reject")
    assert noted.values == {}
    story.tick()
    assert story.states() == {"a": "failed", "b": "upstream_failed"}
    assert story.at("a").failures == 1
    assert (attempt.state, attempt.cause) == (AttemptState.FAILED, answering.REJECTED)
    assert attempt.detail == "Reject: user:ann"


def test_one_refusal_among_several_options_is_one() -> None:
    facts: dict[str, Any] = {
        "options": ["Approve", "Reject", "Later"],
        "multiple": True,
        "refusals": ["Reject"],
    }
    assert answer(asking(**facts), "Approve", "Reject").state("a") == "failed"
    assert answer(asking(**facts), "Approve", "Later").state("a") == "success"


def test_a_refusal_fails_fast() -> None:
    tasks = (task("a"), task("c"))
    story = Story(*tasks, fail_fast=True).begin()
    facts = {**APPROVAL, "refusals": ["Reject"]}
    deferral = Deferral(kind=Awaited.ANSWER, facts=facts, finishes=True)
    story.end("a", Outcome.DEFERRED, deferral=deferral, run_s=1.0)
    answer(story.tick(), "Reject")
    assert (story.state("a"), story.at("c").intent) == ("failed", Event.FAIL)


def test_what_an_answer_leaves_is_noted_once() -> None:
    story = asking(keys=["approved", "return_value"])
    attempt = attempt_of(story)
    noted = take(story, "Approve", x=1)
    assert story.run.changes.given == [noted]
    assert noted.values["approved"] is True
    assert noted.values["return_value"]["params_input"] == {"x": 1}
    assert (noted.attempt, noted.deferrals, noted.answer.by) == (1, 1, "user:ann")
    assert (attempt.state, attempt.cause, attempt.detail) == (AttemptState.SUCCESS, None, None)
    assert attempt.ended_at == NOON
    assert (story.at("a").length, story.at("a").item) == (6, True)


def test_an_answer_without_a_result_leaves_no_length() -> None:
    story = asking(keys=["approved"])
    assert take(story, "Approve").values == {"approved": True}
    assert (story.at("a").length, story.at("a").item) == (None, False)


def test_what_has_a_method_goes_on_in_a_process() -> None:
    story = asking(wait={"finishes": False, "method": "done"})
    assert take(story, "Reject").values == {}  # its process says what the result is
    attempt = attempt_of(story.tick())
    assert attempt.deferral is not None
    assert (story.state("a"), attempt.deferral.is_over) == ("queued", True)
    assert attempt.deferral.timed_out is False
    assert '"chosen_options": ["Reject"]' in str(attempt.deferral.found)


@pytest.mark.parametrize(
    ("defaults", "required", "overdue", "state"),
    [
        (["Approve"], False, Overdue.FAIL, "success"),
        (["Reject"], False, Overdue.FAIL, "success"),
        (["Approve"], True, Overdue.FAIL, "failed"),
        (None, False, Overdue.FAIL, "failed"),
        (None, False, Overdue.RESUME, "queued"),
        (["Approve"], False, Overdue.RESUME, "success"),
    ],
)
def test_when_the_time_is_over(defaults: Any, required: bool, overdue: Overdue, state: str) -> None:
    params = [{"name": "x", "required": required}]
    wait = {"timeout_s": 60.0, "overdue": overdue}
    story = asking(wait=wait, defaults=defaults, params=params)
    assert story.run.due_at == NOON + timedelta(seconds=60)
    story.pass_time(59)
    assert story.state("a") == "deferred"
    story.pass_time(1)
    assert story.state("a") == state
    story.everything_counts()


def test_a_time_that_is_over_fails_fast() -> None:
    story = Story(task("a"), task("c"), fail_fast=True).begin()
    deferral = Deferral(kind=Awaited.ANSWER, facts=APPROVAL, timeout_s=60.0)
    story.end("a", Outcome.DEFERRED, deferral=deferral, run_s=1.0)
    story.tick().pass_time(60)
    assert story.at("c").intent is Event.FAIL


@pytest.mark.parametrize(
    "event", [Event.MARK_SUCCESS, Event.MARK_FAILED, Event.CLEAR, Event.CANCEL]
)
def test_a_persons_other_word_closes_the_question(event: Event) -> None:
    story = asking()
    instance = story.at("a")
    if event is Event.CLEAR:
        commands.clear(story.run, [instance], "user:bob")
    elif event is Event.CANCEL:
        commands.cancel(story.run, "user:bob")
    else:
        commands.mark(story.run, [instance], event, "user:bob")
    assert answering.open_question(instance) is None


def test_a_question_that_is_asked_again_is_another_one() -> None:
    story = asking()
    commands.clear(story.run, [story.at("a")], "user:bob")
    story.tick()
    deferral = Deferral(kind=Awaited.ANSWER, facts=APPROVAL, finishes=True)
    story.end("a", Outcome.DEFERRED, deferral=deferral, run_s=1.0)
    story.tick()
    answer(story, "Approve")
    assert (story.state("a"), story.at("a").attempts) == ("success", 2)


@pytest.mark.parametrize(
    ("chosen", "multiple", "flaw"),
    [
        ([], False, "choose an option"),
        (["x"], False, "'x' is not an option"),
        (["Approve"], False, None),
        (["Approve", "Reject"], False, "choose one option, not several"),
        (["Approve", "Reject"], True, None),
        (["Approve", "Approve"], True, "an option is chosen twice"),
    ],
)
def test_what_may_be_chosen(chosen: list[str], multiple: bool, flaw: str | None) -> None:
    assert flaw_of_options(question_of({**APPROVAL, "multiple": multiple}), chosen) == flaw


def test_who_may_answer() -> None:
    for users, roles in (
        *product(([""], ["ann"]), ([""], ["release"])),
        (["ann"], []),
        ([], ["x"]),
    ):
        asked = question_of({**APPROVAL, "assigned_users": users, "assigned_roles": roles})
        for name, role in product(("ann", "bob"), ("release", "viewer")):
            named = name in users or role in roles
            assert may_answer(asked, name, role) is named


def test_where_nobody_is_named_all_may_answer() -> None:
    assert may_answer(question_of(APPROVAL), "eve", "operator")


def test_tasks_that_go_on_are_those_of_all_that_is_chosen() -> None:
    asked = question_of({**APPROVAL, "follows": {"Approve": ["b", "c"], "Reject": ["c", "d"]}})
    assert followed(asked, ["Approve", "Reject"]) == frozenset("bcd")
    assert followed(question_of({**APPROVAL, "follows": None}), ["Approve"]) is None


def test_a_question_says_what_its_facts_say() -> None:
    bare = question_of({"ask": "choose", "subject": "Which?", "options": ["x"]})
    assert bare == Question(ask=Ask.CHOOSE, subject="Which?", options=("x",))
    assert question_of({**APPROVAL, "body": "All of it."}).body == "All of it."
    with pytest.raises(KeyError):
        question_of({})


def test_a_result_says_who_answered_when() -> None:
    asked = question_of({**APPROVAL, "multiple": True})
    given = Answer(chosen=("Approve",), params={"x": 1}, by="user:ann", at=NOON)
    told = {
        "chosen_options": ["Approve"],
        "params_input": {"x": 1},
        "responded_by_user": {"id": "user:ann", "name": "ann"},
        "responded_at": "2026-01-01T12:00:00+00:00",
        "timedout": False,
        "approved": True,
    }
    assert result_of(asked, given) == told
    assert result_of(asked, replace(given, chosen=("Reject",)))["approved"] is False
    assert result_of(asked, replace(given, chosen=("Approve", "Reject")))["approved"] is True
    assert "approved" not in result_of(question_of({**APPROVAL, "ask": "choose"}), given)


def test_a_default_answer_is_nobodys() -> None:
    params = [{"name": "x", "default": 3}, {"name": "y"}]
    asked = question_of({**APPROVAL, "defaults": ["Reject"], "params": params})
    given = default_answer(asked, NOON, "scheduler")
    assert given is not None
    told = result_of(asked, given)
    assert told["responded_by_user"] is None
    assert (told["approved"], told["params_input"]) == (False, {"x": 3, "y": None})


def test_a_reason_says_whether_a_person_or_the_clock_answered() -> None:
    limit = Deferral(kind=Awaited.ANSWER, facts=APPROVAL, timeout_s=60.0)
    by_ann = Answer(chosen=("Approve",), params={}, by="user:ann", at=NOON)
    by_clock = replace(by_ann, by="scheduler", timed_out=True)
    assert answering.reason(by_ann, limit) == Answered("user:ann", ("Approve",))
    assert answering.reason(by_clock, limit) == AnsweredByDefault(("Approve",), 60.0)
    at_once = replace(limit, timeout_s=0.0)
    assert answering.reason(by_clock, at_once) == AnsweredByDefault(("Approve",), 0.0)


def test_a_default_that_refuses_says_so() -> None:
    wait = {"timeout_s": 60.0, "overdue": Overdue.FAIL}
    story = asking(wait=wait, defaults=["Reject"], refusals=["Reject"])
    attempt = attempt_of(story)
    story.pass_time(60)
    assert story.state("a") == "failed"
    assert attempt.detail == "Reject: nobody answered in time, so the default holds"


def test_a_reason_names_who_is_asked_and_who_answered() -> None:
    assert said(AwaitsAnswer("Release?")) == "asks a person: Release?"
    text = "nobody answered in time, so the default holds: Reject"
    assert said(Rejected("scheduler", ("Reject",), timed_out=True)) == text
