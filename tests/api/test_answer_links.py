"""Links by which people without an account answer one question: that one, once, until they expire or are revoked."""

from typing import Any

import pytest

from headway import wire
from headway.client import Client
from headway.store.transact import Session
from tests.api import people
from tests.api.browser import API, Answer, Browser
from tests.api.test_questions import APPROVAL, ask, asking, wait
from tests.scenarios.world import states


def link_to(browser: Browser, run_id: str, **more: Any) -> Answer:
    asked = {"recipient": "bob@acme.example", **more}
    return browser.ask("POST", f"{API}/runs/{run_id}/task-instances/a/answer-links", asked)


def by_link(url: str, link: str, what: str, **body: Any) -> Answer:
    return Browser(url).ask("POST", f"{API}/{what}", {"token": link.partition("#")[2], **body})


def test_a_link_shows_its_question_and_answers_it(url: str, client: Client, conn: Session) -> None:
    _, run_id = asking(conn)
    made = link_to(people.local(url), run_id)
    link = made.json["url"]
    assert "/question#hwa_" in link
    for _ in range(2):  # whoever looks changes nothing
        read = by_link(url, link, "linked-question")
        assert (read.json["subject"], read.json["is_open"]) == ("Release?", True)
    for hidden in (b"user:", b"assigned", b"follows"):
        assert hidden not in read.body
    assert states(conn, run_id)["a"] == "deferred"

    answer = by_link(url, link, "linked-answer", chosen_options=["Approve"])
    assert (answer.json["is_open"], answer.json["yours"]) == (False, ["Approve"])
    assert "set-cookie" not in answer.headers
    (told,) = client.instance(run_id, "a", -1).questions
    assert told.answer is not None
    assert (told.answer.answered_by, told.answer.link_id) == (
        "link:bob@acme.example",
        made.json["id"],
    )
    (entry,) = client.audit(1, action="questions.answer")
    assert (entry.actor, entry.via, entry.detail["created_by"]) == (
        "link:bob@acme.example",
        "link",
        "user:admin",
    )
    secret = link.partition("#")[2]
    assert secret not in str(client.audit(50))
    again = by_link(url, link, "linked-answer", chosen_options=["Approve"])
    assert again.status == 200
    other = by_link(url, link, "linked-answer", chosen_options=["Reject"])
    assert other.status == 409


def test_a_link_does_not_answer_what_is_asked_again(
    url: str, client: Client, conn: Session
) -> None:
    scheduler, run_id = asking(conn)
    link = link_to(people.local(url), run_id).json["url"]
    client.clear(run_id, wire.ClearRequest(tasks=["a"]))
    ask(scheduler)
    assert by_link(url, link, "linked-question").status == 404
    assert by_link(url, link, "linked-answer", chosen_options=["Approve"]).status == 409
    assert states(conn, run_id)["a"] == "deferred"


def test_links_have_one_purpose(url: str, conn: Session) -> None:
    _, run_id = asking(conn)
    admin = people.local(url)
    answers = link_to(admin, run_id).json["url"]
    reads = admin.ask("POST", f"{API}/runs/{run_id}/links", {}).json["url"]
    assert by_link(url, answers, "linked-run").status == 404
    assert by_link(url, reads, "linked-question").status == 404
    assert by_link(url, reads, "linked-answer", chosen_options=["Approve"]).status == 404
    for browser in (people.bearer(url, answers.partition("#")[2]), Browser(url)):
        assert browser.ask("GET", f"{API}/questions").status == 401


@pytest.mark.parametrize("how", ["revoked", "expired", "unknown"])
def test_a_link_that_is_not_valid_has_one_answer(
    url: str, conn: Session, owner_conn: Session, how: str
) -> None:
    _, run_id = asking(conn)
    admin = people.local(url)
    made = link_to(admin, run_id).json
    link = made["url"]
    if how == "revoked":
        assert admin.ask("DELETE", f"{API}/run-links/{made['id']}").status == 200
    elif how == "expired":
        owner_conn.execute("UPDATE run_link SET expires_at = now()")
    else:
        link += "x"
    for what in ("linked-question", "linked-answer"):
        body = {"chosen_options": ["Approve"]} if what == "linked-answer" else {}
        answer = by_link(url, link, what, **body)
        assert answer.status == 404
        assert answer.json["detail"] == "this link is not valid: it is unknown, expired or revoked"


def test_only_who_may_answer_may_hand_it_on(url: str, conn: Session) -> None:
    _, run_id = asking(conn, wait({**APPROVAL, "assigned_users": ["ann"]}))
    for name, role in (("ann", "operator"), ("bob", "operator"), ("eve", "viewer")):
        people.create(url, name, role)
    status = {
        name: link_to(people.signed_in(url, name), run_id).status for name in ("ann", "bob", "eve")
    }
    assert status == {"ann": 201, "bob": 403, "eve": 403}
    assert link_to(people.signed_in(url, "ann"), run_id, recipient=" ").status == 400
