"""Questions that tasks ask people, and their answers."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from headway.core.questions import OPTION_MAX, OPTIONS_MAX, Ask
from headway.spec.model import Param
from headway.wire.bounds import Id, Index, said


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """``timed_out``: nobody answered in time, and the default holds. ``link_id``: of the link by which it came."""

    chosen_options: list[str]
    params_input: dict[str, Any]
    answered_by: str
    answered_at: datetime
    timed_out: bool = False
    link_id: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question of a task instance. ``id`` says which: its attempt, and the number of the wait in it.

    ``params``: fields to fill in, as a DAG's parameters. ``has_default``: at ``ends_at`` the defaults hold; without
    them the task fails then, or goes on if it knows what to do. ``answer``: None as long as it is open.
    """

    id: str
    run_id: str
    dag_id: str
    task_id: str
    map_index: int
    rendered_map_index: str | None = None
    attempt: int
    ask: Annotated[str, said(enum=list(Ask))]
    subject: str
    body: str
    options: list[str]
    multiple: bool
    defaults: list[str] | None
    params: list[Param]
    assigned_users: list[str]
    assigned_roles: list[str]
    asked_at: datetime
    ends_at: datetime | None = None
    has_default: bool = False
    may_answer: bool = False  # the caller
    answer: Answer | None = None


class QuestionCount(msgspec.Struct, frozen=True, kw_only=True):
    """The number of open questions of the team. ``truncated``: there are more."""

    open: int
    truncated: bool = False


class LinkedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a question that a link shows. ``yours``: the answer that came by this link."""

    team: str
    recipient: str
    expires_at: datetime  # of the link
    dag_id: str
    task_id: str
    ask: Annotated[str, said(enum=list(Ask))]
    subject: str
    body: str
    options: list[str]
    multiple: bool
    params: list[Param]
    asked_at: datetime
    ends_at: datetime | None
    is_open: bool
    yours: list[str] | None = None


# -- what is asked for

Option = Annotated[str, msgspec.Meta(max_length=OPTION_MAX)]


class AnswerRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``question``: the id of the question that is meant; None: the one that is open."""

    map_index: Index = -1
    question: Id | None = None
    chosen_options: Annotated[list[Option], msgspec.Meta(max_length=OPTIONS_MAX)] = []
    params_input: dict[str, Any] = {}


class LinkedAnswerRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Annotated[str, msgspec.Meta(max_length=200)]
    chosen_options: Annotated[list[Option], msgspec.Meta(max_length=OPTIONS_MAX)] = []
    params_input: dict[str, Any] = {}
