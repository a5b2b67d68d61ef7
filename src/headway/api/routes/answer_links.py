"""Links by which people without an account answer one question of a task, and what such a link shows.

The secret stands behind the # of the address, so that no server and no scanner of mails sends it anywhere. Whatever
opens the address changes nothing: an answer is a POST, which only the button of the page sends.
"""

from typing import Any, Final

from litestar import Request, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import ids, wire
from headway.actions import answers
from headway.actions.answers import Answerer
from headway.api.access import PUBLIC
from headway.api.context import Api, Handed
from headway.api.parameters import Id
from headway.api.record import address_of
from headway.api.repeats import ONCE
from headway.api.routes.run_links import check_lifetime, no_link
from headway.api.routes.runs import graphs
from headway.api.routes.session import OPEN
from headway.core.crowds import crowd_of
from headway.core.questions import LINK
from headway.core.roles import Verb
from headway.errors import Conflict, NotFound, UsageError
from headway.identity.accounts import fingerprint
from headway.spec.carried import flaw_of_text
from headway.store import run_links
from headway.store.audit import Entry
from headway.store.run_links import OpenedQuestion
from headway.store.views import instances, questions, runs

PREFIX: Final = "hwa_"  # so that scanners of sources find one that was left there
HINT: Final = "ask the person who sent it for another"


@post(
    "/runs/{run_id:str}/task-instances/{task_id:str}/answer-links",
    needs=Verb.RUN_LINK,
    idempotent=ONCE,
)
async def create_answer_link(
    api: Handed, run_id: Id, task_id: Id, data: JSONBody[wire.AnswerLinkRequest]
) -> wire.NewRunLink:
    """Create a link by which its recipient answers the open question of a task instance, without an account. It opens
    nothing else, and ends with the question. Only this answer contains it.
    """
    who = api.principal
    who.require(Verb.TASK_ANSWER, "create a link that answers a question")
    check_lifetime(who, data.hours)
    if not data.recipient.strip() or flaw_of_text(data.recipient) is not None:
        raise UsageError(
            "recipient must say for whom the link is", hint="for instance ann@acme.example"
        )
    secret = PREFIX + ids.token()

    def work(conn: Connection[Any]) -> wire.NewRunLink:
        found = runs.resolve(conn, run_id)
        instances.one(conn, found, task_id, data.map_index)  # NotFound
        asked = questions.open_one(conn, found, task_id, data.map_index)
        if asked is None:
            raise Conflict(
                f"`{task_id}` asks nothing now", hint="to list open questions: headway question ls"
            )
        answers.check_person(asked, Answerer(who.actor, who.name, who.role))
        link_id = ids.run_id()
        attempt, _, deferrals = asked.id.partition(".")
        question = (task_id, data.map_index, int(attempt), int(deferrals), data.recipient.strip())
        run_links.create(
            *(conn, api.door.team_id, link_id, found, fingerprint(secret)),
            *(data.hours * 3600.0, api.actor),
            with_logs=False,
            question=question,
        )
        api.door.about(f"{found}/{task_id}")
        made = run_links.one(conn, link_id)
        api.door.tell(after=made)
        shown = {name: getattr(made, name) for name in made.__struct_fields__}
        return wire.NewRunLink(url=f"{api.url}/question#{secret}", **shown)

    return await api.door.call(work)


@post("/linked-question", needs=PUBLIC, status_code=200, security=OPEN)
async def show_linked_question(
    api: Handed, request: Request[Any, Any, Any], data: JSONBody[wire.RunLinkSecret]
) -> wire.LinkedQuestion:
    """Read the question of a link. This changes nothing. Unknown, expired and revoked links have one answer."""
    link = await opened(api, request, data.token)
    return await api.door.of(link.team_id).call(shown, link)


@post("/linked-answer", needs=PUBLIC, status_code=200, security=OPEN)
async def answer_by_link(
    api: Handed, request: Request[Any, Any, Any], data: JSONBody[wire.LinkedAnswerRequest]
) -> wire.LinkedQuestion:
    """Answer the question of a link. The first answer counts."""
    link = await opened(api, request, data.token)
    who = Answerer(f"{LINK}{link.recipient}", link_id=link.link_id)
    body = {"chosen_options": data.chosen_options}
    entry = Entry(
        actor=who.actor,
        via="link",
        action="questions.answer",
        subject=f"{link.run_id}/{link.task_id}",
        address=address_of(request),
        detail={"link": link.link_id, "created_by": link.created_by, "body": body},
    )

    def work(conn: Connection[Any]) -> wire.LinkedQuestion:
        asked = wire.AnswerRequest(
            map_index=link.map_index,
            question=link.question,
            chosen_options=data.chosen_options,
            params_input=data.params_input,
        )
        if not answers.give(
            conn, link.team_id, link.run_id, link.task_id, asked, graphs(conn), who
        ):
            entry.detail["repeated"] = True
        return shown(conn, link)

    return await api.door.of(link.team_id, entry).call(work)


async def opened(api: Api, request: Request[Any, Any, Any], token: str) -> OpenedQuestion:
    api.link_rate.take(crowd_of(address_of(request)))
    found = await api.door.call(run_links.opened_question, fingerprint(token))
    if found is None:
        raise no_link()
    return found


def shown(conn: Connection[Any], link: OpenedQuestion) -> wire.LinkedQuestion:
    """Return what the link shows. Who else may answer, and who did, are the team's own."""
    of_task = questions.of_instance(conn, link.run_id, link.task_id, link.map_index)
    asked = next((each for each in of_task if each.id == link.question), None)
    if asked is None:
        raise NotFound("this question is no longer open", hint=HINT)
    answer = asked.answer
    return wire.LinkedQuestion(
        team=link.team,
        recipient=link.recipient,
        expires_at=link.expires_at,
        dag_id=asked.dag_id,
        task_id=asked.task_id,
        ask=asked.ask,
        subject=asked.subject,
        body=asked.body,
        options=asked.options,
        multiple=asked.multiple,
        params=asked.params,
        asked_at=asked.asked_at,
        ends_at=asked.ends_at,
        is_open=answer is None,
        yours=answer.chosen_options if answer and answer.link_id == link.link_id else None,
    )


ROUTES = [create_answer_link, show_linked_question, answer_by_link]
