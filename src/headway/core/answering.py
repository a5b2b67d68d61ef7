"""The end of a wait for an answer: by a person, or by the clock with the defaults. Pure, like ``plan``.

What needs no process ends here: with a result, a branch's choice and events of assets, or as failed by a rejection.
"""

import json
from typing import Any, Final

from headway.core.assets import emit
from headway.core.branches import covers
from headway.core.judging import end_others
from headway.core.questions import Answer, Question, followed, question_of, result_of
from headway.core.reasons import Answered, AnsweredByDefault, Reason, Rejected
from headway.core.run import Given, Instance, Run
from headway.core.states import DEFERRED, AttemptEvent, Event
from headway.core.waits.deferral import Awaited, Deferral
from headway.core.words import listed

REJECTED: Final = "rejected"  # the cause of an attempt that a person's answer failed
RESULT_KEY: Final = "return_value"


def open_question(instance: Instance) -> Deferral | None:
    """Return the wait for an answer, if the instance is in one."""
    attempt = instance.attempt
    if instance.state not in DEFERRED or attempt is None or attempt.deferral is None:
        return None
    return attempt.deferral if attempt.deferral.kind is Awaited.ANSWER else None


def take(run: Run, instance: Instance, answer: Answer) -> None:
    """Take the answer to the question that the instance waits with."""
    deferral, attempt = open_question(instance), instance.attempt
    assert deferral is not None, f"{instance} asks nothing"
    assert attempt is not None
    question = question_of(deferral.facts)
    result = result_of(question, answer)
    values: dict[str, Any] = {}
    if deferral.finishes and not rejects(question, answer):
        values = {key: result if key == RESULT_KEY else result[key] for key in question.keys}
    given = Given(instance, attempt.number, attempt.deferrals, deferral, answer, values)
    run.changes.given.append(given)
    if not deferral.finishes:
        run.end_wait(instance, json.dumps(result), timed_out=False)
        run.move(instance, Event.WAKE, reason(answer, deferral), answer.by)
    elif rejects(question, answer):
        reject(run, instance, answer)
    else:
        conclude(run, instance, question, given)


def rejects(question: Question, answer: Answer) -> bool:
    return any(option in question.refusals for option in answer.chosen)


def reason(answer: Answer, deferral: Deferral) -> Reason:
    if answer.timed_out:
        return AnsweredByDefault(answer.chosen, deferral.timeout_s or 0.0)
    return Answered(answer.by, answer.chosen)


def conclude(run: Run, instance: Instance, question: Question, given: Given) -> None:
    """End the task with the answer as its result."""
    run.end_attempt(instance, AttemptEvent.SUCCEED, run.now, cause=None, detail=None)
    result = given.values.get(RESULT_KEY)
    instance.length, instance.item = None if result is None else len(result), result is not None
    follow = followed(question, given.answer.chosen)
    if follow is not None and not covers(run.graph, instance.node, follow):
        instance.follow = follow
    emit(run, instance, ())
    run.move(instance, Event.SUCCEED, reason(given.answer, given.deferral), given.answer.by)


def reject(run: Run, instance: Instance, answer: Answer) -> None:
    """End the task as failed, for good: another attempt would ask the same person again."""
    chosen = listed(answer.chosen)
    who = "nobody answered in time, so the default holds" if answer.timed_out else answer.by
    why = Rejected(answer.by, answer.chosen, answer.timed_out)
    run.end_attempt(instance, AttemptEvent.FAIL, run.now, cause=REJECTED, detail=f"{chosen}: {who}")
    instance.failures += 1
    run.move(instance, Event.FAIL, why, answer.by)
    if run.graph.fail_fast:
        end_others(run, instance.node)
