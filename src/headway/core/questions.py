"""Questions that tasks ask people, and the answers. Pure.

A question is the facts of a wait. Its parameters are opaque here: who takes an answer has checked their values.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

USER: Final = "user:"  # before the name of a person who acts
LINK: Final = "link:"  # before the name of whom a link was created for
APPROVE: Final = "Approve"
REJECT: Final = "Reject"
OK: Final = "OK"  # the one option of a question that only asks for values

SUBJECT_MAX: Final = 500  # characters
BODY_MAX: Final = 20_000
OPTION_MAX: Final = 200
OPTIONS_MAX: Final = 100
NAMES_MAX: Final = 50  # of users or roles


class Ask(StrEnum):
    """The kind of a question, which says how it is shown."""

    APPROVE = "approve"
    CHOOSE = "choose"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``defaults``: the options that the clock takes; None: there are none.

    ``params``: the fields of a form, each a parameter as in a spec. ``follows``: the downstream tasks that go on, by
    option; None: all of them, whatever is chosen. ``refusals``: the options with which the task fails. ``keys``: of
    the result, those that are stored; None: all is one result.
    """

    ask: Ask
    subject: str
    body: str = ""
    options: tuple[str, ...]
    multiple: bool = False
    defaults: tuple[str, ...] | None = None
    params: tuple[Mapping[str, Any], ...] = ()
    assigned_users: tuple[str, ...] = ()
    assigned_roles: tuple[str, ...] = ()
    follows: Mapping[str, Sequence[str]] | None = None
    refusals: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``by``: the actor. ``link``: the id of the link by which it came."""

    chosen: tuple[str, ...]
    params: Mapping[str, Any]
    by: str
    at: datetime
    timed_out: bool = False
    link: str | None = None


def question_of(facts: Mapping[str, Any]) -> Question:
    """Return the question of a wait. Its facts were checked when it began."""
    defaults = facts.get("defaults")
    return Question(
        ask=Ask(facts["ask"]),
        subject=facts["subject"],
        body=facts.get("body", ""),
        options=tuple(facts["options"]),
        multiple=facts.get("multiple", False),
        defaults=None if defaults is None else tuple(defaults),
        params=tuple(facts.get("params", ())),
        assigned_users=tuple(facts.get("assigned_users", ())),
        assigned_roles=tuple(facts.get("assigned_roles", ())),
        follows=facts.get("follows"),
        refusals=tuple(facts.get("refusals", ())),
        keys=tuple(facts.get("keys", ())),
    )


def flaw_of_options(question: Question, chosen: Sequence[str]) -> str | None:
    """Return what is wrong with a choice, as the rest of a sentence; None: nothing."""
    unknown = [option for option in chosen if option not in question.options]
    if unknown:
        return f"{unknown[0]!r} is not an option"
    if not chosen:
        return "choose an option"
    if len(set(chosen)) < len(chosen):
        return "an option is chosen twice"
    if len(chosen) > 1 and not question.multiple:
        return "choose one option, not several"
    return None


def may_answer(question: Question, name: str, role: str) -> bool:
    """Return whether a member of the team is among those whom the question names, if it names any."""
    if not question.assigned_users and not question.assigned_roles:
        return True
    return name in question.assigned_users or role in question.assigned_roles


def default_answer(question: Question, at: datetime, by: str) -> Answer | None:
    """Return the answer when nobody gave one in time; None: there is none."""
    if question.defaults is None or any(param.get("required") for param in question.params):
        return None
    params = {param["name"]: param.get("default") for param in question.params}
    return Answer(chosen=question.defaults, params=params, by=by, at=at, timed_out=True)


def result_of(question: Question, answer: Answer) -> dict[str, Any]:
    """Return the result of the task, in JSON types. The words are those of Airflow's operators."""
    person = None if answer.timed_out else {"id": answer.by, "name": answer.by.partition(":")[2]}
    result = {
        "chosen_options": list(answer.chosen),
        "params_input": dict(answer.params),
        "responded_by_user": person,
        "responded_at": answer.at.isoformat(),
        "timedout": answer.timed_out,
    }
    if question.ask is Ask.APPROVE:
        result["approved"] = answer.chosen[:1] == question.options[:1]
    return result


def followed(question: Question, chosen: Collection[str]) -> frozenset[str] | None:
    """Return the downstream tasks that go on; None: all."""
    if question.follows is None:
        return None
    return frozenset(task for option in chosen for task in question.follows.get(option, ()))
