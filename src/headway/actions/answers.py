"""Answers of people to questions of tasks. An answer moves its task instance in the same transaction."""

from dataclasses import dataclass
from typing import Any, NoReturn

from psycopg import Connection

from headway import wire
from headway.core import answering
from headway.core.judging import released
from headway.core.questions import Answer, flaw_of_options, may_answer, question_of
from headway.core.run import Instance
from headway.core.states import State
from headway.core.words import listed, person
from headway.errors import Conflict, NotAllowed, UsageError
from headway.runs.again import Graphs, locked, save
from headway.spec import json_schema
from headway.spec.params import check_form
from headway.store import answers, runs
from headway.store.clock import clock
from headway.store.views import instances, questions


@dataclass(frozen=True, slots=True)
class Answerer:
    """The person who answers: a member of the team, or the holder of a link, which was made for one question."""

    actor: str
    name: str = ""
    role: str = ""
    link_id: str | None = None


def give(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    task_id: str,
    request: wire.AnswerRequest,
    graphs: Graphs,
    who: Answerer,
) -> bool:
    """Answer the open question of a task instance. Return False if this person had given the same answer before.

    Raises:
        NotFound: there is no such task instance. NotAllowed: the question names others. UsageError: the answer does not
            fit the question. Conflict: the question is not open, or not any more.
    """
    index = request.map_index
    asked = questions.open_one(conn, run_id, task_id, index)
    if asked is None or request.question not in (None, asked.id):
        return closed(conn, team_id, run_id, task_id, request, who)
    check_person(asked, who)
    chosen = options_of(asked, request)
    params = params_of(asked, request)
    runs.announce(conn, team_id, run_id)
    row, run = locked(conn, team_id, run_id, graphs, who.actor)
    instance = run.get(task_id, index)
    if instance is None or not is_open(instance, asked.id) or not released(run, instance):
        return closed(conn, team_id, run_id, task_id, request, who)
    at = clock(conn)
    answer = Answer(chosen=tuple(chosen), params=params, by=who.actor, at=at, link=who.link_id)
    answering.take(run, instance, answer)
    save(conn, row, run)
    return True


def is_open(instance: Instance, question: str) -> bool:
    attempt = instance.attempt
    if answering.open_question(instance) is None or attempt is None:
        return False
    return f"{attempt.number}.{attempt.deferrals}" == question


def check_person(asked: wire.Question, who: Answerer) -> None:
    """Raise NotAllowed if the question names others. A link was made by somebody whom it names."""
    if who.link_id is None and not names(asked, who.name, who.role):
        allowed = [*asked.assigned_users, *(f"role {role}" for role in asked.assigned_roles)]
        raise NotAllowed(
            f"this question is for {listed(allowed)}",
            hint="ask one of them to answer, or to create a link for you",
        )


def names(asked: wire.Question, name: str, role: str) -> bool:
    """Return whether the question lets a member of the team answer."""
    facts = {"ask": asked.ask, "subject": asked.subject, "options": asked.options}
    assigned = {"assigned_users": asked.assigned_users, "assigned_roles": asked.assigned_roles}
    return may_answer(question_of({**facts, **assigned}), name, role)


def options_of(asked: wire.Question, request: wire.AnswerRequest) -> list[str]:
    """Return the options that an answer chooses: the only one where there is no choice."""
    chosen = request.chosen_options or (asked.options if len(asked.options) == 1 else [])
    known = question_of(
        {"ask": asked.ask, "subject": "", "options": asked.options, "multiple": asked.multiple}
    )
    if (flaw := flaw_of_options(known, chosen)) is not None:
        raise UsageError(
            f"`{asked.task_id}` cannot take this answer: {flaw}",
            hint=f"the options are {listed([repr(option) for option in asked.options], 10)}",
        )
    return list(chosen)


def params_of(asked: wire.Question, request: wire.AnswerRequest) -> dict[str, Any]:
    try:
        for field in asked.params:
            json_schema.check_schema(field.schema)
    except json_schema.BadSchema as error:
        raise UsageError(
            f"the form of `{asked.task_id}` cannot be checked: {error}",
            hint="correct the params of the task in its DAG file, and clear it",
        ) from None
    return check_form(f"the question of {asked.task_id}", asked.params, request.params_input)


def closed(
    conn: Connection[Any],
    team_id: int,
    run_id: str,
    task_id: str,
    request: wire.AnswerRequest,
    who: Answerer,
) -> bool:
    """Return False for an answer that is repeated; else say why it comes too late."""
    index = request.map_index
    known = answers.last(conn, team_id, run_id, task_id, index)
    instance = instances.one(conn, run_id, task_id, index)
    meant = None if known is None else f"{known.attempt}.{known.deferrals}"
    before = known is None or known.attempt != instance.attempts or instance.state == State.WAITING
    if known is None or request.question not in (None, meant) or (before and not request.question):
        refuse(conn, instance, request)
    if known.answered_by == who.actor and is_same(known, request):
        return False
    who_was_first = "nobody answered in time, so the default holds" if known.timed_out else ""
    told = (
        who_was_first
        or f"answered by {person(known.answered_by)} at {known.answered_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    raise Conflict(
        f"this question of `{task_id}` has an answer: {told}: {listed(known.chosen)}",
        hint=f"to ask again: headway clear {run_id} {task_id}",
    )


def is_same(known: answers.Known, request: wire.AnswerRequest) -> bool:
    given = {name: known.params.get(name) for name in request.params_input}
    return request.chosen_options in ([], known.chosen) and given == request.params_input


def refuse(
    conn: Connection[Any], instance: wire.TaskInstanceDetail, request: wire.AnswerRequest
) -> NoReturn:
    run_id, task_id = instance.run_id, instance.task_id
    why = instance.blocked_reason or instance.reason
    stands = f"is {instance.state}{f': {why}' if why else ''}"
    if request.question is None:
        raise Conflict(
            f"`{task_id}` asks nothing now: it {stands}",
            hint="to list open questions: headway question ls",
        )
    asks = questions.open_one(conn, run_id, task_id, request.map_index)
    if asks is not None:
        raise Conflict(
            f"this question is of an earlier attempt: `{task_id}` asks again",
            hint="read the question again, and answer that",
        )
    raise Conflict(
        f"this question of `{task_id}` is no longer open: the task {stands}",
        hint=f"to ask again: headway clear {run_id} {task_id}",
    )
