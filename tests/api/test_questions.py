"""Questions of tasks through the API: who sees and answers them, once, and what becomes of the task."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from headway import wire
from headway.agent.protocol import Deferral
from headway.client import Client
from headway.errors import Conflict, NotAllowed, NotFound, UsageError
from headway.spec.model import Asset
from headway.store.transact import Session
from tests.api import people
from tests.api.browser import API
from tests.scenarios.world import (
    Scheduler,
    deploy,
    run_state,
    states,
    task,
    trigger,
    value,
)

APPROVAL: dict[str, Any] = {
    "ask": "approve",
    "subject": "Release?",
    "options": ["Approve", "Reject"],
    "follows": {"Approve": ["b"], "Reject": []},
    "keys": ["approved", "return_value"],
}
FORM: dict[str, Any] = {
    "ask": "ask",
    "subject": "How much?",
    "options": ["OK"],
    "defaults": ["OK"],
    "params": [{"name": "amount", "type": "integer", "default": 5, "schema": {"minimum": 1}}],
    "keys": ["return_value"],
}


def wait(facts: dict[str, Any], **options: Any) -> Deferral:
    return Deferral("answer", msgspec.json.encode(facts), **{"finishes": True, **options})


def asking(conn: Session, given: Deferral | None = None) -> tuple[Scheduler, str]:
    """A run whose first task asks."""
    deploy(
        conn,
        task("a", branch=True, outlets=("data",)),
        task("b", "a"),
        assets=(Asset(name="data"),),
    )
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    ask(scheduler, given)
    assert states(conn, run_id)["a"] == "deferred"
    return scheduler, run_id


def ask(scheduler: Scheduler, given: Deferral | None = None) -> None:
    scheduler.tick()
    deferral = given or wait(APPROVAL)
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "deferred", "deferral": deferral}))


def answer(client: Client, run_id: str, *chosen: str, **more: Any) -> wire.TaskInstanceDetail:
    request = wire.AnswerRequest(chosen_options=list(chosen), **more)
    return client.answer(run_id, "a", request)


def test_an_answer_ends_the_task_in_its_own_transaction(client: Client, conn: Session) -> None:
    scheduler, run_id = asking(conn)
    (asked,) = client.questions()
    assert (asked.run_id, asked.task_id, asked.subject) == (run_id, "a", "Release?")
    assert (asked.id, asked.may_answer, asked.answer) == ("1.1", True, None)
    assert client.question_count().open == 1
    assert client.instance(run_id, "a", -1).reason == "asks a person: Release?"

    after = answer(client, run_id, "Approve", question=asked.id)
    assert (after.state, after.reason) == ("success", "answered by admin: Approve")
    (told,) = after.questions
    assert told.answer is not None
    assert (told.answer.chosen_options, told.answer.answered_by) == (["Approve"], "user:admin")
    assert (client.questions(), client.question_count().open) == ([], 0)
    results = {xcom.key: xcom.value for xcom in client.xcoms(run_id)}
    assert results["approved"] is True
    assert results["return_value"]["responded_by_user"] == {"id": "user:admin", "name": "admin"}
    assert value(conn, "SELECT count(*) FROM wait") == 0
    assert value(conn, "SELECT count(*) FROM asset_event") == 1
    event = conn.execute(
        "SELECT name, actor FROM event WHERE task_id = 'a' ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    assert event == ("succeed", "user:admin")
    entry = client.audit(1, action="questions.answer")[0]
    assert entry.subject == f"{run_id}/a"
    assert entry.words == f"answered the question of task `a` of run `{run_id}`: `Approve`"

    scheduler.tick()
    scheduler.tick(*scheduler.work())
    assert run_state(conn, run_id) == "success"


def test_a_rejection_skips_what_is_downstream(client: Client, conn: Session) -> None:
    scheduler, run_id = asking(conn)
    answer(client, run_id, "Reject")
    scheduler.tick()
    assert states(conn, run_id) == {"a": "success", "b": "skipped"}


def test_the_first_answer_counts(url: str, client: Client, conn: Session) -> None:
    _, run_id = asking(conn)
    people.create(url, "bob", "operator")
    bob = Client(url, people.token(url, "bob", "operator"))
    answer(client, run_id, "Approve")
    for chosen in ("Approve", "Reject"):
        with pytest.raises(Conflict, match=r"has an answer: answered by admin at .*: Approve"):
            answer(bob, run_id, chosen)
    with pytest.raises(Conflict, match="has an answer"):
        answer(client, run_id, "Reject")
    again = answer(client, run_id, "Approve")  # the same person, the same answer
    assert again.state == "success"
    assert value(conn, "SELECT count(*) FROM answer") == 1
    bob.close()


def test_of_many_answers_at_once_one_is_taken(url: str, conn: Session) -> None:
    _, run_id = asking(conn)
    names = [f"p{number}" for number in range(4)]
    for name in names:
        people.create(url, name, "operator")
    clients = [Client(url, people.token(url, name, "operator")) for name in names]

    def work(one: tuple[int, Client]) -> str | None:
        number, client = one
        try:
            answer(client, run_id, ("Approve", "Reject")[number % 2])
            return names[number]
        except Conflict:
            return None

    with ThreadPoolExecutor(len(clients)) as threads:
        taken = [name for name in threads.map(work, enumerate(clients)) if name]
    assert len(taken) == 1
    assert value(conn, "SELECT answered_by FROM answer") == f"user:{taken[0]}"
    for client in clients:
        client.close()


@pytest.mark.parametrize("late", [False, True])
def test_the_clock_takes_the_default(client: Client, conn: Session, late: bool) -> None:
    given = wait({**APPROVAL, "defaults": ["Reject"]}, timeout_s=60.0)
    scheduler, run_id = asking(conn, given)
    assert client.questions()[0].has_default
    if late:
        answer(client, run_id, "Approve")
    scheduler.later(61)
    scheduler.tick()
    assert states(conn, run_id)["b"] == ("queued" if late else "skipped")
    if not late:
        instance = client.instance(run_id, "a", -1)
        assert instance.reason == "nobody answered within 60 s, so the default holds: Reject"
        with pytest.raises(Conflict, match="nobody answered in time, so the default holds: Reject"):
            answer(client, run_id, "Approve")


def test_without_a_default_the_task_fails(client: Client, conn: Session) -> None:
    scheduler, run_id = asking(conn, wait(APPROVAL, timeout_s=60.0))
    scheduler.later(61)
    scheduler.tick()
    reason = client.instance(run_id, "a", -1).reason
    assert reason == "nobody answered within 60 s, and the question has no default"
    with pytest.raises(Conflict, match="asks nothing now: it is failed: nobody answered"):
        answer(client, run_id, "Approve")


def test_a_cleared_task_asks_again_and_takes_no_old_answer(client: Client, conn: Session) -> None:
    scheduler, run_id = asking(conn)
    old = client.questions()[0].id
    client.clear(run_id, wire.ClearRequest(tasks=["a"]))
    with pytest.raises(Conflict, match="no longer open: the task is waiting"):
        answer(client, run_id, "Approve", question=old)
    ask(scheduler)
    with pytest.raises(Conflict, match="of an earlier attempt: `a` asks again"):
        answer(client, run_id, "Approve", question=old)
    (asked,) = client.questions()
    assert asked.id == "2.1"
    answer(client, run_id, "Approve", question=asked.id)
    client.clear(run_id, wire.ClearRequest(tasks=["a"]))
    assert client.xcoms(run_id) == []
    ask(scheduler)
    answer(client, run_id, "Reject")
    told = [
        each.answer.chosen_options
        for each in client.instance(run_id, "a", -1).questions
        if each.answer
    ]
    assert told == [["Reject"], ["Approve"]]


@pytest.mark.parametrize("what", ["mark", "cancel"])
def test_what_people_ended_otherwise_takes_no_answer(
    client: Client, conn: Session, what: str
) -> None:
    _, run_id = asking(conn)
    if what == "mark":
        client.mark(run_id, wire.MarkRequest(state="success", task_id="a"))
    else:
        client.cancel(run_id)
    with pytest.raises(Conflict, match=r"asks nothing now: it is (success: marked|cancelled)"):
        answer(client, run_id, "Approve")


def test_values_are_checked_by_the_schema(client: Client, conn: Session) -> None:
    _, run_id = asking(conn, wait(FORM))
    with pytest.raises(UsageError, match='"amount" of the question of a is 0, but must be at'):
        answer(client, run_id, params_input={"amount": 0})
    with pytest.raises(UsageError, match='the question of a has no parameter "amuont"'):
        answer(client, run_id, params_input={"amuont": 1})
    with pytest.raises(UsageError, match="cannot take this answer: 'Yes' is not an option"):
        answer(client, run_id, "Yes")
    after = answer(client, run_id, params_input={"amount": 7})
    assert after.questions[0].answer is not None
    assert after.questions[0].answer.params_input == {"amount": 7}


def test_a_schema_that_an_agent_made_up_stops_nothing(client: Client, conn: Session) -> None:
    params = [{"name": "x", "schema": {"$ref": "http://elsewhere/"}}]
    _, run_id = asking(conn, wait({**FORM, "params": params}))
    with pytest.raises(UsageError, match="the form of `a` cannot be checked"):
        answer(client, run_id, params_input={"x": 1})


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {**APPROVAL, "options": []},
        {**APPROVAL, "options": ["x" * 201]},
        {**APPROVAL, "subject": 7},
        {**APPROVAL, "subject": "x\0"},
        {**APPROVAL, "body": "x" * 20_001},
        {**APPROVAL, "params": [{"name": 7}]},
        {**APPROVAL, "keys": ["secret"]},
        {**APPROVAL, "follows": {"Approve": 7}},
    ],
)
def test_a_question_that_cannot_be_shown_fails_its_task(
    conn: Session, facts: dict[str, Any]
) -> None:
    deploy(conn, task("a", retries=0))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    ask(scheduler, wait(facts))
    assert states(conn, run_id) == {"a": "failed"}
    assert "the task cannot be deferred" in value(conn, "SELECT detail FROM attempt")


def test_what_has_a_method_goes_on_in_a_process(client: Client, conn: Session) -> None:
    """As operators of Airflow do."""
    scheduler, run_id = asking(conn, wait(APPROVAL, finishes=False, method="done"))
    after = answer(client, run_id, "Approve")
    assert (after.state, after.wait) == ("ready", None)
    with pytest.raises(Conflict, match="has an answer"):
        answer(client, run_id, "Reject")
    scheduler.tick()
    (given,) = scheduler.held.values()
    found = given.attempt.deferral
    assert found is not None
    assert found.method == "done"
    assert msgspec.json.decode(found.found or "")["chosen_options"] == ["Approve"]


def test_only_those_whom_a_question_names_may_answer(
    url: str, client: Client, conn: Session
) -> None:
    given = wait({**APPROVAL, "assigned_users": ["ann"], "assigned_roles": ["author"]})
    _, run_id = asking(conn, given)
    made = {}
    for name, role in (
        ("ann", "operator"),
        ("bob", "operator"),
        ("eve", "viewer"),
        ("kim", "author"),
    ):
        people.create(url, name, role)
        made[name] = Client(url, people.token(url, name, role))
    may = {name: each.questions()[0].may_answer for name, each in made.items()}
    assert may == {"ann": True, "bob": False, "eve": False, "kim": True}
    for who in (made["bob"], client):
        with pytest.raises(NotAllowed, match="this question is for ann and role author"):
            answer(who, run_id, "Approve")
    with pytest.raises(NotAllowed, match="this needs the role operator"):
        answer(made["eve"], run_id, "Approve")
    answer(made["kim"], run_id, "Approve")
    assert value(conn, "SELECT answered_by FROM answer") == "user:kim"
    for each in made.values():
        each.close()


def test_open_questions_come_in_pages(url: str, conn: Session) -> None:
    deploy(conn, *(task(f"t{number}") for number in range(5)))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    ask(scheduler)
    browser = people.local(url)
    seen, cursor = [], ""
    while True:
        page = browser.ask("GET", f"{API}/questions?limit=2{cursor}").json
        assert len(page["items"]) <= 2
        seen += [each["task_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ["t4", "t3", "t2", "t1", "t0"]
    assert browser.ask("GET", f"{API}/questions?dag_id=other").json["items"] == []
    assert len(browser.ask("GET", f"{API}/questions?run_id={run_id}").json["items"]) == 5


def test_a_task_that_does_not_exist_is_not_found(client: Client, conn: Session) -> None:
    _, run_id = asking(conn)
    with pytest.raises(NotFound, match="has no task 'nope'"):
        client.answer(run_id, "nope", wire.AnswerRequest())
