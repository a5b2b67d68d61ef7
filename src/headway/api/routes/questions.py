"""/questions: what tasks ask people, and the answers."""

from typing import Any

from litestar import get, post
from litestar.params import JSONBody
from msgspec.structs import replace
from psycopg import Connection

from headway import wire
from headway.actions import answers
from headway.actions.answers import Answerer
from headway.api.context import Api, Handed
from headway.api.parameters import Cursor, Id, IdFilter, Limit
from headway.api.repeats import WHOLE
from headway.api.routes.runs import graphs
from headway.core.roles import Verb
from headway.store.views import instances, questions
from headway.store.views import runs as run_views


@get("/questions", needs=Verb.RUN_READ)
async def list_questions(
    api: Handed,
    dag_id: IdFilter = None,
    run_id: IdFilter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> wire.Page[wire.Question]:
    """List the open questions of the team's tasks, the latest first."""
    found = await api.door.call(questions.page, dag_id, run_id, limit, cursor)
    return wire.Page([marked(api, each) for each in found.items], found.next_cursor)


@get("/question-count", needs=Verb.RUN_READ)
async def count_questions(api: Handed) -> wire.QuestionCount:
    """Count the open questions of the team."""
    return await api.door.call(questions.count)


@post(
    "/runs/{run_id:str}/task-instances/{task_id:str}/answer",
    status_code=200,
    needs=Verb.TASK_ANSWER,
    idempotent=WHOLE,
)
async def answer(
    api: Handed, run_id: Id, task_id: Id, data: JSONBody[wire.AnswerRequest]
) -> wire.TaskInstanceDetail:
    """Answer the open question of a task instance. The first answer counts; the same one by the same person again
    changes nothing.
    """
    who = Answerer(api.actor, api.principal.name, api.principal.role)

    def work(conn: Connection[Any]) -> wire.TaskInstanceDetail:
        found = run_views.resolve(conn, run_id)
        instances.one(conn, found, task_id, data.map_index)  # NotFound
        api.door.about(f"{found}/{task_id}")
        of = (conn, api.door.team_id, found, task_id, data, graphs(conn), who)
        if not answers.give(*of):
            api.door.tell(repeated=True)
        return shown(api, instances.one(conn, found, task_id, data.map_index))

    return await api.door.call(work)


def shown(api: Api, instance: wire.TaskInstanceDetail) -> wire.TaskInstanceDetail:
    """Return a task instance that tells whether the caller may answer what it asks."""
    return replace(instance, questions=[marked(api, each) for each in instance.questions])


def marked(api: Api, asked: wire.Question) -> wire.Question:
    who = api.principal
    may = Verb.TASK_ANSWER in who.verbs and answers.names(asked, who.name, who.role)
    return replace(asked, may_answer=may and asked.answer is None)


ROUTES = [list_questions, count_questions, answer]
