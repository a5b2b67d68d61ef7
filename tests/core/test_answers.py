"""Answers to questions: what they make of a task, by a person or by the clock, and what is no answer any more."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from headway.core import answering, commands
from headway.core.questions import (
    Answer,
    default_answer,
    flaw_of_options,
    followed,
    may_answer,
    question_of,
    result_of,
)
from headway.core.reasons import AwaitsAnswer, Rejected
from headway.core.reports import Outcome
from headway.core.states import Event
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


def answer(story: Story, *chosen: str, **params: Any) -> Story:
    given = Answer(chosen=chosen, params=params, by="user:ann", at=story.run.now)
    answering.take(story.run, story.at("a"), given)
    return story.tick()


def test_a_question_holds_no_slot_and_is_open_until_it_is_answered() -> None:
    story = asking()
    assert (story.state("a"), story.run.live, story.run.due_at) == ("deferred", 0, None)
    assert answering.open_question(story.at("a")) is not None
    answer(story, "Approve")
    assert story.states() == {"a": "success", "b": "queued"}
    assert answering.open_question(story.at("a")) is None
    story.everything_counts()


def test_a_rejection_leaves_out_what_is_downstream() -> None:
    assert answer(asking(), "Reject").states() == {"a": "success", "b": "skipped"}


def test_a_refusal_fails_the_task_for_good() -> None:
    story = asking(task("a", branch=True, retries=2), task("b", "a"), refusals=["Reject"])
    answer(story, "Reject")
    assert story.states() == {"a": "failed", "b": "upstream_failed"}
    assert story.at("a").failures == 1


def test_what_an_answer_leaves_is_noted_once() -> None:
    story = asking(keys=["approved", "return_value"])
    before = len(story.run.changes.given)
    given = Answer(chosen=("Approve",), params={"x": 1}, by="user:ann", at=NOON)
    answering.take(story.run, story.at("a"), given)
    (noted,) = story.run.changes.given[before:]
    assert noted.values["approved"] is True
    assert noted.values["return_value"]["params_input"] == {"x": 1}
    assert (noted.attempt, noted.deferrals, noted.answer.by) == (1, 1, "user:ann")
    assert story.at("a").length == 6


def test_what_has_a_method_goes_on_in_a_process() -> None:
    story = asking(wait={"finishes": False, "method": "done"})
    answer(story, "Reject")
    attempt = story.at("a").attempt
    assert attempt is not None
    assert attempt.deferral is not None
    assert (story.state("a"), attempt.deferral.is_over) == ("queued", True)
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
    for users, roles in product(([""], ["ann"]), ([""], ["release"])):
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


def test_a_default_answer_is_nobodys() -> None:
    params = [{"name": "x", "default": 3}, {"name": "y"}]
    asked = question_of({**APPROVAL, "defaults": ["Reject"], "params": params})
    given = default_answer(asked, NOON, "scheduler")
    assert given is not None
    told = result_of(asked, given)
    assert told["responded_by_user"] is None
    assert (told["approved"], told["params_input"]) == (False, {"x": 3, "y": None})


def test_a_reason_names_who_is_asked_and_who_answered() -> None:
    assert said(AwaitsAnswer("Release?")) == "asks a person: Release?"
    text = "nobody answered in time, so the default holds: Reject"
    assert said(Rejected("scheduler", ("Reject",), timed_out=True)) == text
